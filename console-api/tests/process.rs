//! The program itself: what a start, a stop and a kill leave behind.
#![expect(clippy::unwrap_used, reason = "a failed step of the harness is a failed test")]

use serde_json::{Value, json};
use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, ChildStderr, Command, Output, Stdio},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_wallarm-console");

struct Console {
    process: Child,
    address: String,
    log: BufReader<ChildStderr>,
    /// The log up to the moment the console was ready.
    started: String,
}

impl Console {
    fn start(data: &Path) -> Self {
        let mut process = Command::new(PROGRAM)
            .args(["serve", "--listen", "127.0.0.1:0", "--log-format", "json", "--data"])
            .arg(data)
            .arg("--node-token-file")
            .arg(data.join("node-token"))
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(process.stderr.take().unwrap());
        let mut console = Self { process, log, address: String::new(), started: String::new() };
        while console.address.is_empty() {
            let mut line = String::new();
            assert!(console.log.read_line(&mut line).unwrap() > 0, "it ended: {}", console.started);
            console.started.push_str(&line);
            let event: Value = serde_json::from_str(&line).unwrap();
            event["address"].as_str().unwrap_or_default().clone_into(&mut console.address);
        }
        console
    }

    /// Sends a call and gives the answer, head and body.
    fn call(&self, token: &str, head: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let length = body.len();
        write!(
            stream,
            "{head} HTTP/1.1\r\nhost: console\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\nconnection: close\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        // Fails only when the process has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn token(data: &Path, name: &str) -> String {
    fs::read_to_string(data.join(name)).unwrap().trim().to_owned()
}

fn run(args: &[&str]) -> Output {
    Command::new(PROGRAM).args(args).output().unwrap()
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let mut console = Console::start(dir.path());
    let entry = json!({"not_inspected": {
        "id": "00000000-0000-7000-8000-000000000001", "request_id": "0".repeat(32), "reason": "node_timeout",
        "at": "2026-01-01T10:00:00Z",
    }});
    let node = json!({"id": "00000000-0000-7000-8000-000000000009", "version": "1"});
    let batch = json!({"node": node, "records": [entry]}).to_string();
    let answer = console.call(&token(dir.path(), "node-token"), "POST /api/v1/ingest", &batch);
    assert!(answer.contains(r#""stored":1"#), "{answer}");
    console.process.kill().unwrap();
    let console = Console::start(dir.path());
    let answer = console.call(&token(dir.path(), "admin-token"), "GET /api/v1/not-inspected", "");
    assert!(answer.contains(r#""total":1"#), "{answer}");
}

#[test]
fn it_stops_when_told_to() {
    let dir = tempfile::tempdir().unwrap();
    let mut console = Console::start(dir.path());
    let id = console.process.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert!(console.process.wait().unwrap().success());
    let mut rest = String::new();
    console.log.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("the console has stopped"), "{rest}");
}

#[test]
fn the_log_says_where_the_token_lies_and_not_what_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let console = Console::start(dir.path());
    let file = dir.path().join("admin-token");
    assert!(console.started.contains(file.to_str().unwrap()), "{}", console.started);
    assert!(!console.started.contains("wlc_"), "{}", console.started);
}

#[test]
fn a_token_made_beside_a_running_console_works_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let console = Console::start(dir.path());
    let data = dir.path().to_str().unwrap();
    let made = run(&["token", "create", "--data", data, "--role", "read_only", "--name", "Ann"]);
    let token = String::from_utf8(made.stdout).unwrap();
    assert!(console.call(token.trim(), "GET /api/v1/nodes", "").starts_with("HTTP/1.1 200"));
}

#[test]
fn a_start_that_fails_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let console = Console::start(dir.path());
    let data = dir.path().to_str().unwrap();
    let taken = run(&["serve", "--data", data, "--listen", &console.address]);
    let expected = format!("cannot listen on {}", console.address);
    assert_eq!(taken.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&taken.stderr).contains(&expected), "{taken:?}");

    let broken = tempfile::tempdir().unwrap();
    fs::write(broken.path().join("console.db"), "this is no database, though it is long enough").unwrap();
    let refused = run(&["serve", "--data", broken.path().to_str().unwrap(), "--listen", "127.0.0.1:0"]);
    assert_eq!(refused.status.code(), Some(1));
    let file = broken.path().join("console.db");
    let reason = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(reason.contains(file.to_str().unwrap()) && reason.contains("file is not a database"), "{reason}");

    let url = "mysql://ann:secret@127.0.0.1/console";
    let refused = run(&["serve", "--data", data, "--database-url", url, "--listen", "127.0.0.1:0"]);
    let reason = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        reason.contains("a database URL begins with postgres://") && !reason.contains("secret"),
        "{reason}"
    );
}
