//! A node with injected faults, over TLS.

mod certificates;
mod misbehave;

use misbehave::{forward, misbehave};
use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::AbortHandle,
};

pub use certificates::Certificates;

/// The fault of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Accepts the connection without a TLS handshake.
    NoHandshake,
    /// Certificate of an unknown authority.
    WrongAuthority,
    /// Certificate for another name.
    WrongName,
    /// Expired certificate.
    Expired,
    /// Receives the call and never responds.
    Hang,
    /// Closes the connection after receiving the call.
    HangUp,
    /// Responds with bytes that are not HTTP.
    Garbage,
    /// Closes the connection in the middle of the body.
    HalfReply,
    /// Sends the reply one byte per second.
    Trickle,
    /// Sends 100 MB.
    Flood,
    /// 503 Service Unavailable.
    Unavailable,
    /// 200 with a verdict for another request.
    ForeignVerdict,
    /// 202 to an in-line call.
    Accepted,
    /// Forwards to the node at this address, and closes the idle connection shortly after the
    /// response.
    ForgetsConnections(SocketAddr),
}

/// Dropping it closes its port.
pub struct FaultyNode {
    address: SocketAddr,
    state: Arc<State>,
    task: AbortHandle,
}

struct State {
    certificates: Certificates,
    fault: Mutex<Fault>,
    connections: AtomicU32,
}

impl FaultyNode {
    pub async fn start(certificates: Certificates) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let (fault, connections) = (Mutex::new(Fault::Hang), AtomicU32::default());
        let state = Arc::new(State { certificates, fault, connections });
        let serving = Arc::clone(&state);
        let accept = async move {
            while let Ok((caller, _)) = listener.accept().await {
                serving.connections.fetch_add(1, Ordering::SeqCst);
                let state = Arc::clone(&serving);
                // The caller may disconnect at any point.
                tokio::spawn(async move { state.serve(caller).await.ok() });
            }
        };
        Ok(Self { address, state, task: tokio::spawn(accept).abort_handle() })
    }

    /// The value of `wlrm_node_addr`, with the name in the certificate.
    pub fn address(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    /// Sets the fault of new connections.
    pub fn set(&self, fault: Fault) {
        *self.state.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }

    /// Number of connections so far.
    pub fn connections(&self) -> u32 {
        self.state.connections.load(Ordering::SeqCst)
    }
}

impl Drop for FaultyNode {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl State {
    async fn serve(&self, caller: TcpStream) -> io::Result<()> {
        let fault = *self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        if fault == Fault::NoHandshake {
            tokio::time::sleep(Duration::from_mins(5)).await;
            return Ok(());
        }
        let caller = self.certificates.acceptor(fault).accept(caller).await?;
        match fault {
            Fault::ForgetsConnections(node) => forward(caller, node).await,
            fault => misbehave(caller, fault).await,
        }
    }
}
