//! Faults after the TLS handshake.

use super::Fault;
use std::{io, net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::server::TlsStream;

pub(super) async fn misbehave(mut caller: TlsStream<TcpStream>, fault: Fault) -> io::Result<()> {
    // The first bytes prove that the call has arrived.
    let _ = caller.read(&mut [0; 4096]).await?;
    match fault {
        // The caller rejects the certificate; if it accepts it, the connection hangs.
        Fault::NoHandshake
        | Fault::WrongAuthority
        | Fault::WrongName
        | Fault::Expired
        | Fault::ForgetsConnections(_)
        | Fault::Hang => tokio::time::sleep(Duration::from_mins(5)).await,
        Fault::HangUp => {}
        Fault::Garbage => caller.write_all(b"\x16\x03\x01 what?\r\n\r\n").await?,
        Fault::HalfReply => {
            caller.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/msgpack\r\nContent-Length: 400\r\n\r\n\x8a").await?;
        }
        Fault::Trickle => {
            for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" {
                caller.write_all(&[*byte]).await?;
                caller.flush().await?;
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

/// Proxies to a node. After its response and a pause, the connection is closed.
pub(super) async fn forward(mut caller: TlsStream<TcpStream>, node: SocketAddr) -> io::Result<()> {
    const MOMENT: Duration = Duration::from_millis(50);
    let mut node = TcpStream::connect(node).await?;
    let (mut request, mut answered) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    let mut limit = Duration::from_mins(5);
    loop {
        tokio::select! {
            read = caller.read(&mut request) => match read? {
                0 => return Ok(()),
                read => node.write_all(&request[..read]).await?,
            },
            read = node.read(&mut answered) => match read? {
                0 => return Ok(()),
                read => {
                    caller.write_all(&answered[..read]).await?;
                    caller.flush().await?;
                    limit = MOMENT;
                }
            },
            () = tokio::time::sleep(limit) => return Ok(()),
        }
    }
}

/// A valid verdict with another request id, as handwritten MessagePack.
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
    let encoded =
        |text: &str| [&[0xd9, u8::try_from(text.len()).unwrap_or(u8::MAX)], text.as_bytes()].concat();
    let (last, others) = (encoded(TEXTS[9]), TEXTS[..9].iter().map(|text| encoded(text)).collect::<Vec<_>>());
    // A map of six: four texts, then true, then 1.
    let body = [vec![0x86], others.concat(), vec![0xc3], last, vec![1]].concat();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/msgpack\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.into_bytes(), body].concat()
}
