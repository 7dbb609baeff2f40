//! The HTTP/1.1 client.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use super::body::{self, Framing};
use super::buffered::{Buffered, HeadEnd};
use super::stream::Stream;
use super::{Request, Response, head};

const HEAD_LIMIT: usize = 256 * 1024;
const BODY_LIMIT: usize = 64 * 1024 * 1024;
const IDLE_PER_ADDRESS: usize = 32;

/// A client that sends requests unchanged, and keeps a few connections open.
#[derive(Debug)]
pub struct Client {
    timeout: Duration,
    idle: Mutex<HashMap<SocketAddr, Vec<Buffered>>>,
}

/// A request without a response.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("cannot connect to {address}")]
    Connect {
        address: SocketAddr,
        #[source]
        source: io::Error,
    },
    #[error("no complete response within {0:?}")]
    Timeout(Duration),
    #[error("the connection was closed before the response")]
    Closed,
    #[error("the connection failed")]
    Io(#[from] io::Error),
    #[error("the response is malformed: {0}")]
    Malformed(String),
}

impl Default for Client {
    fn default() -> Self {
        Self::new(Duration::from_secs(30))
    }
}

impl Client {
    /// The timeout covers one `send`: connecting, sending and the whole response.
    pub fn new(timeout: Duration) -> Self {
        Self { timeout, idle: Mutex::default() }
    }

    /// Sends the request unchanged except for its framing: the body is sent with a
    /// `Content-Length`.
    pub async fn send(&self, address: SocketAddr, request: &Request) -> Result<Response, ClientError> {
        let bytes = framed(request);
        let to_head = request.method == "HEAD";
        self.within_timeout(self.send_pooled(address, &bytes, to_head)).await
    }

    async fn within_timeout<F>(&self, exchange: F) -> Result<Response, ClientError>
    where
        F: Future<Output = Result<Response, ClientError>>,
    {
        timeout(self.timeout, exchange).await.unwrap_or(Err(ClientError::Timeout(self.timeout)))
    }

    async fn send_pooled(
        &self,
        address: SocketAddr,
        bytes: &[u8],
        head: bool,
    ) -> Result<Response, ClientError> {
        if let Some(mut connection) = self.take_idle(address) {
            match exchange(&mut connection, bytes, head).await {
                Ok((response, keep)) => return Ok(self.put_back(address, connection, response, keep)),
                // The server closed it while it was idle in the pool: retried on a new one.
                Err(ClientError::Closed | ClientError::Io(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let mut connection = self.connect(address).await?;
        let (response, keep) = exchange(&mut connection, bytes, head).await?;
        Ok(self.put_back(address, connection, response, keep))
    }

    async fn connect(&self, address: SocketAddr) -> Result<Buffered, ClientError> {
        let connected = async {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            Ok(Buffered::new(Stream::Plain(stream)))
        };
        connected.await.map_err(|source| ClientError::Connect { address, source })
    }

    fn take_idle(&self, address: SocketAddr) -> Option<Buffered> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.get_mut(&address)?.pop()
    }

    fn put_back(
        &self,
        address: SocketAddr,
        connection: Buffered,
        response: Response,
        keep: bool,
    ) -> Response {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let pool = idle.entry(address).or_default();
        if keep && connection.is_empty() && pool.len() < IDLE_PER_ADDRESS {
            pool.push(connection);
        }
        response
    }
}

fn framed(request: &Request) -> Vec<u8> {
    let mut framed = Request { body: Vec::new(), ..request.clone() };
    framed.headers.remove("transfer-encoding");
    let length = request.body.len().to_string();
    match framed.headers.all("content-length").count() {
        1 if framed.headers.first("content-length") == Some(length.as_bytes()) => {}
        0 if request.body.is_empty() && !matches!(request.method.as_str(), "POST" | "PUT" | "PATCH") => {}
        0 => framed.headers.push("Content-Length", length),
        _ => framed.headers.set("Content-Length", length),
    }
    let mut bytes = head::write_request(&framed);
    bytes.extend_from_slice(&request.body);
    bytes
}

async fn exchange(on: &mut Buffered, bytes: &[u8], to_head: bool) -> Result<(Response, bool), ClientError> {
    // A server may respond and close before it has read everything (413): the response counts, not
    // the broken pipe.
    let written = on.write(bytes).await;
    match read_response(on, to_head).await {
        Err(ClientError::Closed) => Err(written.err().map_or(ClientError::Closed, ClientError::Io)),
        read => read.map(|(response, keep)| (response, keep && written.is_ok())),
    }
}

async fn read_response(from: &mut Buffered, to_head: bool) -> Result<(Response, bool), ClientError> {
    let (mut response, keep_alive) = read_final_head(from).await?;
    let bodiless = to_head || matches!(response.status, 204 | 304);
    let framing = Framing::of(&response.headers).map_err(malformed)?;
    let framing = if bodiless { Framing::Empty } else { framing.unwrap_or(Framing::Close) };
    response.body = body::read(from, framing, BODY_LIMIT).await.map_err(malformed)?;
    Ok((response, keep_alive && framing != Framing::Close))
}

/// Skips interim responses such as `100 Continue`.
async fn read_final_head(from: &mut Buffered) -> Result<(Response, bool), ClientError> {
    loop {
        let head = match from.head(HEAD_LIMIT).await? {
            HeadEnd::At(head) => head,
            HeadEnd::Closed => return Err(ClientError::Closed),
            HeadEnd::CutShort => return Err(ClientError::Malformed("the head is cut short".into())),
            HeadEnd::TooLong { .. } => return Err(ClientError::Malformed("the head is too large".into())),
        };
        let (response, keep_alive) = head::parse_response(&head).map_err(malformed)?;
        if response.status >= 200 {
            return Ok((response, keep_alive));
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "`map_err` passes the error by value")]
fn malformed(error: impl ToString) -> ClientError {
    ClientError::Malformed(error.to_string())
}
