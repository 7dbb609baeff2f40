//! A node that does what nodes should not.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::AbortHandle,
};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
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
}

impl Fault {
    pub const ALL: [Self; 9] = [
        Self::Hang,
        Self::HangUp,
        Self::Garbage,
        Self::HalfReply,
        Self::Trickle,
        Self::Flood,
        Self::Unavailable,
        Self::ForeignVerdict,
        Self::Accepted,
    ];
}

/// Dropping it closes its port.
pub struct FaultyNode {
    address: SocketAddr,
    fault: Arc<Mutex<Fault>>,
    task: AbortHandle,
}

impl FaultyNode {
    pub async fn start(fault: Fault) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let (address, fault) = (listener.local_addr()?, Arc::new(Mutex::new(fault)));
        let current = Arc::clone(&fault);
        let accept = async move {
            while let Ok((caller, _)) = listener.accept().await {
                let fault = *current.lock().unwrap_or_else(PoisonError::into_inner);
                // The caller may go away at any point; that is its right.
                tokio::spawn(async move { misbehave(caller, fault).await.ok() });
            }
        };
        Ok(Self { address, fault, task: tokio::spawn(accept).abort_handle() })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// For the connections to come.
    pub fn set(&self, fault: Fault) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }
}

impl Drop for FaultyNode {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn misbehave(mut caller: TcpStream, fault: Fault) -> io::Result<()> {
    // Enough to know that the call has come.
    let _ = caller.read(&mut [0; 4096]).await?;
    match fault {
        Fault::Hang => tokio::time::sleep(Duration::from_mins(5)).await,
        Fault::HangUp => {}
        Fault::Garbage => caller.write_all(b"\x16\x03\x01 what?\r\n\r\n").await?,
        Fault::HalfReply => {
            caller.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/msgpack\r\nContent-Length: 400\r\n\r\n\x8a").await?;
        }
        Fault::Trickle => {
            for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" {
                caller.write_all(&[*byte]).await?;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
        Fault::Flood => {
            caller.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n").await?;
            let chunk = vec![b'x'; 1_000_000];
            for _ in 0..100 {
                caller.write_all(&chunk).await?;
            }
        }
        Fault::Unavailable => {
            caller.write_all(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n").await?;
        }
        Fault::ForeignVerdict => caller.write_all(&foreign_verdict()).await?,
        Fault::Accepted => caller.write_all(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n").await?,
    }
    caller.shutdown().await
}

/// A verdict as it should be, but for the request's id; in MessagePack, spelled by hand.
fn foreign_verdict() -> Vec<u8> {
    const TEXTS: [&str; 10] = [
        "request_id",
        "00000000000000000000000000000000",
        "action",
        "block",
        "mode",
        "block",
        "mode_source",
        "config",
        "would_block",
        "analysis_micros",
    ];
    let spelled =
        |text: &str| [&[0xd9, u8::try_from(text.len()).unwrap_or(u8::MAX)], text.as_bytes()].concat();
    let (last, others) = (spelled(TEXTS[9]), TEXTS[..9].iter().map(|text| spelled(text)).collect::<Vec<_>>());
    // A map of six: four texts, then true, then 1.
    let body = [vec![0x86], others.concat(), vec![0xc3], last, vec![1]].concat();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/msgpack\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.into_bytes(), body].concat()
}
