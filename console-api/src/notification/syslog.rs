//! Syslog messages (RFC 5424) over UDP (RFC 5426), or over TCP with octet counting (RFC 6587).

use crate::webhook::Protocol;
use jiff::Timestamp;
use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpStream, UdpSocket},
    time::timeout,
};
use uuid::Uuid;

/// Facility `local0`, severity `warning`.
const PRIORITY: u8 = 16 * 8 + 4;
/// The time in which a server may close the connection.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// The message with a line as its text. Host and process are nil; the id is that of the delivery.
pub(super) fn message(id: Uuid, at: Timestamp, line: &str) -> String {
    // A message's id has at most 32 characters.
    let id = id.simple();
    format!("<{PRIORITY}>1 {at:.3} - wallarm-console - {id} - {line}")
}

/// Sends a message to the first address that accepts it.
pub(super) async fn send(protocol: Protocol, addresses: &[SocketAddr], message: &str) -> io::Result<()> {
    let mut last_error = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in addresses {
        let sent = match protocol {
            Protocol::SyslogUdp => in_datagram(*address, message).await,
            _ => over_connection(*address, message).await,
        };
        match sent {
            Ok(()) => return Ok(()),
            Err(error) => last_error = error,
        }
    }
    Err(last_error)
}

async fn in_datagram(address: SocketAddr, message: &str) -> io::Result<()> {
    let any: IpAddr =
        if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).await?;
    socket.send_to(message.as_bytes(), address).await?;
    Ok(())
}

/// Detects a reset: the server may not have read the whole message.
async fn over_connection(address: SocketAddr, message: &str) -> io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(format!("{} {message}", message.len()).as_bytes()).await?;
    stream.shutdown().await?;
    match timeout(CLOSE_TIMEOUT, stream.read(&mut [0; 1])).await {
        Ok(Err(error)) => Err(error),
        Ok(Ok(_)) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_the_fields_of_the_rfc() {
        let at = "2026-01-02T03:04:05.6789Z".parse().unwrap();
        assert_eq!(
            message(Uuid::nil(), at, "CEF:0|a"),
            "<132>1 2026-01-02T03:04:05.678Z - wallarm-console - 00000000000000000000000000000000 - CEF:0|a"
        );
    }
}
