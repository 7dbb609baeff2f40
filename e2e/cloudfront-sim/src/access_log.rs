//! Standard access logs in CloudFront's file format: 33 tab-separated fields per line.
//!
//! "Standard logging reference", "Log file fields", defines the fields.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::http1::{Exchange, Headers, Peer, Response, Tls};

const HEAD: &str = "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem \
    sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header \
    cs-protocol cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type \
    cs-protocol-version fle-status fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type \
    sc-content-type sc-content-len sc-range-start sc-range-end\n";

/// An access log file.
#[derive(Debug)]
pub struct AccessLog {
    file: Mutex<BufWriter<File>>,
    /// `cs(Host)`: the distribution's domain name, not the visitor's `Host`.
    domain: String,
}

impl AccessLog {
    /// Truncates the file.
    pub fn create(path: &Path, domain: &str) -> io::Result<Self> {
        let mut file = BufWriter::new(File::create(path)?);
        file.write_all(HEAD.as_bytes())?;
        file.flush()?;
        Ok(Self { file: Mutex::new(file), domain: domain.to_owned() })
    }

    /// Each line is written immediately, for readers that follow the file.
    pub fn write(&self, exchange: &Exchange<'_>, now: Timestamp) {
        let line = line(exchange, now, &self.domain);
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = file.write_all(line.as_bytes()).and_then(|()| file.flush()) {
            tracing::warn!(%error, "cannot write the access log");
        }
    }
}

fn line(exchange: &Exchange<'_>, now: Timestamp, domain: &str) -> String {
    let Exchange { peer, request, response, received, sent, first_byte, duration } = *exchange;
    let mut target = request.target.splitn(2, |byte| *byte == b'?');
    let (stem, query) = (target.next(), target.next());
    let result = result_type(response.headers.text("x-cache").as_deref());
    let range = response.headers.text("content-range").and_then(|range| bounds(&range));
    let (range_start, range_end) = range.unzip();
    let plain = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    let fields = [
        now.strftime("%Y-%m-%d").to_string(),
        now.strftime("%H:%M:%S").to_string(),
        plain(response.headers.text("x-amz-cf-pop")),
        sent.to_string(),
        peer.address.ip().to_canonical().to_string(),
        request.method.clone(),
        domain.to_owned(),
        stem.map(escaped).unwrap_or_default(),
        response.status.to_string(),
        header(&request.headers, "referer"),
        header(&request.headers, "user-agent"),
        query.filter(|query| !query.is_empty()).map_or_else(|| "-".to_owned(), escaped),
        header(&request.headers, "cookie"),
        result.to_owned(),
        plain(response.headers.text("x-amz-cf-id")),
        header(&request.headers, "host"),
        protocol(peer, response),
        received.to_string(),
        seconds(duration),
        header(&request.headers, "x-forwarded-for"),
        peer.tls.map_or("-", |tls| tls.protocol).to_owned(),
        peer.tls.map_or_else(|| "-".to_owned(), cipher),
        result.to_owned(),
        peer.version.to_string(),
        "-".to_owned(),
        "-".to_owned(),
        peer.address.port().to_string(),
        seconds(first_byte),
        detailed(response.headers.text("x-cache").as_deref(), result).to_owned(),
        header(&response.headers, "content-type"),
        plain(response.headers.text("content-length")),
        plain(range_start),
        plain(range_end),
    ];
    fields.join("\t") + "\n"
}

/// `ws` and `wss` after a WebSocket handshake.
fn protocol(peer: Peer, response: &Response) -> String {
    let scheme = peer.scheme();
    if response.status == 101 { scheme.replacen("http", "ws", 1) } else { scheme.to_owned() }
}

/// The result type, from `X-Cache`.
fn result_type(x_cache: Option<&str>) -> &'static str {
    match x_cache.and_then(|value| value.split(' ').next()) {
        Some("Hit") => "Hit",
        Some("RefreshHit") => "RefreshHit",
        Some("Miss") => "Miss",
        Some("Redirect") => "Redirect",
        Some("LambdaGeneratedResponse") => "LambdaGeneratedResponse",
        _ => "Error",
    }
}

/// The detailed result type of a function's error.
fn detailed(x_cache: Option<&str>, result: &'static str) -> &'static str {
    match x_cache.and_then(|value| value.split(' ').next()) {
        Some("LambdaExecutionError") => "LambdaExecutionError",
        Some("LambdaValidationError") => "LambdaValidationError",
        Some("LambdaLimitExceeded") => "LambdaLimitExceeded",
        _ => result,
    }
}

fn header(headers: &Headers, name: &str) -> String {
    let values: Vec<_> = headers.all(name).collect();
    if values.is_empty() { "-".to_owned() } else { escaped(&values.join(b", ".as_slice())) }
}

/// Escapes the characters that the page lists: controls, space, non-ASCII and some punctuation, `%`
/// included.
fn escaped(value: &[u8]) -> String {
    let mut text = String::with_capacity(value.len());
    for &byte in value {
        if byte <= b' ' || byte >= 0x7f || b"<>\"#%{}|\\^~[]`'".contains(&byte) {
            let _ = write!(text, "%{byte:02X}");
        } else {
            text.push(byte.into());
        }
    }
    text
}

/// OpenSSL's names, which the log uses.
fn cipher(tls: Tls) -> String {
    let Some(name) = tls.cipher.strip_prefix("TLS13_") else {
        let name = tls.cipher.trim_start_matches("TLS_").replace("_WITH", "");
        return name.replace("AES_", "AES").replace("_POLY1305_SHA256", "_POLY1305").replace('_', "-");
    };
    format!("TLS_{name}")
}

/// `bytes 0-99/1000`
fn bounds(range: &str) -> Option<(String, String)> {
    let (start, end) = range.strip_prefix("bytes ")?.split('/').next()?.split_once('-')?;
    Some((start.to_owned(), end.to_owned()))
}

fn seconds(duration: Duration) -> String {
    format!("{:.3}", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::http1::{Request, Version};

    fn line_of(request: &Request, response: &Response, tls: Option<Tls>) -> String {
        let peer = Peer { address: ([192, 0, 2, 10], 51_234).into(), version: Version::Http2, tls };
        let exchange = Exchange {
            peer,
            request,
            response,
            received: 123,
            sent: 4_567,
            first_byte: Duration::from_micros(1_900),
            duration: Duration::from_micros(2_345),
        };
        line(&exchange, Timestamp::UNIX_EPOCH, "d111111abcdef8.cloudfront.net")
    }

    fn aligned(line: &str) -> String {
        let names = HEAD.lines().nth(1).unwrap().split(' ').skip(1);
        let fields: Vec<_> = line.trim_end_matches('\n').split('\t').collect();
        assert_eq!(fields.len(), 33);
        names.zip(fields).map(|(name, field)| format!("{name}: {field}")).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn line_has_all_fields_in_order() {
        let request = Request::new("GET", "/a b<script>?q=%27&r='x'", "shop.example.com")
            .header("User-Agent", b"Mozilla/5.0 (X11; \xe9)")
            .header("Cookie", "a=1; b=[2]");
        let response = Response::new(206)
            .header("X-Cache", "Hit from cloudfront")
            .header("X-Amz-Cf-Id", "Zm9vYmFy==")
            .header("X-Amz-Cf-Pop", "FRA56-P1")
            .header("Content-Type", "text/html; charset=utf-8")
            .header("Content-Length", "100")
            .header("Content-Range", "bytes 0-99/1000");
        let tls = Tls { protocol: "TLSv1.3", cipher: "TLS13_AES_128_GCM_SHA256" };
        assert_snapshot!(aligned(&line_of(&request, &response, Some(tls))));
    }

    #[test]
    fn failed_function_is_logged_as_an_error_with_its_detail() {
        let request = Request::new("GET", "/", "a.example");
        let response = Response::new(503).header("X-Cache", "LambdaExecutionError from cloudfront");
        let fields = line_of(&request, &response, None);
        let fields: Vec<_> = fields.split('\t').collect();
        assert_eq!((fields[13], fields[28], fields[11]), ("Error", "LambdaExecutionError", "-"));
    }

    #[test]
    fn websocket_is_logged_with_its_own_protocol() {
        let request = Request::new("GET", "/chat", "a.example");
        let tls = Tls { protocol: "TLSv1.3", cipher: "TLS13_AES_128_GCM_SHA256" };
        for (tls, protocol) in [(None, "ws"), (Some(tls), "wss")] {
            let line = line_of(&request, &Response::new(101), tls);
            assert_eq!(line.split('\t').nth(16).unwrap(), protocol);
        }
    }

    #[test]
    fn ciphers_are_named_as_in_the_log() {
        let named = |cipher| super::cipher(Tls { protocol: "TLSv1.2", cipher });
        assert_eq!(named("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"), "ECDHE-RSA-AES128-GCM-SHA256");
        assert_eq!(named("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"), "ECDHE-ECDSA-CHACHA20-POLY1305");
    }
}
