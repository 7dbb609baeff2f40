use super::*;
use axum::{Extension, Router, routing::get};
use std::{
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    time::Instant,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::Notify,
    task::JoinHandle,
};

/// Longer than any test takes unless it hangs.
const FOREVER: Duration = Duration::from_secs(20);
const SOON: Duration = Duration::from_millis(200);
const CALL: &[u8] = b"GET / HTTP/1.1\r\nhost: node\r\n\r\n";

struct Server {
    address: SocketAddr,
    stop: CancellationToken,
    served: JoinHandle<()>,
    refused: Counter,
    handler: Arc<Handler>,
}

/// `/` verifies its caller, `/public` does not, `/slow` responds when released.
#[derive(Default)]
struct Handler {
    started: AtomicUsize,
    release: Notify,
}

fn long_timeouts() -> ConnectionLimits {
    ConnectionLimits {
        header_timeout: FOREVER,
        keep_alive_timeout: FOREVER,
        write_timeout: FOREVER,
        ..ConnectionLimits::default()
    }
}

fn open(limits: ConnectionLimits) -> Server {
    let handler = Arc::new(Handler::default());
    let slow = {
        let handler = handler.clone();
        async move || {
            handler.started.fetch_add(1, SeqCst);
            handler.release.notified().await;
            "late"
        }
    };
    let big = "x".repeat(32 << 20);
    let router = Router::new()
        .route(
            "/",
            get(async |Extension(peer): Extension<Peer>| {
                peer.verify();
                "ok"
            }),
        )
        .route("/public", get(async || "ok"))
        .route("/drip", get(async || axum::body::Body::from_stream(drops())))
        .route("/slow", get(slow))
        .route("/big", get(async move || big));
    let socket = bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let address = socket.local_addr().unwrap();
    let (stop, refused) = (CancellationToken::new(), Counter::default());
    let listener = Listener { socket, router, tls: None, limits: limits.into(), refused: refused.clone() };
    let served = tokio::spawn(listener.serve(stop.clone()));
    Server { address, stop, served, refused, handler }
}

/// A body that takes longer than [`SOON`].
fn drops() -> impl futures_util::Stream<Item = io::Result<&'static str>> + Send {
    futures_util::stream::unfold(0, |number| async move {
        tokio::time::sleep(SOON).await;
        (number < 5).then_some((Ok("drop"), number + 1))
    })
}

impl Server {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }
}

/// Sends a call, and reads this many bytes of body, or to the end.
async fn call(stream: &mut TcpStream, bytes: &[u8]) -> String {
    stream.write_all(bytes).await.unwrap();
    answer(stream, "ok").await
}

async fn answer(stream: &mut TcpStream, end: &str) -> String {
    let mut text = String::new();
    let read = async {
        let mut chunk = [0; 1024];
        while !text.ends_with(end) {
            match stream.read(&mut chunk).await {
                Ok(0) | Err(_) => return,
                Ok(count) => text += &String::from_utf8_lossy(&chunk[..count]),
            }
        }
    };
    tokio::time::timeout(FOREVER, read).await.expect("an answer");
    text
}

/// The time until the node closes the connection.
async fn closed(stream: &mut TcpStream) -> Duration {
    let start = Instant::now();
    let mut rest = Vec::new();
    let _reset_or_end = tokio::time::timeout(FOREVER, stream.read_to_end(&mut rest)).await.expect("an end");
    start.elapsed()
}

#[tokio::test]
async fn closes_a_connection_whose_head_exceeds_the_timeout() {
    let server = open(ConnectionLimits { header_timeout: SOON, ..long_timeouts() });
    let (mut idle, mut trickling) = (server.connect().await, server.connect().await);
    assert!(call(&mut trickling, CALL).await.starts_with("HTTP/1.1 200"));
    trickling.write_all(b"GET / HT").await.unwrap();
    let (idle, trickling) = tokio::join!(closed(&mut idle), closed(&mut trickling));
    assert!(idle < FOREVER / 2 && trickling < FOREVER / 2);
}

#[tokio::test]
async fn closes_an_idle_connection_after_the_keep_alive_timeout() {
    let server =
        open(ConnectionLimits { header_timeout: SOON, keep_alive_timeout: SOON * 5, ..long_timeouts() });
    let mut idle = server.connect().await;
    call(&mut idle, CALL).await;
    tokio::time::sleep(SOON * 2).await;
    assert!(call(&mut idle, CALL).await.ends_with("ok"));
    let idle_time = closed(&mut idle).await;
    assert!(idle_time > SOON, "{idle_time:?}");
}

#[tokio::test]
async fn a_call_in_progress_has_no_read_timeout() {
    let server = open(ConnectionLimits { header_timeout: SOON, keep_alive_timeout: SOON, ..long_timeouts() });
    let mut waiting = server.connect().await;
    waiting.write_all(b"GET /slow HTTP/1.1\r\nhost: node\r\n\r\n").await.unwrap();
    tokio::time::sleep(SOON * 3).await;
    server.handler.release.notify_one();
    assert!(answer(&mut waiting, "late").await.ends_with("late"));
}

#[tokio::test]
async fn closes_a_connection_that_does_not_read_its_response() {
    let server = open(ConnectionLimits { write_timeout: SOON, ..long_timeouts() });
    let mut stalled = server.connect().await;
    stalled.write_all(b"GET /big HTTP/1.1\r\nhost: node\r\n\r\n").await.unwrap();
    tokio::time::sleep(SOON * 3).await;
    let mut received = Vec::new();
    let _reset_or_end =
        tokio::time::timeout(FOREVER, stalled.read_to_end(&mut received)).await.expect("an end");
    assert!(received.len() < 32 << 20, "{} bytes received", received.len());
}

#[tokio::test]
async fn recycles_a_connection_with_a_close_header() {
    let recycle = Recycle { max_requests: Some(2), ..Recycle::default() };
    let server = open(ConnectionLimits { recycle, ..long_timeouts() });
    let mut kept_alive = server.connect().await;
    assert!(!call(&mut kept_alive, CALL).await.contains("connection: close"));
    assert!(call(&mut kept_alive, CALL).await.contains("connection: close"));
    closed(&mut kept_alive).await;

    let recycle = Recycle { max_received_bytes: Some(10), ..Recycle::default() };
    let server = open(ConnectionLimits { recycle, ..long_timeouts() });
    assert!(call(&mut server.connect().await, CALL).await.contains("connection: close"));
}

#[tokio::test]
async fn closes_and_counts_connections_beyond_the_limit() {
    let server = open(ConnectionLimits { max_connections: 1, ..long_timeouts() });
    let mut first = server.connect().await;
    call(&mut first, CALL).await;
    closed(&mut server.connect().await).await;
    assert_eq!(server.refused.get(), 1);
    drop(first);
    let start = Instant::now();
    while !call(&mut server.connect().await, CALL).await.ends_with("ok") {
        assert!(start.elapsed() < FOREVER, "the slot is not released");
    }
}

#[tokio::test]
async fn a_new_connection_takes_the_place_of_the_oldest_without_an_accepted_call() {
    let server = open(ConnectionLimits { max_connections: 3, ..long_timeouts() });
    let mut verified = server.connect().await;
    call(&mut verified, CALL).await;
    let mut unverified = Vec::new();
    for _ in 0..20 {
        unverified.push(server.connect().await);
    }
    assert!(call(&mut server.connect().await, CALL).await.ends_with("ok"));
    assert!(call(&mut verified, CALL).await.ends_with("ok"), "a verified connection stays");
    assert!(closed(&mut unverified[0]).await < FOREVER / 2);
}

#[tokio::test]
async fn a_network_with_too_many_unverified_connections_loses_its_oldest() {
    let server = open(ConnectionLimits { max_unverified: 2, ..long_timeouts() });
    let (mut verified, mut first) = (server.connect().await, server.connect().await);
    call(&mut verified, CALL).await;
    let _second = server.connect().await;
    assert!(call(&mut server.connect().await, CALL).await.ends_with("ok"));
    assert!(closed(&mut first).await < FOREVER / 2);
    assert!(call(&mut verified, CALL).await.ends_with("ok"));
    assert_eq!(server.refused.get(), 0);
}

#[tokio::test]
async fn a_connection_without_an_accepted_call_has_a_short_keep_alive() {
    let server = open(ConnectionLimits { header_timeout: SOON, ..long_timeouts() });
    let mut unverified = server.connect().await;
    call(&mut unverified, b"GET /public HTTP/1.1\r\nhost: node\r\n\r\n").await;
    assert!(closed(&mut unverified).await < FOREVER / 2);
}

#[tokio::test]
async fn rejects_a_head_that_is_too_large_with_431() {
    let server = open(ConnectionLimits { max_header_bytes: 8 << 10, ..long_timeouts() });
    let head = format!("GET / HTTP/1.1\r\nhost: node\r\nx: {}\r\n\r\n", "y".repeat(64 << 10));
    let mut large = server.connect().await;
    let _may_be_cut_off = large.write_all(head.as_bytes()).await;
    assert!(answer(&mut large, "\r\n\r\n").await.starts_with("HTTP/1.1 431"));
}

#[tokio::test]
async fn answers_pipelined_and_half_closed_calls_in_order() {
    let server = open(long_timeouts());
    let mut piped = server.connect().await;
    piped.write_all(&CALL.repeat(3)).await.unwrap();
    piped.shutdown().await.unwrap();
    let answers = answer(&mut piped, "never").await;
    assert_eq!(answers.matches("HTTP/1.1 200").count(), 3, "{answers}");
}

#[tokio::test]
async fn a_stop_refuses_new_connections_and_drains_busy_ones() {
    let server = open(long_timeouts());
    let (mut busy, mut idle) = (server.connect().await, server.connect().await);
    call(&mut idle, CALL).await;
    busy.write_all(b"GET /slow HTTP/1.1\r\nhost: node\r\n\r\n").await.unwrap();
    let start = Instant::now();
    while server.handler.started.load(SeqCst) == 0 {
        assert!(start.elapsed() < FOREVER);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    server.stop.cancel();
    closed(&mut idle).await;
    while TcpStream::connect(server.address).await.is_ok() {
        assert!(start.elapsed() < FOREVER, "new connections are still accepted");
    }
    assert!(!server.served.is_finished());
    server.handler.release.notify_one();
    assert!(answer(&mut busy, "late").await.ends_with("late"));
    tokio::time::timeout(FOREVER, server.served).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_stop_waits_for_the_drain_timeout_at_most() {
    let server = open(ConnectionLimits { drain_timeout: SOON, ..long_timeouts() });
    let mut busy = server.connect().await;
    busy.write_all(b"GET /slow HTTP/1.1\r\nhost: node\r\n\r\n").await.unwrap();
    while server.handler.started.load(SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    server.stop.cancel();
    tokio::time::timeout(FOREVER, server.served).await.unwrap().unwrap();
}

#[tokio::test]
async fn serves_http_2_and_recycles_its_connections() {
    let recycle = Recycle { max_requests: Some(2), ..Recycle::default() };
    let server = open(ConnectionLimits { recycle, ..long_timeouts() });
    let io = hyper_util::rt::TokioIo::new(server.connect().await);
    let executor = hyper_util::rt::TokioExecutor::new();
    let (mut client, connection) = hyper::client::conn::http2::handshake(executor, io).await.unwrap();
    let connection = tokio::spawn(connection);
    for _ in 0..2 {
        let request = hyper::Request::get("http://node/").body(axum::body::Body::empty()).unwrap();
        assert_eq!(client.send_request(request).await.unwrap().status(), 200);
    }
    tokio::time::timeout(FOREVER, connection).await.expect("an end").unwrap().unwrap();
}

#[tokio::test]
async fn a_response_that_is_being_sent_keeps_its_connection() {
    let server = open(ConnectionLimits { header_timeout: SOON, keep_alive_timeout: SOON, ..long_timeouts() });
    let io = hyper_util::rt::TokioIo::new(server.connect().await);
    let executor = hyper_util::rt::TokioExecutor::new();
    let (mut client, connection) = hyper::client::conn::http2::handshake(executor, io).await.unwrap();
    let _connection = tokio::spawn(connection);
    let request = hyper::Request::get("http://node/drip").body(axum::body::Body::empty()).unwrap();
    let response = client.send_request(request).await.unwrap().map(axum::body::Body::new);
    let body = axum::body::to_bytes(response.into_body(), 1_000).await.unwrap();
    assert_eq!(body, "drop".repeat(5));

    let mut plain = server.connect().await;
    plain.write_all(b"GET /drip HTTP/1.1\r\nhost: node\r\n\r\n").await.unwrap();
    assert_eq!(answer(&mut plain, "0\r\n\r\n").await.matches("drop").count(), 5);
}

#[tokio::test]
async fn many_large_heads_of_an_unverified_connection_are_refused() {
    // The share of a network is four heads of 30 KB.
    let server = open(ConnectionLimits { max_unverified_bytes: 4 * 4 * (35 << 10), ..long_timeouts() });
    let connect = async || {
        let io = hyper_util::rt::TokioIo::new(server.connect().await);
        let executor = hyper_util::rt::TokioExecutor::new();
        let (client, connection) = hyper::client::conn::http2::handshake(executor, io).await.unwrap();
        tokio::spawn(connection);
        client
    };
    let request = |path: &str| {
        let request = hyper::Request::get(format!("http://node{path}")).header("x", "y".repeat(30 << 10));
        request.body(axum::body::Body::empty()).unwrap()
    };
    let (mut first, mut second, mut verified) = (connect().await, connect().await, connect().await);
    assert_eq!(verified.send_request(request("/")).await.unwrap().status(), 200);
    let held: Vec<_> = (0..4).map(|_| first.send_request(request("/slow"))).collect();
    let held = held.into_iter().map(tokio::spawn).collect::<Vec<_>>();
    while server.handler.started.load(SeqCst) < 4 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let refused = first.send_request(request("/public")).await.unwrap();
    assert_eq!((refused.status().as_u16(), &refused.headers()["retry-after"]), (503, &"1".parse().unwrap()));
    assert_eq!(second.send_request(request("/public")).await.unwrap().status(), 200, "closes the first");
    assert_eq!(server.refused.get(), 2);
    assert_eq!(verified.send_request(request("/public")).await.unwrap().status(), 200);
    for call in held {
        assert!(call.await.unwrap().is_err());
    }
}
