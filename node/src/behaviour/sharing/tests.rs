//! Tests against a real server from Debian's packages.

use super::super::{BehaviourConfig, Control, Counted, Reaction};
use super::*;
use jiff::Timestamp;
use shared::{InspectRequest, RequestId};
use std::{
    env,
    io::Write as _,
    os::unix::net::UnixStream,
    process::{Child, Command, Stdio},
    time::Instant,
};
use tempfile::TempDir;

struct Server {
    child: Child,
    directory: TempDir,
}

impl Server {
    /// Absent where no server is installed, which is an error in CI.
    fn start() -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        for program in ["valkey-server", "redis-server"] {
            let started = Command::new(program)
                .args(["--port", "0", "--save", "", "--unixsocket"])
                .arg(directory.path().join("socket"))
                .current_dir(directory.path())
                .stdout(Stdio::null())
                .spawn();
            if let Ok(child) = started {
                let server = Self { child, directory };
                server.wait();
                return Some(server);
            }
        }
        assert!(env::var_os("CI").is_none(), "neither valkey-server nor redis-server is installed");
        // Not `eprintln`, which the test runner hides.
        let _ = writeln!(std::io::stderr(), "skipped: neither valkey-server nor redis-server is installed");
        None
    }

    fn wait(&self) {
        let start = Instant::now();
        while UnixStream::connect(self.directory.path().join("socket")).is_err() {
            assert!(start.elapsed() < Duration::from_secs(30), "the server does not start");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn url(&self) -> String {
        format!("redis+unix://{}", self.directory.path().join("socket").display())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A node's behavior, sharing until the test ends.
fn node(url: &str, threshold: usize, reaction: Reaction) -> Arc<Behaviour> {
    let control = Control {
        attack_type: "brute".into(),
        host: None,
        path: None,
        counted: Counted::Requests,
        threshold,
        within: Duration::from_mins(10),
        reaction,
        duration: Duration::from_mins(1),
    };
    let config = BehaviourConfig {
        max_sources: 100,
        payloads: None,
        controls: vec![control],
        shared_url: Some(url.to_owned()),
    };
    let (behaviour, sharing) = Behaviour::build(&config).unwrap();
    tokio::spawn(sharing.unwrap().run(behaviour.clone(), CancellationToken::new()));
    behaviour
}

/// Sends a request. Returns whether it exceeded the threshold.
fn send(node: &Behaviour, n: usize) -> bool {
    let request = r#"{"client_ip": "203.0.113.1", "method": "GET", "host": "h", "path": "/login"}"#;
    let request: InspectRequest = serde_json::from_str(request).unwrap();
    let id = RequestId::derive("E1", &n.to_string());
    let observed = node.request(&request, id, &[], Timestamp::now());
    !observed.listings.is_empty() || observed.retry_after.is_some()
}

/// Repeats a request, which counts once, until it exceeds the threshold.
async fn repeat_until_exceeded(node: &Behaviour, n: usize) {
    let start = Instant::now();
    while !send(node, n) {
        assert!(start.elapsed() < Duration::from_secs(30), "the nodes do not share");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn counts_requests_of_several_nodes_together() {
    let Some(server) = Server::start() else { return };
    let nodes = [(); 2].map(|()| node(&server.url(), 3, Reaction::Deny));
    for n in 0..4 {
        assert!(!send(&nodes[n % 2], n), "neither node has seen more than two");
    }
    repeat_until_exceeded(&nodes[0], 0).await;
    repeat_until_exceeded(&nodes[1], 1).await;
}

#[tokio::test]
async fn shares_a_rate_limit_between_nodes() {
    let Some(server) = Server::start() else { return };
    let nodes = [(); 2].map(|()| node(&server.url(), 2, Reaction::Limit));
    assert!(!send(&nodes[0], 0) && !send(&nodes[0], 1));
    // New requests each time: alone, the second node would admit two.
    let start = Instant::now();
    let mut n = 2;
    while !send(&nodes[1], n) {
        n += 1;
        assert!(start.elapsed() < Duration::from_secs(30));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!(n <= 4, "{n}");
}

#[tokio::test]
async fn without_the_server_each_node_counts_alone() {
    let node = node("redis://127.0.0.1:1", 1, Reaction::Deny);
    assert!(!send(&node, 0) && send(&node, 1));
    let start = Instant::now();
    while node.stats().unshared == 0 {
        assert!(start.elapsed() < Duration::from_secs(30));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
