//! The fields of access logs, and the records of each format.
//!
//! "Standard logging reference", "Log file fields", and "Real-time access logs", "Fields", define the
//! fields.

use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;

use crate::cloudfront::DistributionConfig;
use crate::http1::{Exchange, Headers, Peer, Response, Tls};

/// The format of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Standard logs, W3C: tab-separated, with a header.
    Standard,
    /// Standard logs (v2), JSON: an object per line.
    V2Json,
    /// Real-time logs: tab-separated, without a header.
    RealTime,
}

const STANDARD: &str = "date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) \
    cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header \
    cs-protocol cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher \
    x-edge-response-result-type cs-protocol-version fle-status fle-encrypted-fields c-port \
    time-to-first-byte x-edge-detailed-result-type sc-content-type sc-content-len sc-range-start \
    sc-range-end";

/// In addition to those of standard logs.
const V2: &str = "timestamp(ms) DistributionId c-country asn cache-behavior-path-pattern";

/// The fields of real-time logs, in CloudFront's order.
pub const REAL_TIME: &str = "timestamp c-ip time-to-first-byte sc-status sc-bytes cs-method cs-protocol cs-host cs-uri-stem \
    cs-bytes x-edge-location x-edge-request-id x-host-header time-taken cs-protocol-version \
    cs-user-agent cs-referer cs-cookie cs-uri-query x-edge-response-result-type x-forwarded-for \
    ssl-protocol ssl-cipher x-edge-result-type sc-content-type sc-content-len c-port \
    x-edge-detailed-result-type c-country cache-behavior-path-pattern cs-headers \
    primary-distribution-id asn";

/// "This field is truncated to 800 bytes", of cookies and headers in real-time logs.
const TRUNCATED: usize = 800;

impl LogFormat {
    pub const ALL: [Self; 3] = [Self::Standard, Self::V2Json, Self::RealTime];

    /// The name of a file of this format.
    pub fn file_name(self, distribution_id: &str) -> String {
        match self {
            Self::Standard => format!("{distribution_id}.standard.log"),
            Self::V2Json => format!("{distribution_id}.v2.json"),
            Self::RealTime => format!("{distribution_id}.real-time.log"),
        }
    }

    /// The lines at the start of a file.
    pub(super) fn header(self) -> String {
        match self {
            Self::Standard => format!("#Version: 1.0\n#Fields: {STANDARD}\n"),
            Self::V2Json | Self::RealTime => String::new(),
        }
    }

    /// The line of an exchange.
    pub(super) fn line(self, logged: &Logged<'_>) -> String {
        let line = match self {
            Self::Standard => logged.separated(STANDARD),
            Self::RealTime => Logged { is_real_time: true, ..*logged }.separated(REAL_TIME),
            Self::V2Json => {
                let member = |name: &str| {
                    format!("{}:{}", serde_json::json!(name), serde_json::json!(logged.value(name)))
                };
                format!(
                    "{{{}}}",
                    STANDARD.split(' ').chain(V2.split(' ')).map(member).collect::<Vec<_>>().join(",")
                )
            }
        };
        line + "\n"
    }
}

/// An exchange of a distribution.
#[derive(Clone, Copy)]
pub(super) struct Logged<'e> {
    pub(super) exchange: &'e Exchange<'e>,
    pub(super) now: Timestamp,
    pub(super) distribution: &'e DistributionConfig,
    /// Fields of the same name differ in real-time logs.
    pub(super) is_real_time: bool,
}

impl Logged<'_> {
    fn separated(&self, fields: &str) -> String {
        fields.split(' ').map(|name| self.value(name)).collect::<Vec<_>>().join("\t")
    }

    /// The value of a field, encoded.
    fn value(&self, name: &str) -> String {
        let Exchange { peer, request, response, received, sent, first_byte, duration } = *self.exchange;
        let plain = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        let x_cache = response.headers.text("x-cache");
        let result = result_type(x_cache.as_deref());
        let range = || response.headers.text("content-range").and_then(|range| bounds(&range));
        match name {
            "date" => self.now.strftime("%Y-%m-%d").to_string(),
            "time" => self.now.strftime("%H:%M:%S").to_string(),
            "timestamp" => format!("{}.{:03}", self.now.as_second(), self.now.subsec_millisecond()),
            "timestamp(ms)" => self.now.as_millisecond().to_string(),
            "x-edge-location" => plain(response.headers.text("x-amz-cf-pop")),
            "sc-bytes" => sent.to_string(),
            "c-ip" => peer.address.ip().to_canonical().to_string(),
            "c-port" => peer.address.port().to_string(),
            "cs-method" => request.method.clone(),
            "sc-status" => response.status.to_string(),
            "cs(Referer)" | "cs-referer" => header(&request.headers, "referer"),
            "cs(User-Agent)" | "cs-user-agent" => header(&request.headers, "user-agent"),
            "cs(Cookie)" => header(&request.headers, "cookie"),
            "cs-cookie" => truncated(header(&request.headers, "cookie")),
            "cs-headers" => truncated(all_headers(&request.headers)),
            "x-forwarded-for" => header(&request.headers, "x-forwarded-for"),
            "cs-uri-stem" | "cs-uri-query" => self.target(name),
            "x-edge-result-type" | "x-edge-response-result-type" => result.to_owned(),
            "x-edge-detailed-result-type" => detailed(x_cache.as_deref(), result).to_owned(),
            "x-edge-request-id" => plain(response.headers.text("x-amz-cf-id")),
            "cs-protocol" => protocol(peer, response),
            "cs-protocol-version" => peer.version.to_string(),
            "cs-bytes" => received.to_string(),
            "time-taken" => seconds(duration),
            "time-to-first-byte" => seconds(first_byte),
            "ssl-protocol" => peer.tls.map_or("-", |tls| tls.protocol).to_owned(),
            "ssl-cipher" => peer.tls.map_or_else(|| "-".to_owned(), cipher),
            "sc-content-type" => header(&response.headers, "content-type"),
            "sc-content-len" => plain(response.headers.text("content-length")),
            "sc-range-start" => plain(range().map(|(start, _)| start)),
            "sc-range-end" => plain(range().map(|(_, end)| end)),
            _ => self.of_distribution(name),
        }
    }

    fn of_distribution(&self, name: &str) -> String {
        match (name, self.is_real_time) {
            ("cs-host", _) | ("x-host-header", false) => header(&self.exchange.request.headers, "host"),
            // The distribution's domain name, not the visitor's `Host`.
            ("cs(Host)", _) | ("x-host-header", true) => self.distribution.domain_name.clone(),
            ("DistributionId" | "primary-distribution-id", _) => self.distribution.distribution_id.clone(),
            ("cache-behavior-path-pattern", _) => {
                let path = self.exchange.request.target.split(|byte| *byte == b'?').next();
                let path = String::from_utf8_lossy(path.unwrap_or_default());
                escaped(self.distribution.path_pattern(&path).as_bytes())
            }
            // Neither field-level encryption nor the location of visitors is simulated.
            _ => "-".to_owned(),
        }
    }

    /// The path and the query; in real-time logs the stem has both.
    fn target(&self, name: &str) -> String {
        let target = &self.exchange.request.target;
        let mut parts = target.splitn(2, |byte| *byte == b'?');
        let (stem, query) = (parts.next().unwrap_or_default(), parts.next());
        match (name, self.is_real_time) {
            ("cs-uri-stem", true) => escaped(target),
            ("cs-uri-stem", false) => escaped(stem),
            _ => query.filter(|query| !query.is_empty()).map_or_else(|| "-".to_owned(), escaped),
        }
    }
}

fn truncated(mut value: String) -> String {
    value.truncate(value.floor_char_boundary(TRUNCATED));
    value
}

/// `Name:value` lines, encoded.
fn all_headers(headers: &Headers) -> String {
    let lines = headers.0.iter().map(|(name, value)| [name.as_slice(), b":", value, b"\n"].concat());
    escaped(&lines.collect::<Vec<_>>().concat())
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
        line_in(LogFormat::Standard, request, response, tls)
    }

    fn line_in(format: LogFormat, request: &Request, response: &Response, tls: Option<Tls>) -> String {
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
        let distribution = &DistributionConfig::new(([127, 0, 0, 1], 1).into());
        let (exchange, now) = (&exchange, Timestamp::UNIX_EPOCH);
        format.line(&Logged { exchange, now, distribution, is_real_time: false })
    }

    fn aligned(line: &str) -> String {
        let fields: Vec<_> = line.trim_end_matches('\n').split('\t').collect();
        assert_eq!(fields.len(), 33);
        let named = STANDARD.split(' ').zip(fields).map(|(name, field)| format!("{name}: {field}"));
        named.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn formats_name_and_encode_the_same_request_as_documented() {
        let request =
            Request::new("GET", "/a%20b/<x>?q=%27%2520", "shop.example.com").header("Cookie", "a=1");
        let response =
            Response::new(200).header("X-Cache", "Hit from cloudfront").header("X-Amz-Cf-Id", "a==");
        let lines = LogFormat::ALL.map(|format| line_in(format, &request, &response, None));
        assert_snapshot!(lines.concat());
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
