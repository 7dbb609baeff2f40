//! Parsing and writing of message heads.

use super::{Headers, Request, Response, Version};

const MAX_HEADERS: usize = 256;

/// A malformed head; determines the status of the response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum HeadError {
    #[error("the first line is not HTTP")]
    FirstLine,
    #[error("the HTTP version is not 1.0 or 1.1")]
    Version,
    #[error("a header is malformed")]
    Header,
    #[error("more than {MAX_HEADERS} headers")]
    TooMany,
}

impl HeadError {
    pub(super) fn status(self) -> u16 {
        match self {
            Self::FirstLine | Self::Header => 400,
            Self::Version => 505,
            Self::TooMany => 431,
        }
    }
}

/// The head of a request, and whether its version keeps the connection alive.
pub(super) struct RequestHead {
    pub(super) request: Request<()>,
    pub(super) keep_alive: bool,
    pub(super) version: Version,
}

// The first line is parsed here: httparse requires UTF-8 targets, and attack tools send other
// bytes.
pub(super) fn parse_request(head: &[u8]) -> Result<RequestHead, HeadError> {
    let (line, rest) = split_line(head);
    let mut words = line.split(|byte| *byte == b' ');
    let (Some(method), Some(target), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(HeadError::FirstLine);
    };
    let version = parse_version(version)?;
    if !is_token(method) || !is_target(target) {
        return Err(HeadError::FirstLine);
    }
    let headers = parse_headers(rest)?;
    let keep_alive = match version {
        Version::Http1_0 => headers.lists("connection", "keep-alive"),
        _ => !headers.lists("connection", "close"),
    };
    let method = String::from_utf8_lossy(method).into_owned();
    Ok(RequestHead {
        request: Request { method, target: target.to_vec(), headers, body: () },
        keep_alive,
        version,
    })
}

/// A response without its body, and whether the connection may be used again.
pub(super) fn parse_response(head: &[u8]) -> Result<(Response<()>, bool), HeadError> {
    let (line, rest) = split_line(head);
    let mut words = line.splitn(3, |byte| *byte == b' ');
    let version = parse_version(words.next().unwrap_or_default())?;
    let status = words.next().and_then(parse_status).ok_or(HeadError::FirstLine)?;
    let reason = String::from_utf8_lossy(words.next().unwrap_or_default()).into_owned();
    let headers = parse_headers(rest)?;
    let keep_alive = version == Version::Http1_1 && !headers.lists("connection", "close");
    Ok((Response { status, reason, headers, body: () }, keep_alive))
}

/// The head, with room for this many bytes of a body.
pub(super) fn write_request<B>(request: &Request<B>, room: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(512 + room);
    bytes.extend_from_slice(request.method.as_bytes());
    bytes.push(b' ');
    bytes.extend_from_slice(&request.target);
    bytes.extend_from_slice(b" HTTP/1.1\r\n");
    write_headers(&request.headers, &mut bytes);
    bytes
}

pub(super) fn write_response<B>(response: &Response<B>) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {} {}\r\n", response.status, response.reason).into_bytes();
    write_headers(&response.headers, &mut bytes);
    bytes
}

fn write_headers(headers: &Headers, bytes: &mut Vec<u8>) {
    for (name, value) in &headers.0 {
        bytes.extend_from_slice(name);
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
}

fn split_line(head: &[u8]) -> (&[u8], &[u8]) {
    let end = head.iter().position(|byte| *byte == b'\n').map_or(head.len(), |at| at + 1);
    let (line, rest) = head.split_at(end);
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    (line.strip_suffix(b"\r").unwrap_or(line), rest)
}

fn parse_version(version: &[u8]) -> Result<Version, HeadError> {
    match version {
        b"HTTP/1.1" => Ok(Version::Http1_1),
        b"HTTP/1.0" => Ok(Version::Http1_0),
        _ if version.starts_with(b"HTTP/") => Err(HeadError::Version),
        _ => Err(HeadError::FirstLine),
    }
}

fn parse_status(digits: &[u8]) -> Option<u16> {
    let digits = std::str::from_utf8(digits).ok().filter(|digits| digits.len() == 3)?;
    digits.parse().ok().filter(|status| *status >= 100)
}

fn parse_headers(bytes: &[u8]) -> Result<Headers, HeadError> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_HEADERS];
    match httparse::parse_headers(bytes, &mut fields) {
        Ok(httparse::Status::Complete((_, fields))) => {
            let copy = |field: &httparse::Header| (field.name.as_bytes().to_vec(), field.value.to_vec());
            Ok(Headers(fields.iter().map(copy).collect()))
        }
        Err(httparse::Error::TooManyHeaders) => Err(HeadError::TooMany),
        _ => Err(HeadError::Header),
    }
}

fn is_token(bytes: &[u8]) -> bool {
    let ok = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !bytes.is_empty() && bytes.iter().all(ok)
}

fn is_target(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|byte| *byte > b' ' && *byte != 0x7f)
}
