use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// A server that responds with the request as parsed.
async fn mirror(limits: Limits) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    Server::start(listener, limits, |request, _| async move { reflect(&request) }).unwrap()
}

fn reflect(request: &Request) -> Response {
    let mut body = [request.method.as_bytes(), b" ", &request.target, b"\n"].concat();
    for (name, value) in &request.headers.0 {
        body.extend([name.as_slice(), b"=", value, b"\n"].concat());
    }
    body.extend([b"[", request.body.as_slice(), b"]"].concat());
    Response::new(200).with_body(body)
}

/// All bytes the server sends in response until it closes.
async fn talk(server: &Server, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// A server that sends these bytes to its first connection, and closes.
async fn server_sending(bytes: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await;
        stream.write_all(bytes).await.unwrap();
    });
    address
}

#[tokio::test]
async fn unusual_bytes_are_passed_unchanged() {
    let server = mirror(Limits::default()).await;
    let target = b"/<script>`%2f\\\xe9{}|^\"?q=\xff'><".to_vec();
    let request = Request::new("GET", target.clone(), "a.example").header("x-ODD", b"caf\xe9 \xc3\xa9");
    let response = Client::default().send(server.address(), &request).await.unwrap();
    let expected = [b"GET ", target.as_slice(), b"\nHost=a.example\nx-ODD=caf\xe9 \xc3\xa9\n[]"].concat();
    assert_eq!(response.body, expected);
}

#[tokio::test]
async fn duplicate_headers_keep_their_order_and_case() {
    let server = mirror(Limits::default()).await;
    let answer = talk(&server, b"GET / HTTP/1.1\r\nA: 1\r\nb: 2\r\nA: 3\r\na: \r\n\r\n").await;
    assert!(answer.ends_with("\r\n\r\nGET /\nA=1\nb=2\nA=3\na=\n[]"), "{answer}");
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let server = mirror(Limits::default()).await;
    let answer = talk(&server, b"GET /1 HTTP/1.1\r\n\r\nPOST /2 HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi\r\nGET /3 HTTP/1.1\r\nConnection: close\r\n\r\nGET /4 HTTP/1.1\r\n\r\n").await;
    let order: Vec<_> = ["GET /1", "POST /2", "[hi]", "GET /3"].map(|part| answer.find(part)).to_vec();
    assert!(order.is_sorted() && order.iter().all(Option::is_some), "{answer}");
    assert!(!answer.contains("/4"), "{answer}");
}

#[tokio::test]
async fn decodes_chunked_bodies() {
    let server = mirror(Limits::default()).await;
    let answer = talk(&server, b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n").await;
    assert!(answer.ends_with("[abc0123456789]"), "{answer}");
}

#[tokio::test]
async fn rejects_ambiguous_framing() {
    let server = mirror(Limits::default()).await;
    for framing in [
        "Content-Length: 3\r\nTransfer-Encoding: chunked",
        "Content-Length: 3\r\nContent-Length: 4",
        "Content-Length: +3",
        "Content-Length: 3,3",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    ] {
        let answer = talk(&server, format!("POST / HTTP/1.1\r\n{framing}\r\n\r\n0\r\n\r\n").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{framing}: {answer}");
    }
}

#[tokio::test]
async fn rejects_malformed_heads() {
    let server = mirror(Limits::default()).await;
    for (head, status) in [
        ("GET /\r\n\r\n", 400),
        ("GET / x HTTP/1.1\r\n\r\n", 400),
        ("G(T / HTTP/1.1\r\n\r\n", 400),
        ("GET /\x01 HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nspace : x\r\n\r\n", 400),
        ("GET / HTTP/2.0\r\n\r\n", 505),
    ] {
        let answer = talk(&server, head.as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{head:?}: {answer}");
    }
}

#[tokio::test]
async fn rejects_oversize_with_the_matching_status() {
    let server = mirror(Limits { head: 1000, body: 1000, ..Limits::default() }).await;
    let long = "x".repeat(2000);
    for (request, status) in [
        (format!("GET /{long} HTTP/1.1\r\n\r\n"), 414),
        (format!("GET / HTTP/1.1\r\nLong: {long}\r\n\r\n"), 431),
        (format!("POST / HTTP/1.1\r\nContent-Length: 2000\r\n\r\n{long}"), 413),
        (format!("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n{long}\r\n0\r\n\r\n"), 413),
        (format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(120)), 200),
    ] {
        let answer = talk(&server, request.as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{status}: {answer}");
    }
}

#[tokio::test]
async fn sends_100_continue_before_reading_the_body() {
    let server = mirror(Limits::default()).await;
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n").await.unwrap();
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).await.unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"hi").await.unwrap();
    let mut answer = [0; 15];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200 OK");
}

#[tokio::test]
async fn head_is_answered_without_a_body() {
    let server = mirror(Limits::default()).await;
    let answer = talk(&server, b"HEAD /x HTTP/1.1\r\n\r\n").await;
    assert!(answer.contains("Content-Length: 10") && answer.ends_with("\r\n\r\n"), "{answer}");
}

#[tokio::test]
async fn slow_and_idle_connections_are_closed() {
    let (idle, read) = (Duration::from_millis(60), Duration::from_millis(60));
    let server = mirror(Limits { idle, read, ..Limits::default() }).await;
    let mut idle_stream = TcpStream::connect(server.address()).await.unwrap();
    let mut slow = TcpStream::connect(server.address()).await.unwrap();
    slow.write_all(b"GET / HT").await.unwrap();
    let (mut nothing, mut refusal) = (String::new(), String::new());
    idle_stream.read_to_string(&mut nothing).await.unwrap();
    slow.read_to_string(&mut refusal).await.unwrap();
    assert_eq!(nothing, "");
    assert!(refusal.starts_with("HTTP/1.1 408 "), "{refusal}");
}

#[tokio::test]
async fn responses_end_by_length_chunks_or_close() {
    for bytes in [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello".as_slice(),
        b"HTTP/1.1 200 Fine by me\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.0 200\r\n\r\nhello",
    ] {
        let address = server_sending(bytes).await;
        let response = Client::default().send(address, &Request::new("GET", "/", "a")).await.unwrap();
        assert_eq!((response.status, response.body_text().as_str()), (200, "hello"));
    }
}

#[tokio::test]
async fn truncated_or_missing_response_is_an_error() {
    let request = Request::new("GET", "/", "a");
    let cut = server_sending(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello").await;
    assert!(matches!(Client::default().send(cut, &request).await, Err(ClientError::Malformed(_))));
    let closed = server_sending(b"").await;
    assert!(matches!(Client::default().send(closed, &request).await, Err(ClientError::Closed)));
    let unresponsive = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let short_timeout = Client::new(Duration::from_millis(50));
    let answer = short_timeout.send(unresponsive.local_addr().unwrap(), &request).await;
    assert!(matches!(answer, Err(ClientError::Timeout(_))));
}

#[tokio::test]
async fn replaces_a_stale_pooled_connection() {
    let server = mirror(Limits { idle: Duration::from_millis(30), ..Limits::default() }).await;
    let client = Client::default();
    for wait in [0, 0, 100, 0] {
        tokio::time::sleep(Duration::from_millis(wait)).await;
        let response = client.send(server.address(), &Request::new("GET", "/", "a")).await.unwrap();
        assert_eq!(response.status, 200);
    }
}
