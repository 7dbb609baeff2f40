//! Bodies that are read while they arrive.

mod source;

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use bytes::Bytes;
use h2::RecvStream;

use super::framing::Decoder;
use super::stream::Reader;
use super::tunnel::Upgraded;
use super::{Request, Response};
use source::{Arriving, Source};

/// A body: complete, or arriving. Holds one part, and what was read ahead.
#[derive(Debug, Default)]
pub struct Body {
    ahead: Vec<u8>,
    rest: Option<Box<Arriving>>,
    taps: Vec<Box<dyn Tap>>,
}

/// A body that could not be read.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    #[error("the body is larger than {0} bytes")]
    TooLarge(u64),
    #[error("the framing of the body is ambiguous or malformed")]
    Framing,
    #[error("no byte of the body arrived within {0:?}")]
    Timeout(Duration),
    #[error("the connection failed within the body")]
    Io(#[from] io::Error),
}

/// Sees the parts of a body when they are taken. Dropped without `end`, the body was cut short.
pub(crate) trait Tap: fmt::Debug + Send {
    fn part(&mut self, _part: &[u8]) {}
    fn end(self: Box<Self>) {}
}

impl From<Vec<u8>> for Body {
    fn from(ahead: Vec<u8>) -> Self {
        Self { ahead, ..Self::default() }
    }
}

impl Body {
    pub(super) fn http1(
        reader: Reader,
        decoder: Decoder,
        idle: Duration,
        give_back: impl FnOnce(Reader, Decoder) + Send + 'static,
    ) -> Self {
        Self::arriving(Source::http1(reader, decoder, Box::new(give_back)), idle)
    }

    pub(super) fn http2(stream: RecvStream, left: Option<u64>, limit: u64, idle: Duration) -> Self {
        Self::arriving(Source::Http2 { stream, left, decoded: 0, limit }, idle)
    }

    pub(super) fn upgraded(connection: Upgraded) -> Self {
        Self::arriving(Source::Upgraded(Some(connection)), Duration::ZERO)
    }

    fn arriving(source: Source, idle: Duration) -> Self {
        Self { rest: Some(Box::new(Arriving::new(source, idle))), ..Self::default() }
    }

    /// All bytes, if they are here.
    pub fn complete(&self) -> Option<&[u8]> {
        self.rest.is_none().then_some(self.ahead.as_slice())
    }

    /// Takes all bytes, if they are here.
    pub(super) fn take_complete(&mut self) -> Option<Vec<u8>> {
        self.rest.is_none().then(|| std::mem::take(&mut self.ahead))
    }

    /// A copy, if all bytes are here.
    pub(crate) fn copy(&self) -> Option<Self> {
        self.complete().map(|all| all.to_vec().into())
    }

    /// The bytes that were read ahead.
    pub(crate) fn ahead(&self) -> &[u8] {
        &self.ahead
    }

    /// Its length, if known.
    pub(super) fn length(&self) -> Option<u64> {
        let rest = self.rest.as_ref().map_or(Some(0), |rest| rest.remaining());
        rest.map(|rest| rest + self.ahead.len() as u64)
    }

    /// The count of bytes from the connection, which is final when the body is dropped.
    pub(super) fn received(&self) -> Option<Arc<AtomicUsize>> {
        self.rest.as_ref().map(|rest| rest.received())
    }

    pub(super) fn take_upgraded(&mut self) -> Option<Upgraded> {
        self.rest.as_deref_mut()?.take_upgraded()
    }

    /// Adds an observer of the parts to come.
    pub(crate) fn tap(&mut self, tap: impl Tap + 'static) {
        self.taps.push(Box::new(tap));
    }

    /// Reads until at least this many bytes are here, or all.
    pub(crate) async fn read_ahead(&mut self, count: usize) -> Result<(), BodyError> {
        while self.ahead.len() < count
            && let Some(rest) = &mut self.rest
        {
            match rest.part().await? {
                Some(part) => self.ahead.extend_from_slice(&part),
                None => self.rest = None,
            }
        }
        Ok(())
    }

    /// The next bytes as soon as there are some; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Bytes>, BodyError> {
        let part = match &mut self.rest {
            _ if !self.ahead.is_empty() => Some(std::mem::take(&mut self.ahead).into()),
            Some(rest) => rest.part().await?,
            None => None,
        };
        if let Some(part) = &part {
            self.taps.iter_mut().for_each(|tap| tap.part(part));
        } else {
            self.rest = None;
            self.taps.drain(..).for_each(Tap::end);
        }
        Ok(part)
    }

    /// All of it.
    pub async fn read_to_end(mut self, limit: u64) -> Result<Vec<u8>, BodyError> {
        let mut all = std::mem::take(&mut self.ahead);
        while let Some(part) = self.next().await? {
            all.extend_from_slice(&part);
            if all.len() as u64 > limit {
                return Err(BodyError::TooLarge(limit));
            }
        }
        Ok(all)
    }
}

impl Request<Body> {
    /// With its complete body; else the response that refuses it.
    pub(super) async fn completed(mut self, limit: u64) -> Result<Request, Response> {
        let body = std::mem::take(&mut self.body);
        match body.read_to_end(limit).await {
            Ok(body) => Ok(self.with(body)),
            Err(error) => Err(Response::text(error.status(), format!("{error}\n"))),
        }
    }
}

impl BodyError {
    /// The status of the response to a request with such a body.
    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::TooLarge(_) => 413,
            Self::Timeout(_) => 408,
            Self::Framing | Self::Io(_) => 400,
        }
    }
}
