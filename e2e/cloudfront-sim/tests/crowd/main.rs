//! A thousand simultaneous visitors, some slow, some disconnecting: no leak, no stuck request.
//!
//! A test program of its own, since it counts the files and threads of its process.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "the other tests use the rest")]
#[path = "../simulator/harness.rs"]
mod harness;

use std::fs;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use cloudfront_sim::http1::{Client, Request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use harness::{Edge, configured};

const VISITORS: usize = 1_000;

/// Requests per connection.
const REQUESTS: usize = 3;

/// Long enough for a busy machine.
const TIMEOUT: Duration = Duration::from_mins(2);

const PASSES: &str = "def lambda_handler(event, context):\n    return event['Records'][0]['cf']['request']";

/// Open files and threads of this process.
fn open_files_and_threads() -> (usize, usize) {
    let count = |what| fs::read_dir(format!("/proc/self/{what}")).unwrap().count();
    (count("fd"), count("task"))
}

async fn read_response(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut answer = Vec::new();
    while !answer.ends_with(b"hello from the origin\n") {
        if stream.read_buf(&mut answer).await? == 0 {
            break;
        }
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// One visitor's connection.
async fn visit(address: SocketAddr, number: usize) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    let get = format!("GET /{number} HTTP/1.1\r\nHost: a.example\r\n\r\n");
    match number % 10 {
        // An upload that is aborted: half by a reset, half by a close.
        0 => {
            stream
                .write_all(b"POST /upload HTTP/1.1\r\nHost: a.example\r\nContent-Length: 100000\r\n\r\n")
                .await?;
            stream.write_all(&[b'x'; 5_000]).await?;
            if number.is_multiple_of(20) {
                stream.set_zero_linger()?;
            }
        }
        // A request that arrives byte by byte.
        1 => {
            for part in get.as_bytes().chunks(9) {
                stream.write_all(part).await?;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            assert!(read_response(&mut stream).await?.starts_with("HTTP/1.1 200 "));
        }
        // Disconnects before the response.
        2 => stream.write_all(get.as_bytes()).await?,
        // Reads the response late and byte by byte.
        3 => {
            stream.write_all(get.as_bytes()).await?;
            tokio::time::sleep(Duration::from_millis(300)).await;
            let mut byte = [0];
            for _ in 0..12 {
                stream.read_exact(&mut byte).await?;
            }
        }
        _ => {
            for _ in 0..REQUESTS {
                stream.write_all(get.as_bytes()).await?;
                let answer = read_response(&mut stream).await?;
                assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
            }
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_visitors_leak_no_connection_file_or_thread() {
    let function = configured(PASSES, |config| {
        (config.max_environments, config.timeout) = (2, TIMEOUT);
    })
    .await;
    let edge = Edge::start(|config| config.default_behavior.functions.viewer_request = function.at()).await;
    // Started once and kept: environments, the pool of connections to the origin, threads for
    // blocking work.
    let warm = async || {
        for _ in 0..4 {
            tokio::join!(edge.get("/"), edge.get("/"), edge.get("/"), edge.get("/"));
        }
        function.at_rest().await;
    };
    warm().await;
    let (files, threads) = open_files_and_threads();
    let environments = function.pids();

    send_all_visitors(&edge).await;

    let until = Instant::now() + TIMEOUT;
    let at_rest = || {
        let rest = function.environments();
        // The harness's visitor keeps up to four connections.
        edge.cloudfront.connections() <= 4 && edge.cloudfront.edge().in_flight() == 0 && rest.busy == 0
    };
    while !at_rest() {
        assert!(
            Instant::now() < until,
            "{} connections, {:?}",
            edge.cloudfront.connections(),
            function.function
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    warm().await;
    assert_eq!(function.pids(), environments, "the environments are the same");
    // The origin's pool may have grown to its limit on both sides, and the runtime may have kept
    // threads for files.
    let pooled = 2 * 32;
    let (files_after, threads_after) = open_files_and_threads();
    assert!(files_after <= files + pooled + 8, "{files} files before, {files_after} after");
    assert!(threads_after <= threads + 4, "{threads} threads before, {threads_after} after");
}

/// All visitors at once, while an ordinary visitor is served.
async fn send_all_visitors(edge: &Edge) {
    let mut crowd = JoinSet::new();
    let address = edge.cloudfront.address();
    for number in 0..VISITORS {
        crowd.spawn(visit(address, number));
    }
    let ordinary = Client::new(TIMEOUT);
    let mut served = 0;
    while !crowd.is_empty() {
        let response = ordinary.send(address, &Request::new("GET", "/me", "a.example")).await.unwrap();
        assert_eq!(response.status, 200);
        served += 1;
        while let Some(visitor) = crowd.try_join_next() {
            visitor.unwrap().unwrap();
        }
    }
    assert!(served > 1);
}
