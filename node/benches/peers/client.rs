//! A minimal keep-alive client, so that the benchmark measures the server.

use anyhow::Context as _;
use shared::InspectRequest;
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

const TIMEOUT: Duration = Duration::from_secs(20);

pub(crate) struct Client {
    address: SocketAddr,
    stream: Option<TcpStream>,
}

pub(crate) struct Reply {
    pub status: u16,
    pub body: Vec<u8>,
}

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address, stream: None }
    }

    /// Sends a request and reads the response. A broken connection is not used again.
    pub(crate) fn call(&mut self, request: &[u8]) -> anyhow::Result<Reply> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => connect(self.address)?,
        };
        stream.write_all(request)?;
        let (reply, keeps_open) = read_reply(&mut stream)?;
        self.stream = keeps_open.then_some(stream);
        Ok(reply)
    }
}

fn connect(address: SocketAddr) -> anyhow::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    Ok(stream)
}

fn read_reply(stream: &mut TcpStream) -> anyhow::Result<(Reply, bool)> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        read_more(stream, &mut bytes)?;
    };
    let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
    let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).context("no status line")?;
    let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(name));
    let length = header("content-length:").map_or(Ok(0), |value| value.trim().parse::<usize>())?;
    while bytes.len() < end + length {
        read_more(stream, &mut bytes)?;
    }
    let keeps_open = !header("connection:").is_some_and(|value| value.contains("close"));
    Ok((Reply { status, body: bytes[end..].to_vec() }, keeps_open))
}

fn read_more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> anyhow::Result<()> {
    let mut chunk = [0; 16 << 10];
    let count = stream.read(&mut chunk)?;
    anyhow::ensure!(count > 0, "the server closed the connection before the whole response arrived");
    bytes.extend_from_slice(&chunk[..count]);
    Ok(())
}

/// The HTTP/1.1 message of a viewer's request.
pub(crate) fn to_http(request: &InspectRequest) -> Vec<u8> {
    let body = request.body.as_ref().map(|body| body.0.as_slice()).unwrap_or_default();
    let query = if request.query.is_empty() { String::new() } else { format!("?{}", request.query) };
    let mut text = format!("{} {}{query} HTTP/1.1\r\n", request.method, request.path);
    let is_given = |name: &str| request.headers.iter().any(|(it, _)| it.eq_ignore_ascii_case(name));
    for (name, value) in &request.headers {
        text.extend([name, ": ", value, "\r\n"]);
    }
    if !is_given("host") {
        text.extend(["host: ", &request.host, "\r\n"]);
    }
    if !body.is_empty() && !is_given("content-length") {
        text.extend(["content-length: ", &body.len().to_string(), "\r\n"]);
    }
    text += "\r\n";
    [text.as_bytes(), body].concat()
}
