//! The HTTP/1.1 client.

mod pool;
mod upload;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use super::body::BodyError;
use super::buffered::{Buffered, HeadEnd};
use super::framing::{Decoder, Framing};
use super::stream::{Reader, Stream, Writer};
use super::tunnel::Upgraded;
use super::{Body, Request, Response, head};
use pool::{Connection, Pool};

const HEAD_LIMIT: usize = 256 * 1024;
const COMPLETE_BODY_LIMIT: u64 = 64 * 1024 * 1024;

/// A client that sends requests unchanged, and keeps a few connections open.
#[derive(Debug)]
pub struct Client {
    timeout: Duration,
    pool: Arc<Pool>,
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
    #[error("no response within {0:?}")]
    Timeout(Duration),
    #[error("the connection was closed before the response")]
    Closed,
    #[error("the connection failed")]
    Io(#[from] io::Error),
    #[error("the response is malformed: {0}")]
    Malformed(String),
    #[error("the body of the request cannot be read")]
    RequestBody(#[source] BodyError),
}

/// The head of a response, and whether its connection may be used again.
type Head = (Response<()>, bool);

impl Default for Client {
    fn default() -> Self {
        Self::new(Duration::from_secs(30))
    }
}

impl Client {
    /// The timeout covers one `send`: connecting, sending and the whole response. For a `fetch` it
    /// covers the time from the end of the request to the head of the response, and that between
    /// two parts of its body.
    pub fn new(timeout: Duration) -> Self {
        Self { timeout, pool: Arc::default() }
    }

    /// Sends the request unchanged except for its framing: the body is sent with a
    /// `Content-Length`.
    pub async fn send(&self, address: SocketAddr, request: &Request) -> Result<Response, ClientError> {
        let bytes = whole(request, &request.body);
        let exchange = async {
            let (Connection { reader, writer }, head) = self.exchange(address, &bytes).await?;
            let mut response = self.response(address, reader, Some(writer), head, request)?;
            let body = std::mem::take(&mut response.body).read_to_end(COMPLETE_BODY_LIMIT).await;
            Ok(response.with(body.map_err(malformed)?))
        };
        timeout(self.timeout, exchange).await.unwrap_or(Err(ClientError::Timeout(self.timeout)))
    }

    /// The same with bodies that are sent and read while they arrive. A body of unknown length is
    /// sent in chunks.
    pub(crate) async fn fetch(
        &self,
        address: SocketAddr,
        mut request: Request<Body>,
    ) -> Result<Response<Body>, ClientError> {
        let Some(body) = request.body.take_complete() else { return self.stream(address, request).await };
        let bytes = whole(&request, &body);
        let exchange = timeout(self.timeout, self.exchange(address, &bytes)).await;
        let (connection, head) = exchange.unwrap_or(Err(ClientError::Timeout(self.timeout)))?;
        let Connection { reader, writer } = connection;
        self.response(address, reader, Some(writer), head, &request)
    }

    /// Over a kept connection, if there is one.
    async fn exchange(&self, address: SocketAddr, bytes: &[u8]) -> Result<(Connection, Head), ClientError> {
        if let Some(mut connection) = self.pool.take(address) {
            match exchange(&mut connection, bytes).await {
                Ok(head) => return Ok((connection, head)),
                // The server closed it while it was idle in the pool: retried on a new one.
                Err(ClientError::Closed | ClientError::Io(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let mut connection = connect(address).await?;
        let head = exchange(&mut connection, bytes).await?;
        Ok((connection, head))
    }

    /// With the body of the response, which gives the connection back at its end. Without a writer,
    /// the connection is used for this response only.
    fn response<B>(
        &self,
        address: SocketAddr,
        mut reader: Reader,
        writer: Option<Writer>,
        (head, keep_alive): Head,
        request: &Request<B>,
    ) -> Result<Response<Body>, ClientError> {
        if head.status == 101 {
            let writer = writer.filter(|_| request.headers.has("upgrade"));
            let unasked = || malformed("the request did not ask for another protocol");
            return Ok(head.with(Body::upgraded(Upgraded { reader, writer: writer.ok_or_else(unasked)? })));
        }
        let (decoder, keep_alive) = decoder(request, &head, keep_alive)?;
        let kept = writer.filter(|_| keep_alive).map(|writer| (writer, Arc::clone(&self.pool)));
        let give_back = move |reader, is_done| {
            if let Some((writer, pool)) = kept.filter(|_| is_done) {
                pool.put(address, Connection { reader, writer });
            }
        };
        // Most bodies arrive with their head.
        if let Some(body) = decoder.remaining().and_then(|length| reader.here(length)) {
            give_back(reader, true);
            return Ok(head.with(body.into()));
        }
        let give_back = |reader, decoder: Decoder| give_back(reader, decoder.is_done());
        Ok(head.with(Body::http1(reader, decoder, self.timeout, give_back)))
    }
}

async fn connect(address: SocketAddr) -> Result<Connection, ClientError> {
    let connected = async {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (reader, writer) = Buffered::new(Stream::Plain(stream)).split();
        Ok(Connection { reader, writer })
    };
    connected.await.map_err(|source| ClientError::Connect { address, source })
}

/// The request with its complete body.
fn whole<B>(request: &Request<B>, body: &[u8]) -> Vec<u8> {
    let mut bytes = framed(request, Some(body.len() as u64));
    bytes.extend_from_slice(body);
    bytes
}

/// The head of the request, with room for a small body.
fn framed<B>(request: &Request<B>, length: Option<u64>) -> Vec<u8> {
    let Request { method, target, headers, .. } = request;
    let (method, target, headers) = (method.clone(), target.clone(), headers.clone());
    let mut framed = Request { method, target, headers, body: () };
    let Some(length) = length else {
        framed.headers.remove("content-length");
        framed.headers.set("Transfer-Encoding", "chunked");
        return head::write_request(&framed, 0);
    };
    framed.headers.remove("transfer-encoding");
    let text = length.to_string();
    match framed.headers.all("content-length").count() {
        1 if framed.headers.first("content-length") == Some(text.as_bytes()) => {}
        0 if length == 0 && !matches!(framed.method.as_str(), "POST" | "PUT" | "PATCH") => {}
        0 => framed.headers.push("Content-Length", text),
        _ => framed.headers.set("Content-Length", text),
    }
    head::write_request(&framed, usize::try_from(length).unwrap_or_default())
}

async fn exchange(on: &mut Connection, bytes: &[u8]) -> Result<Head, ClientError> {
    // A server may respond and close before it has read everything (413): the response counts, not
    // the broken pipe.
    let written = on.writer.write(bytes).await;
    match read_final_head(&mut on.reader).await {
        Err(ClientError::Closed) => Err(written.err().map_or(ClientError::Closed, ClientError::Io)),
        read => read.map(|(response, keep)| (response, keep && written.is_ok())),
    }
}

/// The decoder of the body, and whether the connection may be used after it.
fn decoder<B>(
    request: &Request<B>,
    head: &Response<()>,
    keep_alive: bool,
) -> Result<(Decoder, bool), ClientError> {
    let bodiless = request.method == "HEAD" || matches!(head.status, 204 | 304);
    let framing = Framing::of(&head.headers).map_err(malformed)?;
    let framing = if bodiless { Framing::Length(0) } else { framing.unwrap_or(Framing::Close) };
    let decoder = Decoder::new(framing, u64::MAX).map_err(malformed)?;
    Ok((decoder, keep_alive && framing != Framing::Close))
}

/// Skips interim responses such as `100 Continue`.
async fn read_final_head(from: &mut Reader) -> Result<Head, ClientError> {
    loop {
        let head = match from.head(HEAD_LIMIT).await? {
            HeadEnd::At(head) => head,
            HeadEnd::Closed => return Err(ClientError::Closed),
            HeadEnd::CutShort => return Err(ClientError::Malformed("the head is cut short".into())),
            HeadEnd::TooLong { .. } => return Err(ClientError::Malformed("the head is too large".into())),
        };
        let (response, keep_alive) = head::parse_response(&head).map_err(malformed)?;
        if response.status >= 200 || response.status == 101 {
            return Ok((response, keep_alive));
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "`map_err` passes the error by value")]
fn malformed(error: impl ToString) -> ClientError {
    ClientError::Malformed(error.to_string())
}
