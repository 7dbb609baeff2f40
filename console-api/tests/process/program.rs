//! The program, started on a data directory.

use serde_json::Value;
use std::{
    fs,
    io::{self, BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, ChildStderr, Command, Stdio},
};

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_wallarm-console");

pub(crate) struct Console {
    pub(crate) process: Child,
    pub(crate) address: String,
    pub(crate) log: BufReader<ChildStderr>,
    /// The log until the console was ready.
    pub(crate) started: String,
}

impl Console {
    pub(crate) fn start(data: &Path) -> Self {
        Self::start_with(data, &[])
    }

    pub(crate) fn start_with(data: &Path, options: &[&str]) -> Self {
        let mut process = Command::new(PROGRAM)
            .args(["serve", "--listen", "127.0.0.1:0", "--log-format", "json", "--data"])
            .arg(data)
            .args(options)
            .arg("--node-token-file")
            .arg(data.join("node-token"))
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(process.stderr.take().unwrap());
        let mut console = Self { process, log, address: String::new(), started: String::new() };
        while console.address.is_empty() {
            let mut line = String::new();
            assert!(console.log.read_line(&mut line).unwrap() > 0, "the console ended: {}", console.started);
            console.started.push_str(&line);
            let event: Value = serde_json::from_str(&line).unwrap();
            event["address"].as_str().unwrap_or_default().clone_into(&mut console.address);
        }
        console
    }

    /// Sends a call, and returns the response with its header. `line` is the method and the path.
    pub(crate) fn call(&self, token: &str, line: &str, body: &str) -> String {
        call(&self.address, token, line, body).unwrap()
    }
}

/// Sends a call to an address, which may be unreachable.
pub(crate) fn call(address: &str, token: &str, line: &str, body: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    let length = body.len();
    write!(
        stream,
        "{line} HTTP/1.1\r\nhost: console\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

impl Drop for Console {
    fn drop(&mut self) {
        // Fails only if the process has already ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(crate) fn token(data: &Path, name: &str) -> String {
    fs::read_to_string(data.join(name)).unwrap().trim().to_owned()
}

/// The JSON body of a response.
pub(crate) fn json_of(answer: &str) -> Value {
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
}
