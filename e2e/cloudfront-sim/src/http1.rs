//! A byte-exact HTTP/1.1 server and client.
//!
//! Attack tools and browsers send targets that URI types reject (raw `<`, `` ` ``, ISO-8859-1). A
//! simulator that normalized or rejected them would hide the requests it exists for, so targets,
//! header names and values keep their bytes, order and case.
//!
//! The same server accepts HTTP/2 and TLS; requests that break HTTP/2's rules have to use HTTP/1.1.
//!
//! A message has its complete body, or a [`Body`] that is read while it arrives.

mod body;
mod buffered;
mod client;
mod connection;
mod framing;
mod head;
mod http2;
mod peer;
mod receive;
mod respond;
mod server;
mod stream;
#[cfg(test)]
mod tests;
mod tunnel;

pub use body::{Body, BodyError};
pub use client::{Client, ClientError};
pub use peer::{Exchange, Observer, Peer, Tls, Version};
pub use server::{Limits, Options, Server};

pub(crate) use body::Tap;

/// A request; by default with its complete, un-chunked body.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Request<B = Vec<u8>> {
    pub method: String,
    /// The bytes of the request target in the request line.
    pub target: Vec<u8>,
    pub headers: Headers,
    pub body: B,
}

/// A response; by default with its complete, un-chunked body.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Response<B = Vec<u8>> {
    pub status: u16,
    pub reason: String,
    pub headers: Headers,
    pub body: B,
}

/// Header fields in their original order and case; a name may occur more than once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Headers(pub Vec<(Vec<u8>, Vec<u8>)>);

impl Request {
    /// A request with a `Host`, as every request to a server needs one.
    pub fn new(method: &str, target: impl Into<Vec<u8>>, host: &str) -> Self {
        let headers = Headers::default().with("Host", host);
        Self { method: method.to_owned(), target: target.into(), headers, body: Vec::new() }
    }

    #[must_use]
    pub fn header(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        self.headers.push(name, value);
        self
    }

    #[must_use]
    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }
}

impl<B> Request<B> {
    /// The same head with another body.
    pub(crate) fn with<C>(self, body: C) -> Request<C> {
        let Self { method, target, headers, .. } = self;
        Request { method, target, headers, body }
    }
}

impl<B> Response<B> {
    /// The same head with another body.
    pub(crate) fn with<C>(self, body: C) -> Response<C> {
        let Self { status, reason, headers, .. } = self;
        Response { status, reason, headers, body }
    }
}

impl From<Response> for Response<Body> {
    fn from(mut complete: Response) -> Self {
        let body = std::mem::take(&mut complete.body).into();
        complete.with(body)
    }
}

impl Response {
    pub fn new(status: u16) -> Self {
        Self { status, reason: reason_phrase(status).to_owned(), ..Self::default() }
    }

    pub fn text(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::new(status).header("Content-Type", "text/plain; charset=utf-8").with_body(body)
    }

    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::new(status).header("Content-Type", "application/json").with_body(body.to_string())
    }

    #[must_use]
    pub fn header(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        self.headers.push(name, value);
        self
    }

    #[must_use]
    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// The body as text, for display and assertions; bytes that are not UTF-8 become `U+FFFD`.
    pub fn body_text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Headers {
    pub fn push(&mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) {
        self.0.push((name.as_ref().to_vec(), value.as_ref().to_vec()));
    }

    #[must_use]
    pub fn with(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        self.push(name, value);
        self
    }

    /// Every value of this name, in order.
    pub fn all<'a, 'n>(&'a self, name: &'n str) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        let named = move |(n, _): &&(Vec<u8>, Vec<u8>)| n.eq_ignore_ascii_case(name.as_bytes());
        self.0.iter().filter(named).map(|(_, value)| value.as_slice())
    }

    /// The first value of this name.
    pub fn first(&self, name: &str) -> Option<&[u8]> {
        self.all(name).next()
    }

    /// The first value of this name as text, for comparing and printing.
    pub fn text(&self, name: &str) -> Option<String> {
        self.first(name).map(|value| String::from_utf8_lossy(value).into_owned())
    }

    pub fn has(&self, name: &str) -> bool {
        self.first(name).is_some()
    }

    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(n, _)| !n.eq_ignore_ascii_case(name.as_bytes()));
    }

    /// Replaces all fields of this name by one, in the position of the first, or appends it.
    pub fn set(&mut self, name: &str, value: impl AsRef<[u8]>) {
        let position = self.0.iter().position(|(n, _)| n.eq_ignore_ascii_case(name.as_bytes()));
        self.remove(name);
        let field = (name.as_bytes().to_vec(), value.as_ref().to_vec());
        self.0.insert(position.unwrap_or(self.0.len()), field);
    }

    /// Whether a comma-separated header such as `Connection` names this token.
    pub(crate) fn lists(&self, name: &str, token: &str) -> bool {
        let is_token = |part: &[u8]| part.trim_ascii().eq_ignore_ascii_case(token.as_bytes());
        self.all(name).any(|value| value.split(|byte| *byte == b',').any(is_token))
    }
}

/// The reason phrase of a status code. Empty for unregistered codes.
pub fn reason_phrase(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        101 => "Switching Protocols",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        413 => "Content Too Large",
        414 => "URI Too Long",
        418 => "I'm a teapot",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}
