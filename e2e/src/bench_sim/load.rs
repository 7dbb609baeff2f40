//! Closed-loop load: each visitor sends its next request after the response.

use anyhow::{Context as _, ensure};
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
};

/// Warm-up time: environments start, and caches fill.
const WARM_UP: Duration = Duration::from_secs(2);

const REQUEST: &[u8] = b"GET /products?page=2 HTTP/1.1\r\nHost: shop.example.com\r\nUser-Agent: Mozilla/5.0\r\nAccept: */*\r\n\r\n";

#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    pub(super) connections: usize,
    pub(super) duration: Duration,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Measured {
    pub(super) served: u64,
    pub(super) per_second: f64,
    pub(super) p50: Duration,
    pub(super) p99: Duration,
}

impl Load {
    /// Any status other than 200 is an error.
    pub(super) async fn run(self, address: SocketAddr) -> anyhow::Result<Measured> {
        let from = Instant::now() + WARM_UP;
        let until = from + self.duration;
        let mut visitors = JoinSet::new();
        for _ in 0..self.connections {
            visitors.spawn(visit(address, from, until));
        }
        let mut latencies = Vec::new();
        while let Some(visitor) = visitors.join_next().await {
            latencies.extend(visitor??);
        }
        latencies.sort_unstable();
        let count = latencies.len();
        ensure!(count > 0, "no request was served");
        let (p50, p99) = (latencies[count / 2], latencies[(count * 99 / 100).min(count - 1)]);
        #[expect(clippy::cast_precision_loss, reason = "a rate")]
        let per_second = count as f64 / self.duration.as_secs_f64();
        Ok(Measured { served: count as u64, per_second, p50, p99 })
    }
}

/// The latencies of requests sent between the two times.
async fn visit(address: SocketAddr, from: Instant, until: Instant) -> anyhow::Result<Vec<Duration>> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (mut latencies, mut answer) = (Vec::new(), Vec::with_capacity(4096));
    loop {
        let start = Instant::now();
        if start >= until {
            return Ok(latencies);
        }
        stream.write_all(REQUEST).await?;
        read_answer(&mut stream, &mut answer).await?;
        if start >= from {
            latencies.push(start.elapsed());
        }
    }
}

async fn read_answer(stream: &mut TcpStream, answer: &mut Vec<u8>) -> anyhow::Result<()> {
    answer.clear();
    let end = loop {
        ensure!(stream.read_buf(answer).await? > 0, "the connection was closed");
        if let Some(at) = answer.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
    };
    let head = std::str::from_utf8(&answer[..end])?.to_ascii_lowercase();
    ensure!(head.starts_with("http/1.1 200 "), "the answer was {:?}", head.lines().next());
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.context("no Content-Length")?.parse()?;
    while answer.len() < end + length {
        ensure!(stream.read_buf(answer).await? > 0, "the connection was closed");
    }
    Ok(())
}
