//! Buffered connections.

use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::timeout;

use super::stream::Stream;

const READ_SIZE: usize = 16 * 1024;

/// A connection with the bytes read ahead: pipelined requests wait here.
#[derive(Debug)]
pub(super) struct Buffered {
    pub(super) stream: Stream,
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
    pub(super) fn new(stream: Stream) -> Self {
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

    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// The same for a slow peer: some bytes must be written within each `limit`.
    pub(super) async fn write_within(&mut self, mut bytes: &[u8], limit: Duration) -> io::Result<()> {
        while !bytes.is_empty() {
            match timeout(limit, self.stream.write(bytes)).await?? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                written => bytes = &bytes[written..],
            }
        }
        timeout(limit, self.stream.flush()).await?
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

    /// Reads exactly this many bytes.
    pub(super) async fn exactly(&mut self, count: usize) -> io::Result<Vec<u8>> {
        while self.bytes.len() < count {
            self.fill_or_end().await?;
        }
        Ok(self.take(0..count))
    }

    /// Reads to the end of the connection.
    pub(super) async fn rest(&mut self, limit: usize) -> io::Result<Option<Vec<u8>>> {
        while self.bytes.len() <= limit {
            if self.fill().await? == 0 {
                return Ok(Some(std::mem::take(&mut self.bytes)));
            }
        }
        Ok(None)
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
