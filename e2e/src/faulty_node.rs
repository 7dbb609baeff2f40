//! A node that does what nodes should not, over TLS.

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

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Accepts the connection and does not shake hands.
    NoHandshake,
    /// Shows a certificate of an authority nobody was told of.
    WrongAuthority,
    /// Shows a certificate for another name.
    WrongName,
    /// Shows a certificate whose time is over.
    Expired,
    /// Takes the call and says nothing.
    Hang,
    /// Closes the connection as soon as it has the call.
    HangUp,
    /// Answers something that is not HTTP.
    Garbage,
    /// Promises more than it sends, then closes.
    HalfReply,
    /// Sends its reply one byte a second.
    Trickle,
    /// Sends 100 MB.
    Flood,
    /// 503 Service Unavailable.
    Unavailable,
    /// 200 with a verdict for another request.
    ForeignVerdict,
    /// 202, as if nobody waited.
    Accepted,
    /// Answers as the node at this address does, and closes the connection a moment later, without a word.
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
                // The caller may go away at any point; that is its right.
                tokio::spawn(async move { state.serve(caller).await.ok() });
            }
        };
        Ok(Self { address, state, task: tokio::spawn(accept).abort_handle() })
    }

    /// As the connector's parameter has it: by the name in the certificate.
    pub fn address(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    /// For the connections to come.
    pub fn set(&self, fault: Fault) {
        *self.state.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }

    /// How many were made so far.
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
