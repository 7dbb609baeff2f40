//! Listeners: TLS, HTTP/1.1 and HTTP/2, and the limits of connections.
//!
//! | module | holds |
//! |---|---|
//! | [`tls`] | TLS with certificates that are reloaded while running |
//! | [`connection`] | one connection, HTTP/1.1 or HTTP/2, from its first byte to its last |
//! | [`descriptors`] | the limit of file descriptors |
//! | [`timed`] | timeouts of reads and writes |

mod connection;
pub mod descriptors;
mod timed;
pub mod tls;

use crate::{config::ConnectionLimits, metrics::counter};
use axum::Router;
use prometheus_client::{metrics::counter::Counter, registry::Registry};
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tls::Tls;
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::Semaphore,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{debug, warn};

/// The remote address of a connection, an extension of each of its requests.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// Connections that the kernel queues until they are accepted.
const BACKLOG: u32 = 4_096;

pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // Sockets of an earlier run in TIME_WAIT must not prevent a start.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Registers the counter of refused connections.
pub fn refused_counter(registry: &mut Registry) -> Counter {
    counter(registry, "connections_refused", "Connections closed on arrival, beyond the limit")
}

/// A bound listener and the service behind it.
pub struct Listener {
    pub socket: TcpListener,
    pub router: Router,
    /// Absent: plain HTTP.
    pub tls: Option<Tls>,
    pub limits: Arc<ConnectionLimits>,
    pub refused: Counter,
}

impl Listener {
    /// Pause after a failed accept, usually for lack of file descriptors.
    const PAUSE: Duration = Duration::from_millis(50);

    /// Serves connections until `stop`, then lets busy ones finish within the drain timeout.
    pub async fn serve(self, stop: CancellationToken) {
        let slots = Arc::new(Semaphore::new(self.limits.max_connections));
        let connections = TaskTracker::new();
        while let Some(accepted) = stop.run_until_cancelled(self.socket.accept()).await {
            let (stream, peer) = match accepted {
                Ok(connection) => connection,
                Err(cause) => {
                    warn!("cannot accept a connection: {cause}");
                    tokio::time::sleep(Self::PAUSE).await;
                    continue;
                }
            };
            let Ok(slot) = slots.clone().try_acquire_owned() else {
                self.refused.inc();
                continue;
            };
            let connection = self.serve_connection(stream, peer, stop.clone());
            connections.spawn(async move {
                if let Err(cause) = connection.await {
                    debug!("connection from {peer} ended: {cause}");
                }
                drop(slot);
            });
        }
        let Self { socket, limits, .. } = self;
        drop(socket);
        connections.close();
        if tokio::time::timeout(limits.drain_timeout, connections.wait()).await.is_err() {
            warn!("closing {} connections that are still busy after limits.drain_timeout", connections.len());
        }
    }

    fn serve_connection(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        stop: CancellationToken,
    ) -> impl Future<Output = io::Result<()>> + Send + 'static {
        let (tls, limits, router) = (self.tls.clone(), self.limits.clone(), self.router.clone());
        async move {
            // A verdict is one small write, which must not wait to fill a packet.
            stream.set_nodelay(true)?;
            let Some(tls) = tls else {
                return connection::serve(stream, Peer(peer), router, limits, stop).await;
            };
            let handshake = tokio::time::timeout(limits.header_timeout, tls.accept(stream)).await;
            connection::serve(handshake.map_err(io::Error::from)??, Peer(peer), router, limits, stop).await
        }
    }
}

#[cfg(test)]
mod tests;
