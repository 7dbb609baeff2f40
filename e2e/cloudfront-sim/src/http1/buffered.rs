//! Buffered connections.

use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

use super::stream::{Reader, Stream, Writer};

const READ_SIZE: usize = 16 * 1024;

/// A connection with the bytes read ahead: pipelined requests wait here.
#[derive(Debug)]
pub(super) struct Buffered<S = Stream> {
    stream: S,
    bytes: Vec<u8>,
}

/// The end of a head in the buffer, or why there is none.
pub(super) enum HeadEnd {
    At(Vec<u8>),
    /// The peer closed the connection before sending anything.
    Closed,
    /// The peer closed the connection within the head.
    CutShort,
    /// `line_ended`: whether the first line was complete.
    TooLong {
        line_ended: bool,
    },
}

impl Buffered {
    /// Its two directions, which different tasks may use.
    pub(super) fn split(self) -> (Reader, Writer) {
        let (reader, writer) = tokio::io::split(self.stream);
        (Buffered { stream: reader, bytes: self.bytes }, Writer::new(writer))
    }
}

impl<S: AsyncRead + Unpin> Buffered<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, bytes: Vec::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The bytes read ahead.
    pub(super) fn unread(&self) -> &[u8] {
        &self.bytes
    }

    /// Reads once; zero means that the peer closed its side.
    pub(super) async fn fill(&mut self) -> io::Result<usize> {
        self.bytes.reserve(READ_SIZE);
        self.stream.read_buf(&mut self.bytes).await
    }

    /// Reads a head with its empty line. Empty lines before it are skipped, as RFC 9112 requires.
    pub(super) async fn head(&mut self, limit: usize) -> io::Result<HeadEnd> {
        let mut searched = 0;
        loop {
            self.skip_empty_lines();
            if let Some(end) = head_end(&self.bytes, searched).filter(|end| *end <= limit) {
                return Ok(HeadEnd::At(self.take(0..end)));
            }
            if self.bytes.len() > limit {
                return Ok(HeadEnd::TooLong { line_ended: self.bytes[..limit].contains(&b'\n') });
            }
            searched = self.bytes.len();
            if self.fill().await? == 0 {
                return Ok(if self.is_empty() { HeadEnd::Closed } else { HeadEnd::CutShort });
            }
        }
    }

    /// Reads one line without its line ending.
    pub(super) async fn line(&mut self, limit: usize) -> io::Result<Vec<u8>> {
        loop {
            if let Some(end) = self.bytes.iter().position(|byte| *byte == b'\n') {
                let mut line = self.take(0..end + 1);
                line.pop();
                line.pop_if(|byte| *byte == b'\r');
                return Ok(line);
            }
            if self.bytes.len() > limit {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "line too long"));
            }
            self.fill_or_end().await?;
        }
    }

    /// Takes exactly this many bytes if they were read ahead.
    pub(super) fn here(&mut self, count: u64) -> Option<Vec<u8>> {
        let count = usize::try_from(count).ok().filter(|count| *count <= self.bytes.len())?;
        Some(self.take(0..count))
    }

    /// Reads exactly this many bytes.
    pub(super) async fn exactly(&mut self, count: usize) -> io::Result<Vec<u8>> {
        while self.bytes.len() < count {
            self.fill_or_end().await?;
        }
        Ok(self.take(0..count))
    }

    /// Reads some bytes, at most this many.
    pub(super) async fn some(&mut self, most: u64) -> io::Result<Bytes> {
        if self.is_empty() {
            self.fill_or_end().await?;
        }
        if self.bytes.len() as u64 <= most {
            return Ok(std::mem::take(&mut self.bytes).into());
        }
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        Ok(self.take(0..most).into())
    }

    /// The same, or `None` at the end of the connection.
    pub(super) async fn some_or_end(&mut self) -> io::Result<Option<Bytes>> {
        if self.is_empty() && self.fill().await? == 0 {
            return Ok(None);
        }
        Ok(Some(std::mem::take(&mut self.bytes).into()))
    }

    async fn fill_or_end(&mut self) -> io::Result<()> {
        match self.fill().await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    fn take(&mut self, range: Range<usize>) -> Vec<u8> {
        self.bytes.drain(range).collect()
    }

    fn skip_empty_lines(&mut self) {
        let empty = self.bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        self.bytes.drain(..empty);
    }
}

/// For HTTP/2, which continues on a connection whose first bytes were read ahead.
impl AsyncRead for Buffered {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.is_empty() {
            return Pin::new(&mut this.stream).poll_read(context, into);
        }
        let count = this.bytes.len().min(into.remaining());
        into.put_slice(&this.take(0..count));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Buffered {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

/// The length of a head with its empty line. A bare line feed ends a line too, as in httparse.
fn head_end(bytes: &[u8], searched: usize) -> Option<usize> {
    let from = searched.saturating_sub(3).min(bytes.len());
    let ends = |at: usize| match &bytes[at..] {
        [b'\n', b'\n', ..] => Some(at + 2),
        [b'\n', b'\r', b'\n', ..] => Some(at + 3),
        _ => None,
    };
    (from..bytes.len()).find_map(ends)
}
