//! A no-op function that returns its request at negligible cost, so that the simulator is measured.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

use serde::Deserialize;
use serde_json::value::RawValue;

/// The hidden subcommand that runs this function.
pub const SUBCOMMAND: &str = "does-nothing";

const NEXT: &[u8] = b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: runtime\r\n\r\n";

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow, rename = "Records")]
    records: [Record<'a>; 1],
}

#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow)]
    cf: Cf<'a>,
}

#[derive(Deserialize)]
struct Cf<'a> {
    #[serde(borrow)]
    request: &'a RawValue,
}

/// Serves until the Runtime API closes the connection.
pub fn serve() -> io::Result<()> {
    let api = std::env::var("AWS_LAMBDA_RUNTIME_API").map_err(io::Error::other)?;
    let stream = TcpStream::connect(api)?;
    stream.set_nodelay(true)?;
    let mut api = BufReader::new(stream);
    loop {
        api.get_mut().write_all(NEXT)?;
        let (id, event) = read(&mut api)?;
        let event: Event = serde_json::from_slice(&event)?;
        let request = event.records[0].cf.request.get();
        let length = request.len();
        let answer = format!(
            "POST /2018-06-01/runtime/invocation/{id}/response HTTP/1.1\r\nHost: runtime\r\nContent-Length: {length}\r\n\r\n{request}"
        );
        api.get_mut().write_all(answer.as_bytes())?;
        read(&mut api)?;
    }
}

/// The request id, if any, and the body.
fn read(from: &mut BufReader<TcpStream>) -> io::Result<(String, Vec<u8>)> {
    let (mut id, mut length, mut line) = (String::new(), 0, String::new());
    loop {
        line.clear();
        if from.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if line.trim_end().is_empty() {
            break;
        }
        match line.split_once(':').map(|(name, value)| (name.to_ascii_lowercase(), value.trim())) {
            Some((name, value)) if name == "lambda-runtime-aws-request-id" => value.clone_into(&mut id),
            Some((name, value)) if name == "content-length" => {
                length = value.parse().map_err(io::Error::other)?;
            }
            _ => {}
        }
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body)?;
    Ok((id, body))
}
