use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use super::body::{self, BodyError, Framing};
use super::buffered::{Buffered, HeadEnd};
use super::head::{self, RequestHead};
use super::{Request, Response};

/// What a server takes from one connection.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of a request line with its headers.
    pub head: usize,
    pub body: usize,
    /// How long a connection may stay open without a new request.
    pub idle: Duration,
    /// How long a request may take to arrive.
    pub read: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: 64 * 1024,
            body: 20 * 1024 * 1024,
            idle: Duration::from_mins(1),
            read: Duration::from_secs(30),
        }
    }
}

/// A running server. Dropping it closes the listener and every connection.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Answers every request with what the handler makes of it; one task per connection, requests in order.
    pub fn start<H, F>(listener: TcpListener, limits: Limits, handler: H) -> io::Result<Self>
    where
        H: Fn(Request, SocketAddr) -> F + Send + Sync + 'static,
        F: Future<Output = Response> + Send + 'static,
    {
        let address = listener.local_addr()?;
        let accepting = tokio::spawn(accept(listener, limits, Arc::new(handler)));
        Ok(Self { address, accepting })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept<H, F>(listener: TcpListener, limits: Limits, handler: Arc<H>)
where
    H: Fn(Request, SocketAddr) -> F + Send + Sync + 'static,
    F: Future<Output = Response> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let handler = Arc::clone(&handler);
                connections.spawn(async move { converse(stream, peer, limits, &*handler).await });
            }
            // Out of file descriptors, most likely: some will come back.
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn converse<H, F>(stream: TcpStream, peer: SocketAddr, limits: Limits, handler: &H)
where
    H: Fn(Request, SocketAddr) -> F,
    F: Future<Output = Response>,
{
    // A refused option costs latency, nothing else.
    let _ = stream.set_nodelay(true);
    let mut connection = Buffered::new(stream);
    loop {
        match receive(&mut connection, limits).await {
            Received::Request(RequestHead { request, keep_alive }) => {
                let to_head = request.method == "HEAD";
                let response = handler(request, peer).await;
                let sent = respond(&mut connection, response, to_head, keep_alive).await;
                if sent.is_err() || !keep_alive {
                    return;
                }
            }
            Received::Refused(status, why) => {
                let response = Response::text(status, format!("{why}\n"));
                if respond(&mut connection, response, false, false).await.is_ok() {
                    linger(&mut connection).await;
                }
                return;
            }
            Received::Nothing => return,
        }
    }
}

enum Received {
    Request(RequestHead),
    Refused(u16, String),
    Nothing,
}

async fn receive(connection: &mut Buffered, limits: Limits) -> Received {
    if connection.is_empty() && !matches!(timeout(limits.idle, connection.fill()).await, Ok(Ok(1..))) {
        return Received::Nothing;
    }
    match timeout(limits.read, receive_now(connection, limits)).await {
        Ok(received) => received,
        Err(_) => Received::Refused(408, "the request took too long to arrive".into()),
    }
}

async fn receive_now(connection: &mut Buffered, limits: Limits) -> Received {
    let head = match connection.head(limits.head).await {
        Ok(HeadEnd::At(head)) => head,
        Ok(HeadEnd::TooLong { line_ended: true }) => {
            return Received::Refused(431, "the headers are too large".into());
        }
        Ok(HeadEnd::TooLong { line_ended: false }) => {
            return Received::Refused(414, "the request line is too long".into());
        }
        Ok(HeadEnd::Closed | HeadEnd::CutShort) | Err(_) => return Received::Nothing,
    };
    let mut head = match head::parse_request(&head) {
        Ok(head) => head,
        Err(error) => return Received::Refused(error.status(), error.to_string()),
    };
    match receive_body(connection, &head.request, limits).await {
        Ok(body) => head.request.body = body,
        Err(error @ BodyError::TooLarge(_)) => return Received::Refused(413, error.to_string()),
        Err(BodyError::Io(_)) => return Received::Nothing,
        Err(error @ BodyError::Framing) => return Received::Refused(400, error.to_string()),
    }
    Received::Request(head)
}

async fn receive_body(
    connection: &mut Buffered,
    request: &Request,
    limits: Limits,
) -> Result<Vec<u8>, BodyError> {
    let framing = Framing::of(&request.headers)?.unwrap_or(Framing::Empty);
    let fits = !matches!(framing, Framing::Length(length) if length > limits.body);
    if fits && framing != Framing::Empty && request.headers.lists("expect", "100-continue") {
        connection.write(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
    }
    body::read(connection, framing, limits.body).await
}

async fn respond(
    to: &mut Buffered,
    mut response: Response,
    to_head: bool,
    keep_alive: bool,
) -> io::Result<()> {
    let bodiless = matches!(response.status, 100..=199 | 204 | 304);
    // The body is whole, so its length is known; an answer to HEAD keeps the length it names.
    response.headers.remove("transfer-encoding");
    if !(to_head && response.headers.has("content-length")) {
        response.headers.remove("content-length");
        if !bodiless {
            response.headers.push("Content-Length", response.body.len().to_string());
        }
    }
    response.headers.remove("connection");
    if !keep_alive {
        response.headers.push("Connection", "close");
    }
    let mut bytes = head::write_response(&response);
    if !to_head && !bodiless {
        bytes.append(&mut response.body);
    }
    to.write(&bytes).await
}

// Closing with unread bytes makes the kernel reset the connection, and the client may lose the answer.
async fn linger(connection: &mut Buffered) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let _ = connection.stream.shutdown().await;
    let mut sink = [0; 4096];
    let drain = async { while matches!(connection.stream.read(&mut sink).await, Ok(1..)) {} };
    let _ = timeout(Duration::from_millis(500), drain).await;
}
