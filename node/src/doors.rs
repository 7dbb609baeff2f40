//! How connections come in, and how long they may stay.
//!
//! | module | holds |
//! |---|---|
//! | [`limits`] | what a listener grants |
//! | [`tls`] | TLS, with a certificate that may change under way |
//! | [`connection`] | one connection, HTTP/1.1 or HTTP/2, from its first byte to its last |
//! | [`descriptors`] | how many of them there can be |
//! | [`timed`] | its bytes against the clock |

mod connection;
pub mod descriptors;
pub mod limits;
mod timed;
pub mod tls;

use crate::metrics::Metrics;
use axum::Router;
use limits::Limits;
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tls::Tls;
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::Semaphore,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{debug, warn};

/// Who is at the other end of a connection; an extension of each of its requests.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// Connections that the kernel may hold until they are accepted.
const BACKLOG: u32 = 4_096;

pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // Connections of an earlier run that are not quite gone do not keep us from starting.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// A listener, and what happens to whoever comes.
pub struct Door {
    pub listener: TcpListener,
    pub router: Router,
    /// Absent: plain HTTP.
    pub tls: Option<Tls>,
    pub limits: Arc<Limits>,
    pub metrics: Arc<Metrics>,
}

impl Door {
    /// After a failure to accept, which is mostly a want of file descriptors: others have to close first.
    const PAUSE: Duration = Duration::from_millis(50);

    /// Takes connections until `stop`, then lets those that are busy finish, for the drain time at most.
    pub async fn serve(self, stop: CancellationToken) {
        let slots = Arc::new(Semaphore::new(self.limits.max_connections));
        let connections = TaskTracker::new();
        while let Some(accepted) = stop.run_until_cancelled(self.listener.accept()).await {
            let (stream, peer) = match accepted {
                Ok(connection) => connection,
                Err(cause) => {
                    warn!("a connection cannot be accepted: {cause}");
                    tokio::time::sleep(Self::PAUSE).await;
                    continue;
                }
            };
            let Ok(slot) = slots.clone().try_acquire_owned() else {
                self.metrics.connections_refused.inc();
                continue;
            };
            let visit = self.visit(stream, peer, stop.clone());
            connections.spawn(async move {
                if let Err(cause) = visit.await {
                    debug!("the connection of {peer} ended: {cause}");
                }
                drop(slot);
            });
        }
        let Self { listener, limits, .. } = self;
        drop(listener);
        connections.close();
        if tokio::time::timeout(limits.drain_timeout, connections.wait()).await.is_err() {
            warn!("{} connections were still busy and are cut off", connections.len());
        }
    }

    fn visit(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        stop: CancellationToken,
    ) -> impl Future<Output = io::Result<()>> + Send + 'static {
        let (tls, limits, router) = (self.tls.clone(), self.limits.clone(), self.router.clone());
        async move {
            // A verdict is one small write: nobody should wait for a second one to fill the packet.
            stream.set_nodelay(true)?;
            let Some(tls) = tls else {
                return connection::serve(stream, Peer(peer), router, limits, stop).await;
            };
            let shaken = tokio::time::timeout(limits.header_timeout, tls.accept(stream)).await;
            connection::serve(shaken.map_err(io::Error::from)??, Peer(peer), router, limits, stop).await
        }
    }
}

#[cfg(test)]
mod tests;
