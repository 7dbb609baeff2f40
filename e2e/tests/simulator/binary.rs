//! `cloudfront-sim` as people start it.

use std::fs;
use std::process::Stdio;

use e2e::http1::{Client, Request};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::harness::{eventually, process_state, zipped};

const SIMULATOR: &str = env!("CARGO_BIN_EXE_cloudfront-sim");

/// Answers with its process id and which call of its process this is.
const COUNTS: &str = "
import os
calls = 0
def lambda_handler(event, context):
    global calls
    calls += 1
    cf = event['Records'][0]['cf']
    message = cf.get('response') or cf['request']
    message['headers']['x-%d' % calls] = [{'value': str(os.getpid())}]
    return message";

#[tokio::test]
async fn no_process_outlives_a_stop() {
    outlives(15).await;
}

/// Nothing of ours can run then: the kernel hangs up on a stopped process group that loses its parent.
#[tokio::test]
async fn no_process_outlives_a_kill() {
    outlives(9).await;
}

/// Starts, serves one request at two triggers, gets the signal.
async fn outlives(signal: i32) {
    let directory = tempfile::tempdir().unwrap();
    let zip = directory.path().join("counts.zip");
    fs::write(&zip, zipped(&[("lambda_function.py", COUNTS, 0o644)])).unwrap();
    let origin =
        e2e::origin::Origin::start(tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap()).unwrap();
    let mut simulator = Command::new(SIMULATOR)
        .env("TMPDIR", directory.path())
        .args(["--listen", "127.0.0.1:0", "--origin", &origin.address().to_string()])
        .arg("--origin-response")
        .arg(&zip)
        .arg("--viewer-request")
        .arg(&zip)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(simulator.stdout.take().unwrap()).lines();
    let line = lines.next_line().await.unwrap().unwrap();
    let address = line.strip_prefix("listening on http://").unwrap().parse().unwrap();
    let response = Client::default().send(address, &Request::new("GET", "/", "a.example")).await.unwrap();
    assert_eq!(response.status, 200);
    let pid =
        ["x-1", "x-2"].into_iter().find_map(|name| response.headers.text(name)).unwrap().parse().unwrap();
    eventually("the function is frozen", || process_state(pid) == Some('T')).await;
    let id = simulator.id().unwrap().to_string();
    std::process::Command::new("kill").args([&format!("-{signal}"), &id]).status().unwrap();
    assert_eq!(simulator.wait().await.unwrap().success(), signal == 15);
    eventually("the function is gone", || matches!(process_state(pid), None | Some('Z'))).await;
}

#[tokio::test]
async fn mistakes_are_told_plainly() {
    let output = Command::new(SIMULATOR).args(["--viewer-request", "no-such.zip"]).output().await.unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && told.contains("error: cannot open no-such.zip: "), "{told}");
}
