//! Ten thousand concurrent connections.

use crate::{
    alone,
    bystander::Bystander,
    connections,
    node::{FOREVER, Node},
};
use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    time::Instant,
};

const WANTED: u64 = 10_000;
/// The node's memory per connection: two buffers and bookkeeping.
const PER_CONNECTION: u64 = 48 << 10;

#[tokio::test]
async fn closes_ten_thousand_slow_connections_without_delaying_others() {
    let _alone = alone().await;
    let mut node = Node::start("header_timeout: 20s, body_timeout: 20s");
    let bystander = Bystander::watch(node.address);
    let mut crowd = crowd(node.address, connections(WANTED)).await;
    let half_a_head = "POST /v1/inspect/request HTTP/1.1\r\nhost: node\r\ncontent-type: application/json\r\n";
    let half_a_body = format!("{half_a_head}content-length: 1000\r\n\r\n{{");
    for (number, stream) in crowd.iter_mut().enumerate() {
        let beginning = if number % 2 == 0 { half_a_head } else { &half_a_body };
        let _may_be_cut_off = stream.write_all(beginning.as_bytes()).await;
    }
    // Byte by byte, until every connection is closed.
    let start = Instant::now();
    let mut open = crowd.len();
    while open > 0 {
        assert!(start.elapsed() < FOREVER, "{open} slow connections are still open");
        open = 0;
        for stream in &mut crowd {
            open += usize::from(stream.try_write(b"x").is_ok() && !is_closed(stream));
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    bystander.was_served();
    within(&node, crowd.len());
    drop(crowd);
    node.assert_released();
}

#[tokio::test]
async fn ten_thousand_idle_connections_cost_little_and_still_work() {
    let _alone = alone().await;
    // Health checks verify no caller, so their connections end after this time.
    let mut node = Node::start("header_timeout: 2m");
    let bystander = Bystander::watch(node.address);
    let mut crowd = crowd(node.address, connections(WANTED)).await;
    for stream in &mut crowd {
        stream.write_all(b"GET /wallarm-external-health HTTP/1.1\r\nhost: node\r\n\r\n").await.unwrap();
    }
    for stream in &mut crowd {
        assert!(answer(stream).await.starts_with("HTTP/1.1 200"));
    }
    assert!(node.open_descriptors() > crowd.len(), "the connections stay open");
    within(&node, crowd.len());
    for stream in crowd.iter_mut().step_by(200) {
        stream.write_all(&crate::node::call()).await.unwrap();
        assert!(answer(stream).await.contains(r#""action":"block""#));
    }
    bystander.was_served();
    drop(crowd);
    node.assert_released();
}

fn within(node: &Node, connections: usize) {
    let bound = connections as u64 * PER_CONNECTION + (32 << 20);
    let growth = node.growth();
    eprintln!("{connections} connections: {} KiB each at most", growth / 1024 / connections as u64);
    assert!(growth < bound, "{growth} bytes for {connections} connections");
}

/// Connects from several addresses, as the ports of one do not suffice.
async fn crowd(address: SocketAddr, connections: usize) -> Vec<TcpStream> {
    let mut crowd = Vec::with_capacity(connections);
    for number in 0..connections {
        let socket = TcpSocket::new_v4().unwrap();
        let host = u8::try_from(2 + number % 100).unwrap();
        socket.bind(SocketAddr::from((Ipv4Addr::new(127, 0, 0, host), 0))).unwrap();
        crowd.push(tokio::time::timeout(FOREVER, socket.connect(address)).await.unwrap().unwrap());
    }
    crowd
}

/// Whether the node has closed the connection; a response before that is discarded.
fn is_closed(stream: &TcpStream) -> bool {
    let mut chunk = [0; 1024];
    loop {
        match stream.try_read(&mut chunk) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(cause) => return cause.kind() != std::io::ErrorKind::WouldBlock,
        }
    }
}

async fn answer(stream: &mut TcpStream) -> String {
    let mut chunk = vec![0; 16 << 10];
    let read = tokio::time::timeout(FOREVER, stream.read(&mut chunk));
    let count = read.await.expect("an answer").unwrap();
    String::from_utf8_lossy(&chunk[..count]).into_owned()
}
