//! Raw HTTP/1.1 calls from chosen loopback addresses.

use anyhow::Context as _;
use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

/// Time limit of a call of a hostile client.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A network other than that of the stack's own connections, for any number.
fn source(client: u32) -> Ipv4Addr {
    let [.., network, host] = client.to_be_bytes();
    Ipv4Addr::new(127, 66, network, host.max(1))
}

pub(super) async fn connect(to: SocketAddr, client: u32) -> anyhow::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((source(client), 0)))?;
    timeout(TIMEOUT, socket.connect(to)).await?.with_context(|| format!("cannot connect to {to}"))
}

/// Sends the bytes and returns the status. A receiver may refuse a call before it has read all.
pub(super) async fn call(to: SocketAddr, client: u32, bytes: &[u8]) -> anyhow::Result<u16> {
    let mut stream = connect(to, client).await?;
    let exchange = async {
        let _may_be_refused = stream.write_all(bytes).await;
        let mut line = [0; 12];
        stream.read_exact(&mut line).await?;
        let status = str::from_utf8(&line[9..])?;
        anyhow::Ok(status.parse()?)
    };
    timeout(TIMEOUT, exchange).await?.context("no status line")
}

/// A request with its body.
pub(super) fn post(path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n").into_bytes();
    for (name, value) in headers {
        bytes.extend(format!("{name}: {value}\r\n").into_bytes());
    }
    bytes.extend(format!("Content-Length: {}\r\n\r\n", body.len()).into_bytes());
    bytes.extend_from_slice(body);
    bytes
}
