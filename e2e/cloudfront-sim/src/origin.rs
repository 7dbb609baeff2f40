//! A sample origin that records its requests.
//!
//! `/status/NNN` responds with that status, `/echo` with the request as JSON, all other paths with
//! a greeting.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::http1::{Headers, Limits, Request, Response, Server};

pub const GREETING: &str = "hello from the origin\n";

const REMEMBERED: usize = 1_000;

#[derive(Debug)]
pub struct Origin {
    server: Server,
    recorded: Arc<Mutex<VecDeque<Received>>>,
}

/// A request, byte for byte.
#[derive(Debug, Clone)]
pub struct Received {
    pub at: Instant,
    pub method: String,
    pub target: Vec<u8>,
    pub headers: Headers,
    pub body: Vec<u8>,
}

impl Origin {
    pub fn start(listener: TcpListener) -> io::Result<Self> {
        Self::answering(listener, |request| std::future::ready(answer(&request)))
    }

    /// Responds with `answer` instead, and records as well.
    pub fn answering<F>(
        listener: TcpListener,
        answer: impl Fn(Request) -> F + Send + Sync + 'static,
    ) -> io::Result<Self>
    where
        F: Future<Output = Response> + Send + 'static,
    {
        let recorded = Arc::new(Mutex::new(VecDeque::new()));
        let record = Arc::clone(&recorded);
        let server = Server::start(listener, Limits::default(), move |request, _| {
            remember(&record, request.clone());
            answer(request)
        })?;
        Ok(Self { server, recorded })
    }

    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The last thousand requests, oldest first.
    pub fn recorded(&self) -> Vec<Received> {
        self.recorded.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Clears the recorded requests.
    pub fn forget(&self) {
        self.recorded.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

fn remember(record: &Mutex<VecDeque<Received>>, request: Request) {
    let Request { method, target, headers, body } = request;
    let mut record = record.lock().unwrap_or_else(PoisonError::into_inner);
    if record.len() == REMEMBERED {
        record.pop_front();
    }
    record.push_back(Received { at: Instant::now(), method, target, headers, body });
}

fn answer(request: &Request) -> Response {
    let path = request.target.split(|byte| *byte == b'?').next().unwrap_or_default();
    if path == b"/echo" {
        return Response::json(200, &echo(request));
    }
    match path.strip_prefix(b"/status/").and_then(status) {
        Some(status) => Response::text(status, format!("status {status}\n")),
        None => Response::text(200, GREETING),
    }
}

fn status(digits: &[u8]) -> Option<u16> {
    std::str::from_utf8(digits).ok()?.parse().ok().filter(|status| (200..600).contains(status))
}

fn echo(request: &Request) -> Value {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers: Vec<_> = request.headers.0.iter().map(|(name, value)| [text(name), text(value)]).collect();
    json!({
        "method": request.method,
        "target": text(&request.target),
        "headers": headers,
        "body": text(&request.body),
        "body_base64": BASE64_STANDARD.encode(&request.body),
    })
}
