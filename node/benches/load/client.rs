//! A minimal client, so that the benchmark measures the server.

use anyhow::{Context as _, ensure};
use shared::{Encoding, INSPECT_REQUEST_PATH, InspectRequest};
use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
};

/// A kept-alive connection.
pub(crate) struct Client {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> anyhow::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.set_nodelay(true)?;
        let stream = socket.connect(address).await.context("cannot reach the node")?;
        Ok(Self { stream, received: Vec::with_capacity(4096) })
    }

    /// Sends a call and reads the response. Returns its status.
    pub(crate) async fn call(&mut self, call: &[u8]) -> anyhow::Result<u16> {
        self.stream.write_all(call).await?;
        self.received.clear();
        loop {
            let count = self.stream.read_buf(&mut self.received).await?;
            ensure!(count > 0, "the node closed the connection: {}", String::from_utf8_lossy(&self.received));
            if let Some(status) = complete_status(&self.received) {
                return status;
            }
        }
    }
}

/// The status of a response; `None` while it is incomplete.
fn complete_status(answer: &[u8]) -> Option<anyhow::Result<u16>> {
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n")? + 4;
    let read = || {
        let head = std::str::from_utf8(&answer[..end])?;
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.split('\r').next());
        let length: usize = length.context("no content-length")?.parse()?;
        let status: u16 = head.split(' ').nth(1).context("no status")?.parse()?;
        anyhow::Ok((length, status))
    };
    match read() {
        Ok((length, status)) => (answer.len() >= end + length).then_some(Ok(status)),
        Err(error) => Some(Err(error)),
    }
}

/// A call as made by a connector.
pub(crate) fn call(request: &InspectRequest) -> anyhow::Result<Vec<u8>> {
    let encoding = Encoding::MessagePack;
    let body = encoding.encode(request)?;
    let head = format!(
        "POST {INSPECT_REQUEST_PATH} HTTP/1.1\r\nhost: node\r\ncontent-type: {}\r\ncontent-length: {}\r\n\r\n",
        encoding.content_type(),
        body.len()
    );
    Ok([head.as_bytes(), &body].concat())
}
