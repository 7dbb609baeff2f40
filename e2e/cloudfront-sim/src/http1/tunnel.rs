//! Upgraded connections, such as those of WebSocket: bytes in both directions.

use std::io;
use std::time::Duration;

use tokio::time::timeout;

use super::stream::{Reader, Writer};

/// A connection to an origin after `101 Switching Protocols`.
#[derive(Debug)]
pub(super) struct Upgraded {
    pub(super) reader: Reader,
    pub(super) writer: Writer,
}

/// The bytes of a tunnel so far.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    pub(super) from_viewer: usize,
    pub(super) to_viewer: usize,
}

/// Forwards bytes until the origin ends the connection or is silent for `idle`, or one side fails.
/// A viewer that stops sending still receives.
pub(super) async fn run(
    reader: &mut Reader,
    writer: &mut Writer,
    origin: &mut Upgraded,
    idle: Duration,
    traffic: &mut Traffic,
) {
    let down = pump(&mut origin.reader, writer, Some(idle), &mut traffic.to_viewer);
    let up = pump(reader, &mut origin.writer, None, &mut traffic.from_viewer);
    tokio::pin!(down);
    tokio::select! {
        _ = &mut down => {}
        ended = up => {
            if ended.is_ok() {
                let _ = down.await;
            }
        }
    }
}

/// Ends when `from` has ended, and ends `to`.
async fn pump(
    from: &mut Reader,
    to: &mut Writer,
    idle: Option<Duration>,
    count: &mut usize,
) -> io::Result<()> {
    loop {
        let forward = async {
            let Some(part) = from.some_or_end().await? else { return Ok(None) };
            to.write_within(&part, Duration::MAX).await?;
            Ok::<_, io::Error>(Some(part.len()))
        };
        let forwarded = match idle {
            Some(idle) => timeout(idle, forward).await?,
            None => forward.await,
        };
        match forwarded? {
            Some(length) => *count += length,
            None => return to.shutdown().await,
        }
    }
}
