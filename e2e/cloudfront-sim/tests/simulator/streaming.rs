//! Bodies pass while they arrive, in both directions, without being held in memory.

use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cloudfront_sim::cloudfront::{CachePolicy, CloudFront, DistributionConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;

use crate::caching::DAY;
use crate::harness::{any_port, does, eventually};
use crate::process::Simulator;

const MIB: usize = 1024 * 1024;

/// Long enough for a busy machine.
const LIMIT: Duration = Duration::from_secs(30);

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n";

/// An origin whose connections are served by this function.
async fn raw_origin<F: Future<Output = ()> + Send + 'static>(
    serve: impl Fn(TcpStream) -> F + Send + 'static,
) -> SocketAddr {
    let listener = any_port().await;
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    address
}

async fn in_front_of(origin: SocketAddr, set: impl FnOnce(&mut DistributionConfig)) -> CloudFront {
    let mut config = DistributionConfig::new(origin);
    set(&mut config);
    CloudFront::start(any_port().await, config).unwrap()
}

async fn sends(cloudfront: &CloudFront, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(cloudfront.address()).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream
}

/// Reads until this text has arrived; all text so far.
async fn until(stream: &mut TcpStream, text: &str) -> String {
    let mut bytes = Vec::new();
    let reading = async {
        while !String::from_utf8_lossy(&bytes).contains(text) {
            let read = stream.read_buf(&mut bytes).await.unwrap();
            assert_ne!(read, 0, "closed before {text:?}: {}", String::from_utf8_lossy(&bytes));
        }
    };
    let arrived = timeout(LIMIT, reading).await;
    let bytes = String::from_utf8_lossy(&bytes).into_owned();
    assert!(arrived.is_ok(), "{text:?} has not arrived: {bytes}");
    bytes
}

/// The rest of what the peer sends until it closes.
async fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    timeout(LIMIT, stream.read_to_end(&mut bytes)).await.expect("the connection is closed").unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn chunk(text: &str) -> Vec<u8> {
    format!("{:x}\r\n{text}\r\n", text.len()).into_bytes()
}

const EVENTS: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

/// An origin that sends its second event, and the end, at a signal of the test.
async fn event_stream(go_on: &Arc<Notify>) -> SocketAddr {
    let go_on = Arc::clone(go_on);
    raw_origin(move |mut stream| {
        let go_on = Arc::clone(&go_on);
        async move {
            until(&mut stream, "\r\n\r\n").await;
            stream.write_all(EVENTS).await.unwrap();
            stream.write_all(&chunk("data: first\n\n")).await.unwrap();
            go_on.notified().await;
            stream.write_all(&[chunk("data: second\n\n"), chunk("")].concat()).await.unwrap();
        }
    })
    .await
}

#[tokio::test]
async fn events_arrive_one_by_one_and_response_functions_run_before_them() {
    let marks =
        does("response['headers']['x-' + cf['config']['eventType']] = [{'value': '1'}]\nreturn response")
            .await;
    for policy in [CachePolicy::disabled(), CachePolicy::with_ttls(0, 60, DAY)] {
        let go_on = Arc::new(Notify::new());
        let cloudfront = in_front_of(event_stream(&go_on).await, |config| {
            let behavior = &mut config.default_behavior;
            behavior.cache = policy;
            behavior.functions.origin_response = marks.at();
            behavior.functions.viewer_response = marks.at();
        })
        .await;
        let mut viewer = sends(&cloudfront, GET).await;
        let head = until(&mut viewer, "data: first\n\n\r\n").await;
        assert!(head.contains("X-Origin-Response: 1\r\n") && head.contains("X-Viewer-Response: 1\r\n"));
        assert!(head.contains("Transfer-Encoding: chunked\r\n"), "{head}");
        assert_eq!(cloudfront.edge().in_flight(), 1);
        go_on.notify_one();
        until(&mut viewer, "data: second\n\n\r\n0\r\n\r\n").await;
        eventually("the request has ended", || cloudfront.edge().in_flight() == 0).await;
    }
}

#[tokio::test]
async fn events_arrive_one_by_one_over_http2() {
    let go_on = Arc::new(Notify::new());
    let cloudfront = in_front_of(event_stream(&go_on).await, |_| {}).await;
    let stream = TcpStream::connect(cloudfront.address()).await.unwrap();
    let (sender, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let request = http::Request::get("http://a.example/").body(()).unwrap();
    let (response, _) = sender.ready().await.unwrap().send_request(request, true).unwrap();
    let mut body = timeout(LIMIT, response).await.unwrap().unwrap().into_body();
    assert_eq!(timeout(LIMIT, body.data()).await.unwrap().unwrap().unwrap(), "data: first\n\n");
    go_on.notify_one();
    assert_eq!(timeout(LIMIT, body.data()).await.unwrap().unwrap().unwrap(), "data: second\n\n");
    let end = timeout(LIMIT, body.data()).await.unwrap();
    assert!(end.is_none_or(|end| end.unwrap().is_empty()));
}

#[tokio::test]
async fn streamed_response_is_cached_when_it_is_complete() {
    let go_on = Arc::new(Notify::new());
    let policy = CachePolicy::with_ttls(0, 60, DAY);
    let cloudfront =
        in_front_of(event_stream(&go_on).await, |config| config.default_behavior.cache = policy).await;
    let mut first = sends(&cloudfront, GET).await;
    until(&mut first, "data: first").await;
    let mut second = sends(&cloudfront, GET).await;
    go_on.notify_one();
    until(&mut first, "data: second").await;
    let shared = until(&mut second, "data: second").await;
    assert!(shared.contains("X-Cache: Hit from cloudfront\r\n"), "{shared}");
    assert!(shared.ends_with("\r\n\r\ndata: first\n\ndata: second\n\n"), "{shared}");
}

#[tokio::test]
async fn request_body_reaches_the_origin_while_it_arrives() {
    let (parts, mut arrived) = mpsc::unbounded_channel();
    let origin = raw_origin(move |mut stream| {
        let parts = parts.clone();
        async move {
            for part in ["\r\n\r\n", "first", "last\r\n0\r\n\r\n"] {
                parts.send(until(&mut stream, part).await).unwrap();
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
        }
    })
    .await;
    let cloudfront = in_front_of(origin, |_| {}).await;
    let head = b"POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut viewer = sends(&cloudfront, head).await;
    let forwarded = timeout(LIMIT, arrived.recv()).await.unwrap().unwrap();
    assert!(forwarded.contains("Transfer-Encoding: chunked\r\n"), "{forwarded}");
    viewer.write_all(&chunk("first")).await.unwrap();
    timeout(LIMIT, arrived.recv()).await.expect("the first part arrives before the last is sent");
    viewer.write_all(&[chunk("last"), chunk("")].concat()).await.unwrap();
    until(&mut viewer, "\r\n\r\nok").await;
    // The connection serves the next request.
    viewer.write_all(GET).await.unwrap();
    timeout(LIMIT, arrived.recv()).await.unwrap();
}

const LARGE: &[u8] = b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 10000000\r\n\r\n";

#[tokio::test]
async fn a_function_sees_the_start_of_a_body_that_is_still_arriving() {
    let says = "return {'status': '403', 'body': '%s %d' % (request['body']['inputTruncated'], len(request['body']['data']))}";
    let blocks = does(says).await;
    let cloudfront = in_front_of(([127, 0, 0, 1], 1).into(), |config| {
        config.default_behavior.functions.viewer_request = blocks.at();
    })
    .await;
    let mut viewer = sends(&cloudfront, LARGE).await;
    viewer.write_all(&vec![b'x'; 40 * 1024 + 1]).await.unwrap();
    // 40 KB in base64.
    let response = until(&mut viewer, "True 54616").await;
    assert!(response.starts_with("HTTP/1.1 403 "), "{response}");
    // The rest is discarded, and the connection serves the next request.
    viewer.write_all(&vec![b'x'; 10_000_000 - 40 * 1024 - 1]).await.unwrap();
    viewer.write_all(b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 3\r\n\r\nabc").await.unwrap();
    until(&mut viewer, "False 4").await;
}

#[tokio::test]
async fn replacing_the_body_discards_the_rest_of_the_viewers() {
    let replaces =
        does("request['body'].update(action='replace', encoding='text', data='instead')\nreturn request")
            .await;
    let origin = raw_origin(async |mut stream: TcpStream| {
        let received = until(&mut stream, "instead").await.replace("\r\n", " ");
        let response = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{received}", received.len());
        stream.write_all(response.as_bytes()).await.unwrap();
    })
    .await;
    let cloudfront = in_front_of(origin, |config| {
        config.default_behavior.functions.origin_request = replaces.at();
    })
    .await;
    let mut viewer = sends(&cloudfront, LARGE).await;
    viewer.write_all(&vec![b'x'; 2 * MIB]).await.unwrap();
    let response = until(&mut viewer, "instead").await;
    assert!(response.contains("Content-Length: 7 ") && !response.contains("xxx"), "{response}");
}

#[tokio::test]
async fn an_origin_may_answer_before_the_whole_body_has_arrived() {
    let origin = raw_origin(async |mut stream: TcpStream| {
        until(&mut stream, "\r\n\r\n").await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nearly").await.unwrap();
        rest(&mut stream).await;
    })
    .await;
    let cloudfront = in_front_of(origin, |_| {}).await;
    let mut viewer = sends(&cloudfront, LARGE).await;
    until(&mut viewer, "early").await;
    viewer.write_all(&vec![b'x'; 10_000_000]).await.unwrap();
    viewer.write_all(GET).await.unwrap();
    until(&mut viewer, "early").await;
}

#[tokio::test]
async fn viewers_disconnect_ends_the_connection_to_the_origin() {
    let (ended, mut origin_ended) = mpsc::unbounded_channel();
    let origin = raw_origin(move |mut stream| {
        let ended = ended.clone();
        async move {
            until(&mut stream, "\r\n\r\n").await;
            stream.write_all(&[EVENTS, &chunk("data: first\n\n")].concat()).await.unwrap();
            ended.send(rest(&mut stream).await).unwrap();
        }
    })
    .await;
    let cloudfront = in_front_of(origin, |_| {}).await;
    let mut viewer = sends(&cloudfront, GET).await;
    until(&mut viewer, "data: first").await;
    drop(viewer);
    assert_eq!(timeout(LIMIT, origin_ended.recv()).await.unwrap().unwrap(), "");
    eventually("the request has ended", || cloudfront.edge().in_flight() == 0).await;
}

#[tokio::test]
async fn origins_disconnect_within_a_body_is_visible_and_not_cached() {
    for (head, part) in
        [("Content-Length: 100", b"part".to_vec()), ("Transfer-Encoding: chunked", chunk("part"))]
    {
        let origin = raw_origin(move |mut stream| {
            let part = part.clone();
            async move {
                until(&mut stream, "\r\n\r\n").await;
                let head = format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n");
                stream.write_all(&[head.as_bytes(), &part].concat()).await.unwrap();
            }
        })
        .await;
        let policy = CachePolicy::with_ttls(0, 60, DAY);
        let cloudfront = in_front_of(origin, |config| config.default_behavior.cache = policy).await;
        for _ in 0..2 {
            let response = rest(&mut sends(&cloudfront, GET).await).await;
            assert!(response.contains("X-Cache: Miss from cloudfront\r\n"), "{response}");
            assert!(response.contains(head) && response.trim_end().ends_with("part"), "{response}");
        }
    }
}

#[tokio::test]
async fn silence_within_a_body_ends_the_response_after_the_origins_timeout() {
    let origin = raw_origin(async |mut stream: TcpStream| {
        until(&mut stream, "\r\n\r\n").await;
        stream.write_all(&[EVENTS, &chunk("data: first\n\n")].concat()).await.unwrap();
        std::future::pending::<()>().await;
    })
    .await;
    let cloudfront = in_front_of(origin, |config| {
        config.origins[0].read_timeout = Duration::from_millis(100);
    })
    .await;
    let response = rest(&mut sends(&cloudfront, GET).await).await;
    assert!(response.ends_with("data: first\n\n\r\n"), "{response}");
}

#[tokio::test]
async fn request_body_above_64_gb_is_refused() {
    let cloudfront = in_front_of(([127, 0, 0, 1], 1).into(), |_| {}).await;
    for (length, status) in [(64_usize << 30, "502"), ((64 << 30) + 1, "413")] {
        let head = format!("POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: {length}\r\n\r\n");
        let response = until(&mut sends(&cloudfront, head.as_bytes()).await, "\r\n\r\n").await;
        assert!(response.starts_with(&format!("HTTP/1.1 {status} ")), "{length}: {response}");
    }
}

/// An origin that counts a body, then sends one of the same length.
async fn large_bodies(mut stream: TcpStream) {
    let mut received = until(&mut stream, "\r\n\r\n").await.split_once("\r\n\r\n").unwrap().1.len();
    let mut buffer = vec![0; MIB];
    while received < LENGTH {
        received += stream.read(&mut buffer).await.unwrap();
    }
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {LENGTH}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let part = Bytes::from(vec![b'y'; MIB]);
    for _ in 0..LENGTH / MIB {
        stream.write_all(&part).await.unwrap();
    }
}

const LENGTH: usize = 200 * MIB;

/// The most memory a process has had, in bytes.
fn peak_memory(pid: u32) -> usize {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

#[tokio::test]
async fn bodies_of_200_mib_pass_in_bounded_memory() {
    let origin = raw_origin(large_bodies).await.to_string();
    let mut simulator = Simulator::start(&[], &["--origin", &origin]);
    let address = simulator.address_after("listening on http://").await;
    let pid = simulator.process.id().unwrap();
    let before = peak_memory(pid);
    let mut viewer = TcpStream::connect(address).await.unwrap();
    let head = format!("POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: {LENGTH}\r\n\r\n");
    viewer.write_all(head.as_bytes()).await.unwrap();
    let part = vec![b'x'; MIB];
    for _ in 0..LENGTH / MIB {
        viewer.write_all(&part).await.unwrap();
    }
    let mut received = until(&mut viewer, "\r\n\r\n").await.split_once("\r\n\r\n").unwrap().1.len();
    let mut buffer = vec![0; MIB];
    while received < LENGTH {
        let read = timeout(LIMIT, viewer.read(&mut buffer)).await.unwrap().unwrap();
        assert_ne!(read, 0, "closed after {received} bytes");
        received += read;
    }
    let growth = peak_memory(pid) - before;
    eprintln!("peak memory grew by {} KiB for 200 MiB in each direction", growth / 1024);
    assert!(growth < 16 * MIB, "{growth} bytes");
}
