use super::*;
use crate::config::Recycle;
use axum::{Router, routing::get};
use std::{
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    time::Instant,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::Notify,
    task::JoinHandle,
};

/// What no test takes unless something hangs.
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

/// `/` answers at once, `/slow` when it is let.
#[derive(Default)]
struct Handler {
    begun: AtomicUsize,
    let_go: Notify,
}

fn patient() -> ConnectionLimits {
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
            handler.begun.fetch_add(1, SeqCst);
            handler.let_go.notified().await;
            "late"
        }
    };
    let big = "x".repeat(32 << 20);
    let router = Router::new()
        .route("/", get(async || "ok"))
        .route("/slow", get(slow))
        .route("/big", get(async move || big));
    let socket = bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let address = socket.local_addr().unwrap();
    let (stop, refused) = (CancellationToken::new(), Counter::default());
    let listener = Listener { socket, router, tls: None, limits: limits.into(), refused: refused.clone() };
    let served = tokio::spawn(listener.serve(stop.clone()));
    Server { address, stop, served, refused, handler }
}

impl Server {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }
}

/// Sends a call, and reads until this many bytes of body are there, or the end.
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

/// How long it takes the other side to close.
async fn closed(stream: &mut TcpStream) -> Duration {
    let start = Instant::now();
    let mut rest = Vec::new();
    let _reset_or_end = tokio::time::timeout(FOREVER, stream.read_to_end(&mut rest)).await.expect("an end");
    start.elapsed()
}

#[tokio::test]
async fn a_head_that_does_not_come_in_time_ends_the_connection() {
    let server = open(ConnectionLimits { header_timeout: SOON, ..patient() });
    let (mut silent, mut trickling) = (server.connect().await, server.connect().await);
    assert!(call(&mut trickling, CALL).await.starts_with("HTTP/1.1 200"));
    trickling.write_all(b"GET / HT").await.unwrap();
    let (silent, trickling) = tokio::join!(closed(&mut silent), closed(&mut trickling));
    assert!(silent < FOREVER / 2 && trickling < FOREVER / 2);
}

#[tokio::test]
async fn a_connection_at_rest_outlives_the_time_for_a_head_but_not_that_for_rest() {
    let server = open(ConnectionLimits { header_timeout: SOON, keep_alive_timeout: SOON * 5, ..patient() });
    let mut resting = server.connect().await;
    call(&mut resting, CALL).await;
    tokio::time::sleep(SOON * 2).await;
    assert!(call(&mut resting, CALL).await.ends_with("ok"));
    let rested = closed(&mut resting).await;
    assert!(rested > SOON, "{rested:?}");
}

#[tokio::test]
async fn a_call_under_way_may_take_longer_than_any_of_these_times() {
    let server = open(ConnectionLimits { header_timeout: SOON, keep_alive_timeout: SOON, ..patient() });
    let mut waiting = server.connect().await;
    waiting.write_all(b"GET /slow HTTP/1.1\r\nhost: node\r\n\r\n").await.unwrap();
    tokio::time::sleep(SOON * 3).await;
    server.handler.let_go.notify_one();
    assert!(answer(&mut waiting, "late").await.ends_with("late"));
}

#[tokio::test]
async fn who_does_not_take_the_answer_is_cut_off() {
    let server = open(ConnectionLimits { write_timeout: SOON, ..patient() });
    let mut deaf = server.connect().await;
    deaf.write_all(b"GET /big HTTP/1.1\r\nhost: node\r\n\r\n").await.unwrap();
    tokio::time::sleep(SOON * 3).await;
    let mut taken = Vec::new();
    let _reset_or_end = tokio::time::timeout(FOREVER, deaf.read_to_end(&mut taken)).await.expect("an end");
    assert!(taken.len() < 32 << 20, "{} bytes came", taken.len());
}

#[tokio::test]
async fn a_connection_that_has_served_its_time_says_so_and_closes() {
    let recycle = Recycle { max_requests: Some(2), ..Recycle::default() };
    let server = open(ConnectionLimits { recycle, ..patient() });
    let mut kept = server.connect().await;
    assert!(!call(&mut kept, CALL).await.contains("connection: close"));
    assert!(call(&mut kept, CALL).await.contains("connection: close"));
    closed(&mut kept).await;

    let recycle = Recycle { max_received_bytes: Some(10), ..Recycle::default() };
    let server = open(ConnectionLimits { recycle, ..patient() });
    assert!(call(&mut server.connect().await, CALL).await.contains("connection: close"));
}

#[tokio::test]
async fn connections_beyond_the_limit_are_closed_and_counted() {
    let server = open(ConnectionLimits { max_connections: 1, ..patient() });
    let mut first = server.connect().await;
    call(&mut first, CALL).await;
    closed(&mut server.connect().await).await;
    assert_eq!(server.refused.get(), 1);
    drop(first);
    let start = Instant::now();
    while !call(&mut server.connect().await, CALL).await.ends_with("ok") {
        assert!(start.elapsed() < FOREVER, "the place is not given back");
    }
}

#[tokio::test]
async fn a_head_that_is_too_large_is_answered_431() {
    let server = open(ConnectionLimits { max_header_bytes: 8 << 10, ..patient() });
    let head = format!("GET / HTTP/1.1\r\nhost: node\r\nx: {}\r\n\r\n", "y".repeat(64 << 10));
    let mut large = server.connect().await;
    let _may_be_cut_off = large.write_all(head.as_bytes()).await;
    assert!(answer(&mut large, "\r\n\r\n").await.starts_with("HTTP/1.1 431"));
}

#[tokio::test]
async fn pipelined_calls_are_answered_in_order_and_half_closed_connections_too() {
    let server = open(patient());
    let mut piped = server.connect().await;
    piped.write_all(&CALL.repeat(3)).await.unwrap();
    piped.shutdown().await.unwrap();
    let answers = answer(&mut piped, "never").await;
    assert_eq!(answers.matches("HTTP/1.1 200").count(), 3, "{answers}");
}

#[tokio::test]
async fn told_to_stop_the_door_closes_to_the_new_and_waits_for_the_busy() {
    let server = open(patient());
    let (mut busy, mut resting) = (server.connect().await, server.connect().await);
    call(&mut resting, CALL).await;
    busy.write_all(b"GET /slow HTTP/1.1\r\nhost: node\r\n\r\n").await.unwrap();
    let start = Instant::now();
    while server.handler.begun.load(SeqCst) == 0 {
        assert!(start.elapsed() < FOREVER);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    server.stop.cancel();
    closed(&mut resting).await;
    while TcpStream::connect(server.address).await.is_ok() {
        assert!(start.elapsed() < FOREVER, "new connections are still taken");
    }
    assert!(!server.served.is_finished());
    server.handler.let_go.notify_one();
    assert!(answer(&mut busy, "late").await.ends_with("late"));
    tokio::time::timeout(FOREVER, server.served).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_stop_does_not_wait_for_ever() {
    let server = open(ConnectionLimits { drain_timeout: SOON, ..patient() });
    let mut stuck = server.connect().await;
    stuck.write_all(b"GET /slow HTTP/1.1\r\nhost: node\r\n\r\n").await.unwrap();
    while server.handler.begun.load(SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    server.stop.cancel();
    tokio::time::timeout(FOREVER, server.served).await.unwrap().unwrap();
}

#[tokio::test]
async fn http_2_is_spoken_and_its_connections_are_recycled_too() {
    let recycle = Recycle { max_requests: Some(2), ..Recycle::default() };
    let server = open(ConnectionLimits { recycle, ..patient() });
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
