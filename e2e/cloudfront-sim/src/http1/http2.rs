//! HTTP/2: each stream becomes a request like those of HTTP/1.1.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use h2::server::{Builder, SendResponse};
use h2::{Reason, RecvStream, SendStream};
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::buffered::Buffered;
use super::connection::frame;
use super::server::Service;
use super::{Exchange, Headers, Limits, Peer, Request, Response};

/// "Quotas", "General quotas": concurrent requests of a viewer on one connection.
const STREAMS: u32 = 128;

pub(super) async fn converse<H, F>(
    connection: Buffered,
    peer: Peer,
    service: &Arc<Service<H>>,
    mut stop: watch::Receiver<bool>,
) where
    H: Fn(Request, Peer) -> F + Send + Sync + 'static,
    F: Future<Output = Response> + Send + 'static,
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
    H: Fn(Request, Peer) -> F,
    F: Future<Output = Response>,
{
    let (parts, mut body) = request.into_parts();
    let limits = service.options.limits;
    let mut request = into_request(&parts);
    let refused = match timeout(limits.read, read(&mut body, limits.body)).await {
        Ok(Ok(Some(body))) => {
            request.body = body;
            None
        }
        Ok(Ok(None)) => Some(Response::text(413, format!("the body is larger than {} bytes\n", limits.body))),
        // The visitor cancelled the request.
        Ok(Err(_)) => return,
        Err(_) => Some(Response::text(408, "the request took too long to arrive\n")),
    };
    let received = size(&request.headers) + request.target.len() + request.body.len();
    let (start, observed, to_head) = (Instant::now(), service.observed(&request), request.method == "HEAD");
    let mut response = match refused {
        Some(response) => response,
        None => (service.handler)(request, peer).await,
    };
    let first_byte = start.elapsed();
    let Ok(sent) = send(&mut respond, &mut response, to_head, limits).await else {
        return respond.send_reset(Reason::CANCEL);
    };
    if let Some((observer, request)) = observed {
        let (request, response, duration) = (&request, &response, start.elapsed());
        observer(&Exchange { peer, request, response, received, sent, first_byte, duration });
    }
}

fn into_request(parts: &Parts) -> Request {
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
    Request { method: parts.method.as_str().to_owned(), target, headers, body: Vec::new() }
}

/// `None` for a body above the limit.
async fn read(body: &mut RecvStream, limit: usize) -> Result<Option<Vec<u8>>, h2::Error> {
    let mut content = Vec::new();
    while let Some(part) = body.data().await {
        let part = part?;
        body.flow_control().release_capacity(part.len())?;
        content.extend_from_slice(&part);
        if content.len() > limit {
            return Ok(None);
        }
    }
    Ok(Some(content))
}

async fn send(
    respond: &mut SendResponse<Bytes>,
    response: &mut Response,
    to_head: bool,
    limits: Limits,
) -> io::Result<usize> {
    let body = Bytes::from(frame(response, to_head));
    let mut head = http::Response::new(());
    *head.status_mut() = http::StatusCode::from_u16(response.status).map_err(io::Error::other)?;
    *head.headers_mut() = header_map(&response.headers);
    let sent = size(&response.headers) + body.len();
    let mut stream = respond.send_response(head, body.is_empty()).map_err(io::Error::other)?;
    if !body.is_empty() {
        send_body(&mut stream, body, limits).await?;
    }
    Ok(sent)
}

/// Sends at the peer's pace; some bytes within each `write` limit.
async fn send_body(stream: &mut SendStream<Bytes>, mut body: Bytes, limits: Limits) -> io::Result<()> {
    while !body.is_empty() {
        stream.reserve_capacity(body.len());
        let capacity = timeout(limits.write, poll_fn(|context| stream.poll_capacity(context))).await?;
        let capacity = capacity.ok_or(io::ErrorKind::BrokenPipe)?.map_err(io::Error::other)?;
        let part = body.split_to(capacity.min(body.len()));
        stream.send_data(part, body.is_empty()).map_err(io::Error::other)?;
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
