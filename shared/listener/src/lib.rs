//! The HTTP listener of the node and the console: TLS, HTTP/1.1 and HTTP/2, and the limits of
//! connections.
//!
//! | module | holds |
//! |---|---|
//! | [`tls`] | TLS with certificates that are reloaded while running |
//! | [`limits`] | the limits of connections |
//! | [`call_memory`] | the memory of calls of unverified peers |
//! | [`connection`] | one connection, HTTP/1.1 or HTTP/2, from its first byte to its last |
//! | [`peer`] | the other ends of connections, and whether they have made an accepted call |
//! | [`shares`] | shares of memory or connections, by network |
//! | [`descriptors`] | the limit of file descriptors |
//! | [`timed`] | timeouts of reads and writes |

mod call_memory;
mod connection;
pub mod descriptors;
mod limits;
mod peer;
mod shares;
mod timed;
pub mod tls;

pub use limits::{ConnectionLimits, Recycle};
pub use peer::Peer;
pub use shares::{Share, Shares, network};

use axum::Router;
use call_memory::{CallMemory, ConnectionMemory};
use peer::Unverified;
use prometheus_client::metrics::counter::Counter;
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tls::Tls;
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{debug, warn};

/// Connections that the kernel queues until they are accepted.
const BACKLOG: u32 = 4_096;

pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // Sockets of an earlier run in TIME_WAIT must not prevent a start.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// A bound listener and the service behind it.
pub struct Listener {
    pub socket: TcpListener,
    pub router: Router,
    /// Absent: plain HTTP.
    pub tls: Option<Tls>,
    pub limits: Arc<ConnectionLimits>,
    /// Connections closed on arrival, and calls of unverified peers, beyond a limit.
    pub refused: Counter,
}

impl Listener {
    /// Pause after a failed accept, usually for lack of file descriptors.
    const PAUSE: Duration = Duration::from_millis(50);

    /// Serves connections until `stop`, then lets busy ones finish within the drain timeout.
    pub async fn serve(self, stop: CancellationToken) {
        let slots = Arc::new(Semaphore::new(self.limits.max_connections));
        let unverified = Unverified::of(self.limits.max_unverified);
        let connections = TaskTracker::new();
        let memory = CallMemory::of(self.limits.max_unverified_bytes, self.refused.clone());
        while let Some(accepted) = stop.run_until_cancelled(self.socket.accept()).await {
            let (stream, address) = match accepted {
                Ok(connection) => connection,
                Err(cause) => {
                    warn!("cannot accept a connection: {cause}");
                    tokio::time::sleep(Self::PAUSE).await;
                    continue;
                }
            };
            let close = CancellationToken::new();
            let peer = unverified.enter(address, close.clone());
            let Some(slot) = Self::slot(&slots, &unverified).await else {
                self.refused.inc();
                continue;
            };
            let connection = self.serve_connection(
                stream,
                peer,
                memory.connection(address.ip(), close.clone()),
                stop.clone(),
            );
            connections.spawn(async move {
                if let Some(Err(cause)) = close.run_until_cancelled(connection).await {
                    debug!("connection from {address} ended: {cause}");
                }
                drop(slot);
            });
        }
        let Self { socket, limits, .. } = self;
        drop(socket);
        connections.close();
        if tokio::time::timeout(limits.drain_timeout, connections.wait()).await.is_err() {
            warn!("closing {} connections that are still busy after the drain timeout", connections.len());
        }
    }

    /// A slot, that of the oldest unverified connection if all are in use.
    async fn slot(slots: &Arc<Semaphore>, unverified: &Unverified) -> Option<OwnedSemaphorePermit> {
        if let Ok(slot) = slots.clone().try_acquire_owned() {
            return Some(slot);
        }
        if !unverified.close_oldest() {
            return None;
        }
        tokio::time::timeout(Self::PAUSE, slots.clone().acquire_owned()).await.ok()?.ok()
    }

    fn serve_connection(
        &self,
        stream: TcpStream,
        peer: Peer,
        memory: ConnectionMemory,
        stop: CancellationToken,
    ) -> impl Future<Output = io::Result<()>> + Send + 'static {
        let (tls, limits, router) = (self.tls.clone(), self.limits.clone(), self.router.clone());
        async move {
            // A verdict is one small write, which must not wait to fill a packet.
            stream.set_nodelay(true)?;
            let Some(tls) = tls else {
                return connection::serve(stream, peer, router, (limits, memory), stop).await;
            };
            let handshake = tokio::time::timeout(limits.header_timeout, tls.accept(stream)).await;
            connection::serve(handshake.map_err(io::Error::from)??, peer, router, (limits, memory), stop)
                .await
        }
    }
}

#[cfg(test)]
mod tests;
