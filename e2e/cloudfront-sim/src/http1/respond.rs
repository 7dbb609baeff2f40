//! Sending responses of HTTP/1.1.

use std::io;
use std::time::Duration;

use bytes::Bytes;

use super::receive::Unread;
use super::stream::{Reader, Writer};
use super::{Body, Response, Version, head};

/// What the request says about its response.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    pub(super) is_head: bool,
    pub(super) keep_alive: bool,
    pub(super) version: Version,
}

/// The part of a body to send.
pub(super) enum Content {
    All(Vec<u8>),
    Parts(Body),
}

/// A response that was sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    pub(super) bytes: usize,
    pub(super) keep_alive: bool,
}

/// Takes the response's body. A body that cannot be read to its end is an error: the connection
/// must be closed, so that the client does not take the part for the whole.
pub(super) async fn respond(
    to: &mut Writer,
    unread: &mut Unread,
    response: &mut Response<Body>,
    asked: Asked,
    limit: Duration,
) -> io::Result<Sent> {
    let content = frame(response, asked.is_head);
    let chunked = matches!(content, Content::Parts(_)) && !response.headers.has("content-length");
    let keep_alive = asked.keep_alive && !(chunked && asked.version == Version::Http1_0);
    let chunked = chunked && asked.version != Version::Http1_0;
    response.headers.remove("connection");
    if chunked {
        response.headers.push("Transfer-Encoding", "chunked");
    }
    if !keep_alive {
        response.headers.push("Connection", "close");
    }
    let mut bytes = head::write_response(response);
    let bytes = match content {
        Content::All(body) => {
            bytes.extend(body);
            to.write_within(&bytes, limit).await?;
            bytes.len()
        }
        Content::Parts(body) => {
            to.write_within(&bytes, limit).await?;
            bytes.len() + send_parts(to, unread, body, chunked, limit).await?
        }
    };
    Ok(Sent { bytes, keep_alive })
}

/// Sets the length of the body, if known, and takes the part to send.
pub(super) fn frame(response: &mut Response<Body>, to_head: bool) -> Content {
    let mut body = std::mem::take(&mut response.body);
    let bodiless = matches!(response.status, 100..=199 | 204 | 304);
    response.headers.remove("transfer-encoding");
    // A response to HEAD keeps its own `Content-Length`.
    if !(to_head && response.headers.has("content-length")) {
        response.headers.remove("content-length");
        if let Some(length) = body.length().filter(|_| !bodiless) {
            response.headers.push("Content-Length", length.to_string());
        }
    }
    if to_head || bodiless {
        return Content::All(Vec::new());
    }
    body.take_complete().map_or_else(|| Content::Parts(body), Content::All)
}

async fn send_parts(
    to: &mut Writer,
    unread: &mut Unread,
    mut body: Body,
    chunked: bool,
    limit: Duration,
) -> io::Result<usize> {
    let mut sent = 0;
    loop {
        let part = tokio::select! {
            part = body.next() => part.map_err(io::Error::other)?,
            () = disconnected(unread) => return Err(io::ErrorKind::ConnectionAborted.into()),
        };
        let ended = part.is_none();
        let bytes = match part.unwrap_or_default() {
            part if chunked => chunk(&part),
            part => part,
        };
        to.write_within(&bytes, limit).await?;
        sent += bytes.len();
        if ended {
            return Ok(sent);
        }
    }
}

/// An empty chunk is the last one.
pub(super) fn chunk(part: &[u8]) -> Bytes {
    [format!("{:x}\r\n", part.len()).as_bytes(), part, b"\r\n"].concat().into()
}

/// The client has closed its side. Pipelined requests hide this.
async fn disconnected(unread: &mut Unread) {
    if let Unread::Nothing(reader) = unread
        && reader.is_empty()
        && ended(reader).await
    {
        return;
    }
    std::future::pending::<()>().await;
}

async fn ended(reader: &mut Reader) -> bool {
    !matches!(reader.fill().await, Ok(1..))
}
