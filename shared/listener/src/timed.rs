//! Timeouts of a connection: bytes that do not arrive, or are not read, in time end it.

use crate::{ConnectionLimits, Peer};
use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep},
};

/// Counters shared by the calls and the byte stream of a connection.
#[derive(Debug, Default)]
pub(super) struct Activity {
    started: AtomicU64,
    /// Calls whose response has begun.
    responded: AtomicU64,
    /// Calls whose response has ended.
    finished: AtomicU64,
    received: AtomicU64,
    is_http2: AtomicBool,
}

/// A call in progress, until it is dropped.
pub(super) struct Call(Arc<Activity>);

impl Activity {
    pub(super) fn begin(self: &Arc<Self>, is_http2: bool) -> Call {
        self.is_http2.store(is_http2, Relaxed);
        self.started.fetch_add(1, Relaxed);
        Call(self.clone())
    }

    pub(super) fn responded_to_one(&self) {
        self.responded.fetch_add(1, Relaxed);
    }

    pub(super) fn responded(&self) -> u64 {
        self.responded.load(Relaxed)
    }

    pub(super) fn received(&self) -> u64 {
        self.received.load(Relaxed)
    }

    fn is_busy(&self) -> bool {
        self.started.load(Relaxed) != self.finished.load(Relaxed)
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.0.finished.fetch_add(1, Relaxed);
    }
}

/// The next bytes expected from the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    /// The rest of a request head, or the first one.
    Head,
    /// Another request, optionally.
    Request,
}

pub(super) struct Timed<IO> {
    io: IO,
    peer: Peer,
    activity: Arc<Activity>,
    limits: Arc<ConnectionLimits>,
    expected: Expected,
    deadline: Pin<Box<Sleep>>,
    /// Whether the deadline belongs to `expected`. It is set only when a read is pending.
    is_set: bool,
    /// At the time the deadline was last checked.
    finished: u64,
    /// Runs while the client reads nothing.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<IO> Timed<IO> {
    pub(super) fn new(io: IO, peer: Peer, activity: Arc<Activity>, limits: Arc<ConnectionLimits>) -> Self {
        let deadline = Box::pin(sleep(limits.header_timeout));
        Self {
            io,
            peer,
            activity,
            limits,
            expected: Expected::Head,
            deadline,
            is_set: true,
            finished: 0,
            stalled: None,
        }
    }

    fn on_received(&mut self, bytes: usize) {
        self.activity.received.fetch_add(bytes as u64, Relaxed);
        self.on_finished();
        // HTTP/2 has other frames than requests.
        if self.expected == Expected::Request && !self.activity.is_http2.load(Relaxed) {
            (self.expected, self.is_set) = (Expected::Head, false);
        }
    }

    fn on_finished(&mut self) {
        let finished = self.activity.finished.load(Relaxed);
        if self.finished != finished {
            (self.finished, self.expected, self.is_set) = (finished, Expected::Request, false);
        }
    }

    /// Polls the read timeout. While a call is in progress, its handler limits the time.
    fn poll_timeout(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.on_finished();
        if self.activity.is_busy() {
            return Poll::Pending;
        }
        if !self.is_set {
            let timeout = self.timeout();
            self.deadline.as_mut().reset(Instant::now() + timeout);
            self.is_set = true;
        }
        self.deadline.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }

    fn timeout(&self) -> Duration {
        match self.expected {
            Expected::Head => self.limits.header_timeout,
            Expected::Request if self.peer.is_verified() => self.limits.keep_alive_timeout,
            Expected::Request => self.limits.keep_alive_timeout.min(self.limits.header_timeout),
        }
    }

    fn watch<T>(&mut self, context: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let timeout = self.limits.write_timeout;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(timeout)));
        stalled.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<IO: AsyncRead + Unpin> AsyncRead for Timed<IO> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.io).poll_read(context, buffer);
        match read {
            Poll::Pending => this.poll_timeout(context),
            Poll::Ready(_) => {
                this.on_received(buffer.filled().len() - before);
                read
            }
        }
    }
}

impl<IO: AsyncWrite + Unpin> AsyncWrite for Timed<IO> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.io).poll_write(context, bytes);
        this.watch(context, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.io).poll_write_vectored(context, slices);
        this.watch(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut this.io).poll_flush(context);
        this.watch(context, flushed)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.io).poll_shutdown(context);
        this.watch(context, result)
    }
}
