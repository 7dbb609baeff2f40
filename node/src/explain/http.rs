//! Requests from a saved HTTP/1.1 message, or from flags as for curl.
//!
//! `httparse` does not fit: it rejects spaces in the target, which attacks contain.

use shared::{Body, Delivery, InspectRequest};
use std::net::{IpAddr, Ipv4Addr};

/// Why the input is not a request.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    #[error("line 1 is not a request line such as `GET /path HTTP/1.1`")]
    NoRequestLine,
    #[error("line {0} is not a header such as `name: value`")]
    NoHeader(usize),
    #[error("header {0:?} has no colon")]
    NoColon(String),
    #[error("the URL has no host")]
    NoHost,
}

/// A request described by command line flags.
#[derive(Debug, Default)]
pub struct Flags<'f> {
    pub url: &'f str,
    pub method: Option<&'f str>,
    /// `name: value`
    pub headers: &'f [String],
    pub data: Option<Vec<u8>>,
}

/// Parses a message: line breaks may be bare, the body is everything after the blank line.
pub fn parse(message: &[u8]) -> Result<InspectRequest, HttpError> {
    let (head, body) = split_head(message);
    let head = text(head);
    let mut lines = head.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    let (method, target) = lines.next().and_then(request_line).ok_or(HttpError::NoRequestLine)?;
    let header = |(number, line): (usize, &str)| split_header(line).ok_or(HttpError::NoHeader(number + 2));
    let headers: Vec<_> = lines.enumerate().map(header).collect::<Result<_, _>>()?;
    let (host, target) = match target.split_once("://") {
        Some((_, rest)) if !target.starts_with('/') => split_host(rest),
        _ => ("", target),
    };
    let body = match value_of(&headers, "transfer-encoding") {
        Some(coding) if coding.to_ascii_lowercase().contains("chunked") => dechunked(body),
        _ => body.to_vec(),
    };
    Ok(request(method, host, target, headers, body))
}

/// Builds the request that curl would send.
pub fn from_flags(flags: Flags<'_>) -> Result<InspectRequest, HttpError> {
    let url = flags.url.split_once("://").map_or(flags.url, |(_, rest)| rest);
    let url = url.split('#').next().unwrap_or_default();
    let (host, target) = split_host(url);
    if host.is_empty() {
        return Err(HttpError::NoHost);
    }
    let header = |line: &String| split_header(line).ok_or_else(|| HttpError::NoColon(line.clone()));
    let mut headers: Vec<_> = flags.headers.iter().map(header).collect::<Result<_, _>>()?;
    if flags.data.is_some() && value_of(&headers, "content-type").is_none() {
        headers.push(("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()));
    }
    let method = flags.method.unwrap_or(if flags.data.is_some() { "POST" } else { "GET" });
    Ok(request(method, host, target, headers, flags.data.unwrap_or_default()))
}

fn request(
    method: &str,
    host: &str,
    target: &str,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
) -> InspectRequest {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let host = if host.is_empty() { value_of(&headers, "host").unwrap_or_default() } else { host };
    InspectRequest {
        request_id: None,
        connector: None,
        delivery: Delivery::Inline,
        client_ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
        method: method.to_owned(),
        scheme: None,
        http_version: None,
        host: host.to_owned(),
        path: if path.is_empty() { "/".to_owned() } else { path.to_owned() },
        query: query.to_owned(),
        body: (!body.is_empty()).then_some(Body(body)),
        body_truncated: false,
        unseen_body: None,
        not_inspected: Vec::new(),
        headers,
    }
}

/// The method and the target; a target may contain spaces, as attacks do.
fn request_line(line: &str) -> Option<(&str, &str)> {
    let (method, rest) = line.split_once(' ')?;
    let target = match rest.rsplit_once(' ') {
        Some((target, version)) if version.starts_with("HTTP/") => target,
        _ => rest,
    };
    (!method.is_empty() && !target.is_empty()).then_some((method, target))
}

fn split_head(message: &[u8]) -> (&[u8], &[u8]) {
    let breaks = message.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at);
    for at in breaks {
        let rest = &message[at + 1..];
        if let Some(body) = rest.strip_prefix(b"\r\n").or(rest.strip_prefix(b"\n")) {
            return (message[..at].trim_ascii_end(), body);
        }
    }
    (message.trim_ascii_end(), &[])
}

/// Splits `host/path?query`, without the user and the password.
fn split_host(rest: &str) -> (&str, &str) {
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, target) = rest.split_at(end);
    (authority.rsplit_once('@').map_or(authority, |(_, host)| host), target)
}

fn split_header(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once(':')?;
    Some((name.to_owned(), value.trim().to_owned()))
}

fn value_of<'h>(headers: &'h [(String, String)], wanted: &str) -> Option<&'h str> {
    headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.as_str())
}

/// The content of the chunks, up to a malformed one.
fn dechunked(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = body;
    while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
        let size = text(&rest[..end]);
        let size = size.split(';').next().unwrap_or_default().trim();
        rest = &rest[end + 1..];
        match usize::from_str_radix(size, 16) {
            Ok(size) if size > 0 => {
                let size = size.min(rest.len());
                out.extend_from_slice(&rest[..size]);
                rest = &rest[size..];
                rest = rest.strip_prefix(b"\r\n").or(rest.strip_prefix(b"\n")).unwrap_or(rest);
            }
            _ => break,
        }
    }
    out
}

/// Decodes UTF-8, or else ISO-8859-1, as CloudFront does.
fn text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|&byte| char::from(byte)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(request: &InspectRequest) -> &[u8] {
        request.body.as_ref().map_or(&[], |body| &body.0)
    }

    #[test]
    fn parses_a_message_with_either_line_break() {
        for message in [
            "POST /a?x=1 HTTP/1.1\r\nHost: h:1\r\nX-Y:  z \r\n\r\nb\n\nc",
            "POST /a?x=1\nhost:h:1\nx-y:z\n\nb\n\nc",
        ] {
            let request = parse(message.as_bytes()).unwrap();
            assert_eq!((request.method.as_str(), request.host.as_str()), ("POST", "h:1"));
            assert_eq!((request.path.as_str(), request.query.as_str()), ("/a", "x=1"));
            assert_eq!(request.headers[1].1, "z");
            assert_eq!(body(&request), b"b\n\nc");
        }
    }

    #[test]
    fn joins_chunks_and_splits_absolute_targets() {
        let message = "POST http://u@h/p HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
        let request = parse(message.as_bytes()).unwrap();
        assert_eq!((request.host.as_str(), request.path.as_str()), ("h", "/p"));
        assert_eq!(body(&request), b"abcde");
    }

    #[test]
    fn reports_a_malformed_message_with_its_line() {
        assert_eq!(parse(b""), Err(HttpError::NoRequestLine));
        assert_eq!(parse(b"GET\n\n"), Err(HttpError::NoRequestLine));
        assert_eq!(parse(b"GET / HTTP/1.1\na: b\nnothing\n\n"), Err(HttpError::NoHeader(3)));
    }

    #[test]
    fn flags_have_the_meaning_of_curl() {
        let headers = ["X-A: b".to_owned()];
        let flags =
            Flags { url: "http://h?x=1#f", headers: &headers, data: Some(b"a=1".to_vec()), method: None };
        let request = from_flags(flags).unwrap();
        assert_eq!(
            (request.method.as_str(), request.path.as_str(), request.query.as_str()),
            ("POST", "/", "x=1")
        );
        assert_eq!(request.headers[1].1, "application/x-www-form-urlencoded");
        assert_eq!(from_flags(Flags { url: "http:///x", ..Flags::default() }), Err(HttpError::NoHost));
        let headers = ["colonless".to_owned()];
        let error = from_flags(Flags { url: "h", headers: &headers, ..Flags::default() }).unwrap_err();
        assert_eq!(error, HttpError::NoColon("colonless".to_owned()));
    }
}
