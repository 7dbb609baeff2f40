//! Receiving requests of HTTP/1.1.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::body::BodyError;
use super::buffered::HeadEnd;
use super::framing::{Decoder, Framing};
use super::stream::{Reader, Writer};
use super::{Body, Limits, Request, Version, head};

/// Bodies up to this length have arrived before the handler is called; others are streamed.
pub(super) const SMALL: u64 = 64 * 1024;

pub(super) enum Received {
    Request(Box<Incoming>),
    Refused(u16, String, Reader),
    Nothing,
}

/// A request, and what is left to read of it.
pub(super) struct Incoming {
    pub(super) request: Request<Body>,
    pub(super) keep_alive: bool,
    pub(super) version: Version,
    pub(super) unread: Unread,
    head_size: usize,
    body_size: BodySize,
}

/// The reading side while a request is served.
pub(super) enum Unread {
    Nothing(Reader),
    /// Comes back when the body has ended or was dropped.
    Body(oneshot::Receiver<(Reader, Decoder)>),
}

enum BodySize {
    Known(usize),
    Counted(Arc<AtomicUsize>),
}

impl Incoming {
    /// Bytes received so far.
    pub(super) fn size(&self) -> usize {
        let body = match &self.body_size {
            BodySize::Known(size) => *size,
            BodySize::Counted(count) => count.load(Ordering::Relaxed),
        };
        self.head_size + body
    }

    /// Counts the bytes of an upgraded connection.
    pub(super) fn add_to_size(&mut self, count: usize) {
        self.head_size += count;
    }
}

impl Unread {
    /// The reading side after the rest of the body was discarded, and whether that worked: only
    /// then another request can follow.
    pub(super) async fn end(self, limits: Limits) -> Option<(Reader, bool)> {
        let returned = match self {
            Self::Nothing(reader) => return Some((reader, true)),
            Self::Body(returned) => returned.await,
        };
        let (mut reader, mut decoder) = returned.ok()?;
        let discard = async {
            while decoder.part(&mut reader).await?.is_some() {}
            Ok::<_, BodyError>(())
        };
        let discarded = timeout(limits.read, discard).await.is_ok_and(|end| end.is_ok());
        Some((reader, discarded))
    }
}

pub(super) async fn receive(mut reader: Reader, writer: &mut Writer, limits: Limits) -> Received {
    let Ok(head) = timeout(limits.read, reader.head(limits.head)).await else { return too_slow(reader) };
    let bytes = match head {
        Ok(HeadEnd::At(head)) => head,
        Ok(HeadEnd::TooLong { line_ended: true }) => {
            return Received::Refused(431, "the headers are too large".into(), reader);
        }
        Ok(HeadEnd::TooLong { line_ended: false }) => {
            return Received::Refused(414, "the request line is too long".into(), reader);
        }
        Ok(HeadEnd::Closed | HeadEnd::CutShort) | Err(_) => return Received::Nothing,
    };
    let head = match head::parse_request(&bytes) {
        Ok(head) => head,
        Err(error) => return Received::Refused(error.status(), error.to_string(), reader),
    };
    let decoder = match decoder(&head.request, limits) {
        Ok(decoder) => decoder,
        Err(error) => return Received::Refused(error.status(), error.to_string(), reader),
    };
    if !decoder.is_done() && head.request.headers.lists("expect", "100-continue") {
        let go_on = writer.write_within(b"HTTP/1.1 100 Continue\r\n\r\n", limits.write);
        if go_on.await.is_err() {
            return Received::Nothing;
        }
    }
    let head::RequestHead { request, keep_alive, version } = head;
    match body(reader, decoder, limits).await {
        Ok((body, body_size, unread)) => {
            let (request, head_size) = (request.with(body), bytes.len());
            let incoming = Incoming { request, keep_alive, version, unread, head_size, body_size };
            Received::Request(Box::new(incoming))
        }
        Err(refused) => refused,
    }
}

fn decoder(request: &Request<()>, limits: Limits) -> Result<Decoder, BodyError> {
    Decoder::new(Framing::of(&request.headers)?.unwrap_or(Framing::Length(0)), limits.body)
}

async fn body(
    mut reader: Reader,
    decoder: Decoder,
    limits: Limits,
) -> Result<(Body, BodySize, Unread), Received> {
    if let Some(length) = decoder.remaining().filter(|length| *length <= SMALL) {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        return match timeout(limits.read, reader.exactly(length)).await {
            Ok(Ok(body)) => Ok((body.into(), BodySize::Known(length), Unread::Nothing(reader))),
            Ok(Err(_)) => Err(Received::Nothing),
            Err(_) => Err(too_slow(reader)),
        };
    }
    let (give_back, returned) = oneshot::channel();
    let body = Body::http1(reader, decoder, limits.read, move |reader, decoder| {
        // The connection may be closed already.
        let _ = give_back.send((reader, decoder));
    });
    let count = body.received().unwrap_or_default();
    Ok((body, BodySize::Counted(count), Unread::Body(returned)))
}

fn too_slow(reader: Reader) -> Received {
    Received::Refused(408, "the request took too long to arrive".into(), reader)
}
