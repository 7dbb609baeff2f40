//! HTTP/2 and TLS on the server.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use cloudfront_sim::certificates::Authority;
use cloudfront_sim::http1::{Exchange, Limits, Options, Peer, Request, Response, Server, Version};
use rcgen::CertificateParams;
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::harness::eventually;

/// Responds with the request and its transport.
async fn mirror(options: Options) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    Server::start_with(listener, options, |request, peer| async move { reflect(&request, peer) }).unwrap()
}

fn reflect(request: &Request, peer: Peer) -> Response {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers: Vec<_> =
        request.headers.0.iter().map(|(name, value)| format!("{}={}", text(name), text(value))).collect();
    let line = format!("{} {} {} {}", peer.scheme(), peer.version, request.method, text(&request.target));
    Response::text(200, format!("{line}\n{}\n{}", headers.join("\n"), text(&request.body)))
}

async fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.unwrap()
}

/// One request over HTTP/2: its status and its body.
async fn over_http2<S>(stream: S, request: http::Request<()>, body: &str) -> (u16, String)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = h2::client::handshake(stream).await.unwrap();
    let connection_task = tokio::spawn(connection);
    let mut sender = sender.ready().await.unwrap();
    let (response, mut upload) = sender.send_request(request, body.is_empty()).unwrap();
    if !body.is_empty() {
        upload.send_data(Bytes::copy_from_slice(body.as_bytes()), true).unwrap();
    }
    let (head, mut body) = response.await.unwrap().into_parts();
    let mut content = Vec::new();
    while let Some(part) = body.data().await {
        let part = part.unwrap();
        body.flow_control().release_capacity(part.len()).unwrap();
        content.extend_from_slice(&part);
    }
    connection_task.abort();
    (head.status.as_u16(), String::from_utf8(content).unwrap())
}

fn post(uri: &str) -> http::Request<()> {
    let request =
        http::Request::post(uri).header("X-One", "1").header("cookie", "a=1").header("cookie", "b=2");
    request.body(()).unwrap()
}

/// A server with TLS, and a client that trusts it and offers these protocols.
async fn with_tls(protocols: &[&str]) -> (Server, TlsStream<TcpStream>) {
    let authority = Authority::new().unwrap();
    let parameters = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let tls = authority.server(&parameters, &["h2", "http/1.1"]).unwrap();
    let server = mirror(Options { tls: Some(Arc::new(tls)), ..Options::default() }).await;
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap()).unwrap();
    let provider = rustls::crypto::ring::default_provider().into();
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TlsConnector::from(Arc::new(config)).connect(name, connect(server.address()).await).await;
    (server, stream.unwrap())
}

#[tokio::test]
async fn accepts_http2_by_prior_knowledge() {
    let server = mirror(Options::default()).await;
    let stream = connect(server.address()).await;
    let (status, body) = over_http2(stream, post("http://shop.example.com/a%20b?c=d"), "hello").await;
    assert_eq!(status, 200);
    assert_eq!(body, "http HTTP/2.0 POST /a%20b?c=d\nhost=shop.example.com\nx-one=1\ncookie=a=1; b=2\nhello");
}

#[tokio::test]
async fn partial_http2_preface_is_http1() {
    let server = mirror(Options::default()).await;
    let mut stream = connect(server.address()).await;
    for part in ["P", "R", "OPFIND / HTTP/1.1\r\nConnection: close\r\n\r\n"] {
        stream.write_all(part.as_bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains("http HTTP/1.1 PROPFIND /"), "{answer}");
}

#[tokio::test]
async fn tls_chooses_http2_or_http1() {
    let (_server, stream) = with_tls(&["h2", "http/1.1"]).await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
    let (_, body) = over_http2(stream, post("https://localhost/x"), "").await;
    assert!(body.starts_with("https HTTP/2.0 POST /x\nhost=localhost\n"), "{body}");

    let (_server, mut stream) = with_tls(&["http/1.1"]).await;
    stream.write_all(b"GET /<odd> HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains("\r\n\r\nhttps HTTP/1.1 GET /<odd>\n"), "{answer}");
}

#[tokio::test]
async fn rejects_a_body_above_the_limit_over_http2() {
    let limits = Limits { body: 10, ..Limits::default() };
    let server = mirror(Options { limits, ..Options::default() }).await;
    let (status, body) =
        over_http2(connect(server.address()).await, post("http://a.example/"), "more than ten").await;
    assert_eq!((status, body.as_str()), (413, "the body is larger than 10 bytes\n"));
}

#[tokio::test]
async fn large_responses_respect_flow_control() {
    let large = "x".repeat(3_000_000);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let answer = large.clone();
    let server = Server::start(listener, Limits::default(), move |_, _| {
        let answer = answer.clone();
        async move { Response::text(200, answer) }
    })
    .unwrap();
    let request = http::Request::get("http://a.example/").body(()).unwrap();
    let (_, body) = over_http2(connect(server.address()).await, request, "").await;
    assert_eq!(body.len(), large.len());
}

#[tokio::test]
async fn disconnects_a_reader_that_makes_no_progress() {
    let limits = Limits { write: Duration::from_millis(200), ..Limits::default() };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = Server::start(listener, limits, |_, _| async { Response::text(200, vec![0; 32 << 20]) });
    let server = server.unwrap();
    let mut stream = connect(server.address()).await;
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    eventually("the client is connected", || server.connections() == 1).await;
    eventually("the connection is closed", || server.connections() == 0).await;
}

#[tokio::test]
async fn stop_finishes_requests_and_closes_idle_connections() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let slow = |_, _| async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        Response::text(200, "served to the end")
    };
    let server = Server::start(listener, Limits::default(), slow).unwrap();
    let address = server.address();
    let (mut busy, mut idle) = (connect(address).await, connect(address).await);
    busy.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    eventually("both are connected", || server.connections() == 2).await;
    // Long enough for the request to reach the handler.
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.drain(Duration::from_secs(20)).await;
    let (mut answer, mut nothing) = (String::new(), String::new());
    busy.read_to_string(&mut answer).await.unwrap();
    idle.read_to_string(&mut nothing).await.unwrap();
    assert!(answer.contains("Connection: close") && answer.ends_with("served to the end"), "{answer}");
    assert_eq!(nothing, "");
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn an_observer_sees_what_was_sent() {
    let exchanges = Arc::new(Mutex::new(Vec::new()));
    let record = Arc::clone(&exchanges);
    let observer = move |exchange: &Exchange<'_>| {
        let Exchange { request, response, received, sent, .. } = exchange;
        let line = (request.method.clone(), exchange.peer.version, response.status, *received, *sent);
        record.lock().unwrap().push(line);
    };
    let server = mirror(Options { observer: Some(Arc::new(observer)), ..Options::default() }).await;
    let mut stream = connect(server.address()).await;
    let request = b"POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi";
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    eventually("the exchange was observed", || !exchanges.lock().unwrap().is_empty()).await;
    let expected = ("POST".to_owned(), Version::Http1_0, 200, request.len(), answer.len());
    assert_eq!(*exchanges.lock().unwrap(), [expected]);
}
