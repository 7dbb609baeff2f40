//! The peer of a connection, and finished exchanges.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::{Request, Response};

/// The other end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    pub address: SocketAddr,
    pub version: Version,
    /// `None` on a plain connection.
    pub tls: Option<Tls>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    Http1_0,
    Http1_1,
    Http2,
}

/// The negotiated parameters, in rustls' names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tls {
    pub protocol: &'static str,
    pub cipher: &'static str,
}

/// A request and its response, for logs and counters.
#[derive(Debug, Clone, Copy)]
pub struct Exchange<'a> {
    pub peer: Peer,
    /// Without its body.
    pub request: &'a Request,
    /// Without its body.
    pub response: &'a Response,
    /// Including the heads; over HTTP/2 their uncompressed size.
    pub received: usize,
    pub sent: usize,
    pub first_byte: Duration,
    pub duration: Duration,
}

/// Called for each exchange after its response was sent.
pub type Observer = Arc<dyn Fn(&Exchange<'_>) + Send + Sync>;

impl Peer {
    /// `http` or `https`.
    pub fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }
}

/// As written in a request line.
impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http1_0 => "HTTP/1.0",
            Self::Http1_1 => "HTTP/1.1",
            Self::Http2 => "HTTP/2.0",
        })
    }
}
