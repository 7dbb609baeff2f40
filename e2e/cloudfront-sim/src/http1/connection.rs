//! One connection: protocol detection, and HTTP/1.1.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::body::{self, BodyError, Framing};
use super::buffered::{Buffered, HeadEnd};
use super::head::{self, RequestHead};
use super::server::Service;
use super::stream::Stream;
use super::{Exchange, Limits, Peer, Request, Response, Tls, Version, http2};

pub(super) async fn serve<H, F>(
    stream: TcpStream,
    address: SocketAddr,
    service: Arc<Service<H>>,
    mut stop: watch::Receiver<bool>,
) where
    H: Fn(Request, Peer) -> F + Send + Sync + 'static,
    F: Future<Output = Response> + Send + 'static,
{
    // A failure costs latency only.
    let _ = stream.set_nodelay(true);
    let limits = service.options.limits;
    let mut peer = Peer { address, version: Version::Http1_1, tls: None };
    let mut chosen_http2 = false;
    let stream = match &service.options.tls {
        None => Stream::Plain(stream),
        Some(config) => {
            let handshake = TlsAcceptor::from(Arc::clone(config)).accept(stream);
            let Ok(Ok(stream)) = timeout(limits.read, handshake).await else { return };
            let session = stream.get_ref().1;
            peer.tls = Some(negotiated(session));
            chosen_http2 = session.alpn_protocol() == Some(b"h2");
            Stream::Tls(Box::new(stream))
        }
    };
    let mut connection = Buffered::new(stream);
    if chosen_http2 || opens_http2(&mut connection, limits, &mut stop).await {
        peer.version = Version::Http2;
        http2::converse(connection, peer, &service, stop).await;
    } else {
        converse(connection, peer, &service, stop).await;
    }
}

fn negotiated(session: &rustls::ServerConnection) -> Tls {
    let protocol = match session.protocol_version() {
        Some(rustls::ProtocolVersion::TLSv1_3) => "TLSv1.3",
        _ => "TLSv1.2",
    };
    let cipher = session.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str());
    Tls { protocol, cipher: cipher.unwrap_or("-") }
}

/// "Prior knowledge": no method of HTTP/1.1 begins like HTTP/2's preface.
async fn opens_http2(connection: &mut Buffered, limits: Limits, stop: &mut watch::Receiver<bool>) -> bool {
    const PREFACE: &[u8] = b"PRI ";
    while connection.unread().len() < PREFACE.len() && PREFACE.starts_with(connection.unread()) {
        if !read_more(connection, limits.idle, stop).await {
            return false;
        }
    }
    connection.unread().starts_with(PREFACE)
}

/// Reads more bytes, unless the server is stopping.
async fn read_more(connection: &mut Buffered, limit: Duration, stop: &mut watch::Receiver<bool>) -> bool {
    tokio::select! {
        filled = timeout(limit, connection.fill()) => matches!(filled, Ok(Ok(1..))),
        _ = stop.wait_for(|stop| *stop) => false,
    }
}

async fn converse<H, F>(
    mut connection: Buffered,
    mut peer: Peer,
    service: &Service<H>,
    mut stop: watch::Receiver<bool>,
) where
    H: Fn(Request, Peer) -> F,
    F: Future<Output = Response>,
{
    let limits = service.options.limits;
    loop {
        if connection.is_empty() && !read_more(&mut connection, limits.idle, &mut stop).await {
            return;
        }
        match receive(&mut connection, limits).await {
            Received::Request { head: RequestHead { request, keep_alive, version }, size } => {
                peer.version = version;
                let to_head = request.method == "HEAD";
                let (start, observed) = (Instant::now(), service.observed(&request));
                let mut response = (service.handler)(request, peer).await;
                let keep_alive = keep_alive && !*stop.borrow();
                let first_byte = start.elapsed();
                let sent = respond(&mut connection, &mut response, to_head, keep_alive, limits.write).await;
                if let (Some((observer, request)), Ok(sent)) = (observed, &sent) {
                    let duration = start.elapsed();
                    let (request, response) = (&request, &response);
                    observer(&Exchange {
                        peer,
                        request,
                        response,
                        received: size,
                        sent: *sent,
                        first_byte,
                        duration,
                    });
                }
                if sent.is_err() {
                    return;
                }
                if !keep_alive {
                    // TLS closes with an alert. A failure means that the peer has disconnected.
                    let _ = timeout(limits.write, connection.stream.shutdown()).await;
                    return;
                }
            }
            Received::Refused(status, why) => {
                let mut response = Response::text(status, format!("{why}\n"));
                if respond(&mut connection, &mut response, false, false, limits.write).await.is_ok() {
                    linger(&mut connection).await;
                }
                return;
            }
            Received::Nothing => return,
        }
    }
}

enum Received {
    Request { head: RequestHead, size: usize },
    Refused(u16, String),
    Nothing,
}

async fn receive(connection: &mut Buffered, limits: Limits) -> Received {
    match timeout(limits.read, receive_now(connection, limits)).await {
        Ok(received) => received,
        Err(_) => Received::Refused(408, "the request took too long to arrive".into()),
    }
}

async fn receive_now(connection: &mut Buffered, limits: Limits) -> Received {
    let bytes = match connection.head(limits.head).await {
        Ok(HeadEnd::At(head)) => head,
        Ok(HeadEnd::TooLong { line_ended: true }) => {
            return Received::Refused(431, "the headers are too large".into());
        }
        Ok(HeadEnd::TooLong { line_ended: false }) => {
            return Received::Refused(414, "the request line is too long".into());
        }
        Ok(HeadEnd::Closed | HeadEnd::CutShort) | Err(_) => return Received::Nothing,
    };
    let mut head = match head::parse_request(&bytes) {
        Ok(head) => head,
        Err(error) => return Received::Refused(error.status(), error.to_string()),
    };
    match receive_body(connection, &head.request, limits).await {
        Ok(body) => head.request.body = body,
        Err(error @ BodyError::TooLarge(_)) => return Received::Refused(413, error.to_string()),
        Err(BodyError::Io(_)) => return Received::Nothing,
        Err(error @ BodyError::Framing) => return Received::Refused(400, error.to_string()),
    }
    Received::Request { size: bytes.len() + head.request.body.len(), head }
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

/// Returns the number of bytes sent. Takes the response's body.
async fn respond(
    to: &mut Buffered,
    response: &mut Response,
    to_head: bool,
    keep_alive: bool,
    limit: Duration,
) -> io::Result<usize> {
    let body = frame(response, to_head);
    response.headers.remove("connection");
    if !keep_alive {
        response.headers.push("Connection", "close");
    }
    let mut bytes = head::write_response(response);
    bytes.extend(body);
    to.write_within(&bytes, limit).await?;
    Ok(bytes.len())
}

/// Sets the length of the body, and takes the part to send.
pub(super) fn frame(response: &mut Response, to_head: bool) -> Vec<u8> {
    let body = std::mem::take(&mut response.body);
    let bodiless = matches!(response.status, 100..=199 | 204 | 304);
    // The body is complete, so its length is known; a response to HEAD keeps its own
    // `Content-Length`.
    response.headers.remove("transfer-encoding");
    if !(to_head && response.headers.has("content-length")) {
        response.headers.remove("content-length");
        if !bodiless {
            response.headers.push("Content-Length", body.len().to_string());
        }
    }
    if to_head || bodiless { Vec::new() } else { body }
}

// Closing with unread bytes makes the kernel reset the connection, and the client may lose the
// response.
async fn linger(connection: &mut Buffered) {
    let _ = connection.stream.shutdown().await;
    let mut sink = [0; 4096];
    let drain = async { while matches!(connection.stream.read(&mut sink).await, Ok(1..)) {} };
    let _ = timeout(Duration::from_millis(500), drain).await;
}
