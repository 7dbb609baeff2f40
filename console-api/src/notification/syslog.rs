//! Syslog messages (RFC 5424) over TLS (RFC 5425), over TCP (RFC 6587), both with octet counting, or
//! over UDP (RFC 5426).

use jiff::Timestamp;
use rustls::pki_types::ServerName;
use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpStream, UdpSocket},
    time::timeout,
};
use tokio_rustls::TlsConnector;
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

/// How messages travel.
pub(super) enum Transport<'a> {
    Udp,
    Tcp,
    /// The certificate must have this name.
    Tls(&'a TlsConnector, ServerName<'static>),
}

impl Transport<'_> {
    /// Sends a message to the first address that accepts it.
    pub(super) async fn send(&self, addresses: &[SocketAddr], message: &str) -> io::Result<()> {
        let mut last_error = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for address in addresses {
            match self.send_to(*address, message).await {
                Ok(()) => return Ok(()),
                Err(error) => last_error = error,
            }
        }
        Err(last_error)
    }

    async fn send_to(&self, address: SocketAddr, message: &str) -> io::Result<()> {
        match self {
            Self::Udp => in_datagram(address, message).await,
            Self::Tcp => write_frame(TcpStream::connect(address).await?, message).await,
            Self::Tls(connector, name) => {
                let tcp = TcpStream::connect(address).await?;
                write_frame(connector.connect(name.clone(), tcp).await?, message).await
            }
        }
    }
}

async fn in_datagram(address: SocketAddr, message: &str) -> io::Result<()> {
    let any: IpAddr =
        if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).await?;
    socket.send_to(message.as_bytes(), address).await?;
    Ok(())
}

/// Writes a message and ends the connection. Detects a reset or an alert of TLS: the server may not
/// have read the whole message.
async fn write_frame(mut stream: impl AsyncRead + AsyncWrite + Unpin, message: &str) -> io::Result<()> {
    stream.write_all(format!("{} {message}", message.len()).as_bytes()).await?;
    stream.shutdown().await?;
    match timeout(CLOSE_TIMEOUT, stream.read(&mut [0; 1])).await {
        // TLS: many servers close without `close_notify`.
        Ok(Err(error)) if error.kind() != io::ErrorKind::UnexpectedEof => Err(error),
        Ok(_) | Err(_) => Ok(()),
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
