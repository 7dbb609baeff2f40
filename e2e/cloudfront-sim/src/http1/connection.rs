//! One connection: protocol detection, and HTTP/1.1.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::AsyncRead;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::buffered::Buffered;
use super::receive::{Incoming, Received, Unread, receive};
use super::respond::{Asked, Sent, respond};
use super::server::Service;
use super::stream::{Reader, Stream, Writer};
use super::tunnel::{self, Traffic, Upgraded};
use super::{Body, Exchange, Limits, Peer, Request, Response, Tls, Version, head, http2};

pub(super) async fn serve<H, F>(
    stream: TcpStream,
    address: SocketAddr,
    service: Arc<Service<H>>,
    mut stop: watch::Receiver<bool>,
) where
    H: Fn(Request<Body>, Peer) -> F + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
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
        let (reader, writer) = connection.split();
        Conversation { writer, peer, service: &service, stop }.run(reader).await;
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
async fn read_more<S: AsyncRead + Unpin>(
    connection: &mut Buffered<S>,
    limit: Duration,
    stop: &mut watch::Receiver<bool>,
) -> bool {
    tokio::select! {
        filled = timeout(limit, connection.fill()) => matches!(filled, Ok(Ok(1..))),
        _ = stop.wait_for(|stop| *stop) => false,
    }
}

/// A connection with HTTP/1.1: requests in order.
struct Conversation<'a, H> {
    writer: Writer,
    peer: Peer,
    service: &'a Service<H>,
    stop: watch::Receiver<bool>,
}

impl<H, F> Conversation<'_, H>
where
    H: Fn(Request<Body>, Peer) -> F,
    F: Future<Output = Response<Body>>,
{
    async fn run(mut self, mut reader: Reader) {
        let limits = self.service.options.limits;
        loop {
            if reader.is_empty() && !read_more(&mut reader, limits.idle, &mut self.stop).await {
                return;
            }
            match receive(reader, &mut self.writer, limits).await {
                Received::Request(incoming) => match self.answer(*incoming).await {
                    Some(next) => reader = next,
                    None => return,
                },
                Received::Refused(status, why, unread) => return self.refuse(status, &why, unread).await,
                Received::Nothing => return,
            }
        }
    }

    /// The reading side for the next request, if there may be one.
    async fn answer(&mut self, mut incoming: Incoming) -> Option<Reader> {
        self.peer.version = incoming.version;
        let request = std::mem::take(&mut incoming.request);
        let is_head = request.method == "HEAD";
        let (start, observed) = (Instant::now(), self.service.observed(&request));
        let mut response = (self.service.handler)(request, self.peer).await;
        let first_byte = start.elapsed();
        let keep_alive = incoming.keep_alive && !*self.stop.borrow();
        let asked = Asked { is_head, keep_alive, version: incoming.version };
        let upgraded = response.body.take_upgraded().filter(|_| response.status == 101);
        let sent = match upgraded {
            Some(origin) => {
                let head = head::write_response(&response);
                self.tunnel(origin, &mut incoming, &head).await
            }
            None => self.respond(&mut incoming.unread, &mut response, asked).await,
        };
        if let (Some((observer, request)), Some(sent)) = (observed, &sent) {
            let (received, duration) = (incoming.size(), start.elapsed());
            let (request, response) = (&request, &response.with(Vec::new()));
            let (peer, sent) = (self.peer, sent.bytes);
            observer(&Exchange { peer, request, response, received, sent, first_byte, duration });
        }
        let keep_alive = sent?.keep_alive;
        let limits = self.service.options.limits;
        match incoming.unread.end(limits).await {
            Some((reader, true)) if keep_alive => return Some(reader),
            Some((reader, false)) => linger(reader, &mut self.writer, limits).await,
            // TLS closes with an alert. A failure means that the peer has disconnected.
            _ => drop(timeout(limits.write, self.writer.shutdown()).await),
        }
        None
    }

    async fn respond(
        &mut self,
        unread: &mut Unread,
        response: &mut Response<Body>,
        asked: Asked,
    ) -> Option<Sent> {
        let limit = self.service.options.limits.write;
        let sent = respond(&mut self.writer, unread, response, asked, limit).await;
        sent.inspect_err(|error| tracing::debug!(%error, "the response was not sent to its end")).ok()
    }

    /// Forwards bytes in both directions until one side ends, or the server stops.
    async fn tunnel(&mut self, mut origin: Upgraded, incoming: &mut Incoming, head: &[u8]) -> Option<Sent> {
        let Unread::Nothing(reader) = &mut incoming.unread else { return None };
        let limits = self.service.options.limits;
        self.writer.write_within(head, limits.write).await.ok()?;
        let mut traffic = Traffic::default();
        tokio::select! {
            () = tunnel::run(reader, &mut self.writer, &mut origin, limits.silence, &mut traffic) => {}
            _ = self.stop.wait_for(|stop| *stop) => {}
        }
        incoming.add_to_size(traffic.from_viewer);
        Some(Sent { bytes: head.len() + traffic.to_viewer, keep_alive: false })
    }

    async fn refuse(&mut self, status: u16, why: &str, unread: Reader) {
        let limits = self.service.options.limits;
        let mut response = Response::text(status, format!("{why}\n")).into();
        let asked = Asked { is_head: false, keep_alive: false, version: Version::Http1_1 };
        let mut unread = Unread::Nothing(unread);
        if self.respond(&mut unread, &mut response, asked).await.is_some()
            && let Unread::Nothing(reader) = unread
        {
            linger(reader, &mut self.writer, limits).await;
        }
    }
}

// Closing with unread bytes makes the kernel reset the connection, and the client may lose the
// response.
async fn linger(mut reader: Reader, writer: &mut Writer, limits: Limits) {
    let _ = timeout(limits.write, writer.shutdown()).await;
    let drain = async { while matches!(reader.some_or_end().await, Ok(Some(_))) {} };
    let _ = timeout(Duration::from_millis(500), drain).await;
}
