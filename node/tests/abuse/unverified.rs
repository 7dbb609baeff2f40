//! Clients without a signing key against a node that wants signed calls.

use crate::{
    alone,
    node::{FOREVER, Node, SECRET},
};
use shared::{
    INSPECT_REQUEST_PATH,
    call_signature::{CALL_SIGNATURE_HEADER, SignedCall, SigningKey},
};
use std::{
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
};

const BODY: &str =
    r#"{"client_ip":"203.0.113.178","method":"GET","host":"shop.example.com","path":"/etc/passwd"}"#;

#[tokio::test]
async fn idle_connections_of_many_addresses_do_not_keep_signed_calls_out() {
    let _alone = alone().await;
    let node = Node::start_with_signing_key("max_connections: 400, max_unverified_connections: 100");
    let mut clients = Vec::new();
    for number in 0..1_000 {
        clients.push(connect(node.address, u8::try_from(2 + number % 50).unwrap()).await);
    }
    assert!(call(node.address, 99).await.contains(r#""action":"block""#));
    // One address alone.
    for _ in 0..1_000 {
        clients.push(connect(node.address, 200).await);
    }
    assert!(call(node.address, 99).await.contains(r#""action":"block""#));
}

#[tokio::test]
async fn bodies_with_invented_signatures_do_not_take_the_memory_of_signed_calls() {
    let _alone = alone().await;
    let node = Node::start_with_signing_key("max_bytes_in_flight: 8388608, max_message_bytes: 1048576");
    let mut clients = Vec::new();
    for number in 0..80_u32 {
        let mut stream = connect(node.address, u8::try_from(2 + number % 20).unwrap()).await;
        // The right key id and time, and a wrong HMAC.
        let signature = signature("another secret", u64::from(number));
        let head = head(&signature, 1_000_000);
        let _may_be_refused = stream.write_all(head.as_bytes()).await;
        let _may_be_cut_off = stream.write_all(&vec![b'x'; 900_000]).await;
        clients.push(stream);
    }
    assert!(call(node.address, 99).await.contains(r#""action":"block""#));
}

#[tokio::test]
async fn a_call_without_a_valid_claim_is_refused_before_its_body_is_read() {
    let _alone = alone().await;
    let node = Node::start_with_signing_key("body_timeout: 1m");
    for signature in ["", "v1;edge;1;00;00", &signature(SECRET, 1).replace("edge", "other")] {
        let mut stream = connect(node.address, 2).await;
        let start = Instant::now();
        stream.write_all(head(signature, 1_000_000).as_bytes()).await.unwrap();
        assert!(answer(&mut stream).await.starts_with("HTTP/1.1 401"), "{signature}");
        assert!(start.elapsed() < Duration::from_secs(30), "refused without the body");
    }
}

async fn connect(address: SocketAddr, host: u8) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from((Ipv4Addr::new(127, 0, 0, host), 0))).unwrap();
    tokio::time::timeout(FOREVER, socket.connect(address)).await.unwrap().unwrap()
}

fn signature(secret: &str, nonce: u64) -> String {
    let now = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&nonce.to_le_bytes());
    let call = SignedCall {
        method: "POST",
        path_and_query: INSPECT_REQUEST_PATH,
        content_type: "application/json",
        body: BODY.as_bytes(),
    };
    SigningKey::new("edge", secret).sign(call, now, bytes)
}

fn head(signature: &str, length: usize) -> String {
    format!(
        "POST {INSPECT_REQUEST_PATH} HTTP/1.1\r\nhost: node\r\ncontent-type: application/json\r\n\
         {CALL_SIGNATURE_HEADER}: {signature}\r\ncontent-length: {length}\r\n\r\n"
    )
}

/// A signed call on a new connection.
async fn call(address: SocketAddr, host: u8) -> String {
    let mut stream = connect(address, host).await;
    let nonce = u64::from(stream.local_addr().unwrap().port());
    let request = head(&signature(SECRET, 1 << 32 | nonce), BODY.len()) + BODY;
    stream.write_all(request.as_bytes()).await.unwrap();
    answer(&mut stream).await
}

async fn answer(stream: &mut TcpStream) -> String {
    let mut chunk = vec![0; 16 << 10];
    let read = tokio::time::timeout(FOREVER, stream.read(&mut chunk));
    let count = read.await.expect("an answer").unwrap();
    String::from_utf8_lossy(&chunk[..count]).into_owned()
}
