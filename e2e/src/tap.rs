//! A TCP proxy between the functions and the node that records when bytes are sent to the node.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::AbortHandle,
};

/// Dropping it closes its port; open connections continue.
pub struct Tap {
    address: SocketAddr,
    sent: Arc<Mutex<Vec<Instant>>>,
    task: AbortHandle,
}

impl Tap {
    pub async fn start(target: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let (address, sent) = (listener.local_addr()?, Arc::default());
        let log = Arc::clone(&sent);
        let accept = async move {
            while let Ok((caller, _)) = listener.accept().await {
                tokio::spawn(carry(caller, target, Arc::clone(&log)));
            }
        };
        Ok(Self { address, sent, task: tokio::spawn(accept).abort_handle() })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Times at which bytes for the node arrived, in order.
    pub fn sent(&self) -> Vec<Instant> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(caller: TcpStream, target: SocketAddr, sent: Arc<Mutex<Vec<Instant>>>) {
    let Ok(node) = TcpStream::connect(target).await else { return };
    let ((mut from_caller, mut to_caller), (mut from_node, mut to_node)) =
        (caller.into_split(), node.into_split());
    let towards = async {
        let mut bytes = vec![0; 64 * 1024];
        loop {
            let read = from_caller.read(&mut bytes).await?;
            sent.lock().unwrap_or_else(PoisonError::into_inner).push(Instant::now());
            if read == 0 {
                return to_node.shutdown().await;
            }
            to_node.write_all(&bytes[..read]).await?;
        }
    };
    let back = async {
        tokio::io::copy(&mut from_node, &mut to_caller).await?;
        to_caller.shutdown().await
    };
    // Either side may disconnect; the other connection is then closed.
    let _ = tokio::try_join!(towards, back);
}
