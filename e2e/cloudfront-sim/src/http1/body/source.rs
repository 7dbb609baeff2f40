//! Connections that bodies are read from.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use h2::RecvStream;
use tokio::time::timeout;

use super::BodyError;
use crate::http1::framing::Decoder;
use crate::http1::stream::Reader;
use crate::http1::tunnel::Upgraded;

pub(super) struct Arriving {
    source: Source,
    /// How long no byte may arrive.
    idle: Duration,
    received: Arc<AtomicUsize>,
}

pub(super) enum Source {
    Http1(Http1),
    Http2 { stream: RecvStream, left: Option<u64>, decoded: u64, limit: u64 },
    Upgraded(Option<Upgraded>),
}

/// The reading side of a connection, which goes back when the body has ended or is dropped.
pub(super) struct Http1 {
    reading: Option<(Reader, Decoder)>,
    give_back: Option<GiveBack>,
}

pub(super) type GiveBack = Box<dyn FnOnce(Reader, Decoder) + Send>;

impl Arriving {
    pub(super) fn new(source: Source, idle: Duration) -> Self {
        Self { source, idle, received: Arc::default() }
    }

    pub(super) fn received(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.received)
    }

    /// Bytes to come, if known.
    pub(super) fn remaining(&self) -> Option<u64> {
        match &self.source {
            Source::Http1(source) => source.reading.as_ref()?.1.remaining(),
            Source::Http2 { left, .. } => *left,
            Source::Upgraded(_) => None,
        }
    }

    pub(super) fn take_upgraded(&mut self) -> Option<Upgraded> {
        match &mut self.source {
            Source::Upgraded(connection) => connection.take(),
            _ => None,
        }
    }

    pub(super) async fn part(&mut self) -> Result<Option<Bytes>, BodyError> {
        let part = timeout(self.idle, self.source.part());
        let part = part.await.unwrap_or(Err(BodyError::Timeout(self.idle)))?;
        self.received.fetch_add(part.as_ref().map_or(0, Bytes::len), Ordering::Relaxed);
        Ok(part)
    }
}

impl Source {
    pub(super) fn http1(reader: Reader, decoder: Decoder, give_back: GiveBack) -> Self {
        Self::Http1(Http1 { reading: Some((reader, decoder)), give_back: Some(give_back) })
    }

    async fn part(&mut self) -> Result<Option<Bytes>, BodyError> {
        match self {
            Self::Http1(Http1 { reading: Some((reader, decoder)), .. }) => decoder.part(reader).await,
            Self::Http1(_) | Self::Upgraded(_) => Ok(None),
            Self::Http2 { stream, left, decoded, limit } => {
                let mut part = Bytes::new();
                // A frame may be empty; a part is not.
                while part.is_empty() {
                    let Some(data) = stream.data().await else { return Ok(None) };
                    part = data.map_err(io::Error::other)?;
                }
                stream.flow_control().release_capacity(part.len()).map_err(io::Error::other)?;
                *decoded += part.len() as u64;
                *left = left.map(|left| left.saturating_sub(part.len() as u64));
                if *decoded > *limit { Err(BodyError::TooLarge(*limit)) } else { Ok(Some(part)) }
            }
        }
    }
}

impl Drop for Http1 {
    fn drop(&mut self) {
        if let (Some((reader, decoder)), Some(give_back)) = (self.reading.take(), self.give_back.take()) {
            give_back(reader, decoder);
        }
    }
}

impl fmt::Debug for Arriving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arriving").field("idle", &self.idle).finish_non_exhaustive()
    }
}
