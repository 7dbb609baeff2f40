//! The server: accepts connections, and shuts down gracefully.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use super::connection;
use super::{Body, Observer, Peer, Request, Response};

/// Length of the accept queue.
const BACKLOG: i32 = 4096;

/// The limits of one connection.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of a request line with its headers.
    pub head: usize,
    pub body: u64,
    /// How long a connection may stay open without a new request.
    pub idle: Duration,
    /// How long the head of a request may take to arrive, and each part of its body.
    pub read: Duration,
    /// How long a peer may read none of the response.
    pub write: Duration,
    /// How long the origin of an upgraded connection, such as a WebSocket, may send nothing.
    pub silence: Duration,
}

/// The options of a listener.
#[derive(Clone, Default)]
pub struct Options {
    pub limits: Limits,
    /// If set, every connection uses TLS.
    pub tls: Option<Arc<ServerConfig>>,
    pub observer: Option<Observer>,
}

/// A running server. Dropping it closes the listener and every connection.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    accepting: JoinHandle<()>,
    stop: watch::Sender<bool>,
    open: Arc<AtomicUsize>,
}

/// The state shared by all connections of a server.
pub(super) struct Service<H> {
    pub(super) handler: H,
    pub(super) options: Options,
    open: Arc<AtomicUsize>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: 64 * 1024,
            body: 20 * 1024 * 1024,
            idle: Duration::from_mins(1),
            read: Duration::from_secs(30),
            write: Duration::from_secs(30),
            silence: Duration::from_mins(10),
        }
    }
}

impl Server {
    /// Answers every request with the handler's response; one task per connection, requests in
    /// order.
    pub fn start<H, F>(listener: TcpListener, limits: Limits, handler: H) -> io::Result<Self>
    where
        H: Fn(Request, Peer) -> F + Send + Sync + 'static,
        F: Future<Output = Response> + Send + 'static,
    {
        Self::start_with(listener, Options { limits, ..Options::default() }, handler)
    }

    pub fn start_with<H, F>(listener: TcpListener, options: Options, handler: H) -> io::Result<Self>
    where
        H: Fn(Request, Peer) -> F + Send + Sync + 'static,
        F: Future<Output = Response> + Send + 'static,
    {
        let (handler, limit) = (Arc::new(handler), options.limits.body);
        Self::start_streaming(listener, options, move |request, peer| {
            let handler = Arc::clone(&handler);
            async move {
                match request.completed(limit).await {
                    Ok(request) => handler(request, peer).await.into(),
                    Err(refusal) => refusal.into(),
                }
            }
        })
    }

    /// The same with bodies that are read and sent while they arrive.
    pub fn start_streaming<H, F>(listener: TcpListener, options: Options, handler: H) -> io::Result<Self>
    where
        H: Fn(Request<Body>, Peer) -> F + Send + Sync + 'static,
        F: Future<Output = Response<Body>> + Send + 'static,
    {
        let address = listener.local_addr()?;
        // With the default, the kernel resets some of a thousand simultaneous connections.
        rustix::net::listen(&listener, BACKLOG)?;
        let (stop, stopped) = watch::channel(false);
        let open = Arc::new(AtomicUsize::new(0));
        let service = Arc::new(Service { handler, options, open: Arc::clone(&open) });
        let accepting = tokio::spawn(accept(listener, service, stopped));
        Ok(Self { address, accepting, stop, open })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Number of open connections.
    pub fn connections(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Accepts no more connections, closes idle ones, and waits for requests in progress, up to
    /// this long.
    pub async fn drain(mut self, limit: Duration) {
        self.stop.send_replace(true);
        let _ = timeout(limit, &mut self.accepting).await;
    }
}

impl<H> Service<H> {
    /// The observer of this request, with the request's head.
    pub(super) fn observed<B>(&self, request: &Request<B>) -> Option<(Observer, Request)> {
        let observer = Arc::clone(self.options.observer.as_ref()?);
        let Request { method, target, headers, .. } = request;
        let (method, target, headers) = (method.clone(), target.clone(), headers.clone());
        Some((observer, Request { method, target, headers, body: Vec::new() }))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("limits", &self.limits).finish_non_exhaustive()
    }
}

async fn accept<H, F>(listener: TcpListener, service: Arc<Service<H>>, mut stopped: watch::Receiver<bool>)
where
    H: Fn(Request<Body>, Peer) -> F + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let mut connections = JoinSet::new();
    let stop = stopped.clone();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.wait_for(|stopped| *stopped) => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                connections.spawn(counted(stream, peer, Arc::clone(&service), stop.clone()));
            }
            // Most likely out of file descriptors, which is temporary.
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn counted<H, F>(
    stream: TcpStream,
    peer: SocketAddr,
    service: Arc<Service<H>>,
    stop: watch::Receiver<bool>,
) where
    H: Fn(Request<Body>, Peer) -> F + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    struct Open(Arc<AtomicUsize>);
    impl Drop for Open {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::Relaxed);
        }
    }
    service.open.fetch_add(1, Ordering::Relaxed);
    // Also when the task is aborted.
    let _open = Open(Arc::clone(&service.open));
    connection::serve(stream, peer, service, stop).await;
}
