//! HTTP/2: each stream becomes a request like those of HTTP/1.1.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use bytes::Bytes;
use h2::server::{Builder, SendResponse};
use h2::{Reason, RecvStream, SendStream};
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::body::BodyError;
use super::buffered::Buffered;
use super::framing::parse_length;
use super::receive::SMALL;
use super::respond::{Content, frame};
use super::server::Service;
use super::{Body, Exchange, Headers, Limits, Peer, Request, Response};

/// "Quotas", "General quotas": concurrent requests of a viewer on one connection.
const STREAMS: u32 = 128;

const TOO_SLOW: &str = "the request took too long to arrive\n";

pub(super) async fn converse<H, F>(
    connection: Buffered,
    peer: Peer,
    service: &Arc<Service<H>>,
    mut stop: watch::Receiver<bool>,
) where
    H: Fn(Request<Body>, Peer) -> F + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let limits = service.options.limits;
    let mut builder = Builder::new();
    builder.max_concurrent_streams(STREAMS);
    builder.max_header_list_size(u32::try_from(limits.head).unwrap_or(u32::MAX));
    let Ok(Ok(mut connection)) = timeout(limits.read, builder.handshake(connection)).await else { return };
    let mut streams = JoinSet::new();
    let mut ending = false;
    loop {
        tokio::select! {
            accepted = connection.accept() => match accepted {
                Some(Ok((request, respond))) => {
                    streams.spawn(answer(request, respond, peer, Arc::clone(service)));
                }
                // The peer closed the connection or violated the protocol: requests in progress
                // have no receiver.
                Some(Err(_)) | None => return,
            },
            Some(_) = streams.join_next() => {}
            () = sleep(limits.idle), if streams.is_empty() => {
                if ending {
                    return;
                }
                connection.graceful_shutdown();
                ending = true;
            }
            _ = stop.wait_for(|stop| *stop), if !ending => {
                connection.graceful_shutdown();
                ending = true;
            }
        }
    }
}

async fn answer<H, F>(
    request: http::Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    peer: Peer,
    service: Arc<Service<H>>,
) where
    H: Fn(Request<Body>, Peer) -> F,
    F: Future<Output = Response<Body>>,
{
    let (parts, body) = request.into_parts();
    let limits = service.options.limits;
    let request = into_request(&parts);
    let head_size = size(&request.headers) + request.target.len();
    let (body, refused) = match receive(body, &request, limits).await {
        Ok(body) => (body, None),
        // The visitor cancelled the request.
        Err(BodyError::Io(_)) => return,
        Err(BodyError::Timeout(_)) => (Body::default(), Some((408, TOO_SLOW.to_owned()))),
        Err(error) => (Body::default(), Some((error.status(), format!("{error}\n")))),
    };
    let (known, counted) = (body.complete().map_or(0, <[u8]>::len), body.received());
    let request = request.with(body);
    let (start, observed, to_head) = (Instant::now(), service.observed(&request), request.method == "HEAD");
    let mut response = match refused {
        Some((status, why)) => Response::text(status, why).into(),
        None => (service.handler)(request, peer).await,
    };
    let first_byte = start.elapsed();
    let Ok(sent) = send(&mut respond, &mut response, to_head, limits).await else {
        return respond.send_reset(Reason::CANCEL);
    };
    if let Some((observer, request)) = observed {
        let body_size = counted.map_or(known, |count| count.load(Ordering::Relaxed));
        let (received, duration) = (head_size + body_size, start.elapsed());
        let (request, response) = (&request, &response.with(Vec::new()));
        observer(&Exchange { peer, request, response, received, sent, first_byte, duration });
    }
}

fn into_request(parts: &Parts) -> Request<()> {
    let target = match parts.uri.path_and_query() {
        Some(target) => target.as_str().into(),
        None => b"*".to_vec(),
    };
    let mut headers = Headers::default();
    if let Some(authority) = parts.uri.authority() {
        headers.push("host", authority.as_str());
    }
    for (name, value) in &parts.headers {
        match (name.as_str(), headers.first("cookie")) {
            // RFC 9113, 8.2.3: a browser may send each cookie in a field of its own.
            ("cookie", Some(cookies)) => {
                let cookies = [cookies, value.as_bytes()].join(b"; ".as_slice());
                headers.set("cookie", cookies);
            }
            ("host", _) if headers.has("host") => {}
            (name, _) => headers.push(name, value.as_bytes()),
        }
    }
    Request { method: parts.method.as_str().to_owned(), target, headers, body: () }
}

/// A small body of known length is read first, as over HTTP/1.1.
async fn receive(stream: RecvStream, request: &Request<()>, limits: Limits) -> Result<Body, BodyError> {
    if stream.is_end_stream() {
        return Ok(Body::default());
    }
    let length = request.headers.first("content-length").and_then(parse_length);
    if length.is_some_and(|length| length > limits.body) {
        return Err(BodyError::TooLarge(limits.body));
    }
    let body = Body::http2(stream, length, limits.body, limits.read);
    if length.is_none_or(|length| length > SMALL) {
        return Ok(body);
    }
    let read = timeout(limits.read, body.read_to_end(SMALL)).await;
    read.unwrap_or(Err(BodyError::Timeout(limits.read))).map(Body::from)
}

async fn send(
    respond: &mut SendResponse<Bytes>,
    response: &mut Response<Body>,
    to_head: bool,
    limits: Limits,
) -> io::Result<usize> {
    let content = frame(response, to_head);
    let mut head = http::Response::new(());
    *head.status_mut() = http::StatusCode::from_u16(response.status).map_err(io::Error::other)?;
    *head.headers_mut() = header_map(&response.headers);
    let mut sent = size(&response.headers);
    match content {
        Content::All(body) => {
            sent += body.len();
            let mut stream = respond.send_response(head, body.is_empty()).map_err(io::Error::other)?;
            if !body.is_empty() {
                send_body(&mut stream, body.into(), true, limits).await?;
            }
        }
        Content::Parts(mut body) => {
            let mut stream = respond.send_response(head, false).map_err(io::Error::other)?;
            while let Some(part) = part_unless_cancelled(&mut body, &mut stream).await? {
                sent += part.len();
                send_body(&mut stream, part, false, limits).await?;
            }
            stream.send_data(Bytes::new(), true).map_err(io::Error::other)?;
        }
    }
    Ok(sent)
}

async fn part_unless_cancelled(body: &mut Body, stream: &mut SendStream<Bytes>) -> io::Result<Option<Bytes>> {
    tokio::select! {
        part = body.next() => part.map_err(io::Error::other),
        _ = poll_fn(|context| stream.poll_reset(context)) => Err(io::ErrorKind::ConnectionAborted.into()),
    }
}

/// Sends at the peer's pace; some bytes within each `write` limit.
async fn send_body(
    stream: &mut SendStream<Bytes>,
    mut body: Bytes,
    ends: bool,
    limits: Limits,
) -> io::Result<()> {
    while !body.is_empty() {
        stream.reserve_capacity(body.len());
        let capacity = timeout(limits.write, poll_fn(|context| stream.poll_capacity(context))).await?;
        let capacity = capacity.ok_or(io::ErrorKind::BrokenPipe)?.map_err(io::Error::other)?;
        let part = body.split_to(capacity.min(body.len()));
        stream.send_data(part, ends && body.is_empty()).map_err(io::Error::other)?;
    }
    Ok(())
}

/// HTTP/2 has no connection headers; headers that are invalid in HTTP/2 are dropped.
fn header_map(headers: &Headers) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in &headers.0 {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
            let about_the_connection = ["connection", "keep-alive", "proxy-connection", "upgrade"];
            if !about_the_connection.contains(&name.as_str()) {
                map.append(name, value);
            }
        }
    }
    map
}

fn size(headers: &Headers) -> usize {
    headers.0.iter().map(|(name, value)| name.len() + value.len() + 4).sum()
}
