//! WebSocket connections through the simulator, with a real client and server.

use std::net::SocketAddr;
use std::time::Duration;

use cloudfront_sim::clock::Clock;
use cloudfront_sim::cloudfront::{
    CachePolicy, CloudFront, DistributionConfig, Edge, OriginRequestPolicy, Selection,
};
use cloudfront_sim::http1::{Limits, Options};
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async, client_async};

use crate::caching::DAY;
use crate::harness::{any_port, does, eventually};

type Client = WebSocketStream<TcpStream>;

/// Long enough for a busy machine.
const LIMIT: Duration = Duration::from_secs(30);

/// A server that echoes messages, and reports the headers of handshakes and the ends of
/// connections.
async fn echo_server() -> (SocketAddr, mpsc::UnboundedReceiver<String>) {
    let listener = any_port().await;
    let address = listener.local_addr().unwrap();
    let (events, received) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(echo(stream, events.clone()));
        }
    });
    (address, received)
}

async fn echo(stream: TcpStream, events: mpsc::UnboundedSender<String>) {
    #[expect(clippy::result_large_err, reason = "the type of the library")]
    let handshake = |request: &Request, response: Response| {
        events.send(format!("{:?}", request.headers())).unwrap();
        Ok(response)
    };
    let accepted = accept_hdr_async(stream, handshake).await;
    let Ok(mut socket) = accepted else {
        events.send("no handshake".to_owned()).unwrap();
        return;
    };
    while let Some(Ok(message)) = socket.next().await {
        match message.to_text() {
            Ok("bye") => drop(socket.close(None).await),
            Ok("drop") => return,
            _ if message.is_text() || message.is_binary() => socket.send(message).await.unwrap(),
            _ => {}
        }
    }
    events.send("ended".to_owned()).unwrap();
}

async fn in_front_of(origin: SocketAddr, set: impl FnOnce(&mut DistributionConfig)) -> CloudFront {
    with_silence(Limits::default().silence, origin, set).await
}

async fn with_silence(
    silence: Duration,
    origin: SocketAddr,
    set: impl FnOnce(&mut DistributionConfig),
) -> CloudFront {
    let mut config = DistributionConfig::new(origin);
    set(&mut config);
    let limits = Limits { silence, ..Limits::default() };
    let options = Options { limits, ..Options::default() };
    CloudFront::start_with(any_port().await, Edge::new(config, Clock::real()), options).unwrap()
}

async fn connect(cloudfront: &CloudFront) -> Result<Client, Error> {
    let stream = TcpStream::connect(cloudfront.address()).await.unwrap();
    client_async("ws://shop.example.com/chat", stream).await.map(|(socket, _)| socket)
}

async fn receive(socket: &mut Client) -> Message {
    timeout(LIMIT, socket.next()).await.unwrap().unwrap().unwrap()
}

async fn event(events: &mut mpsc::UnboundedReceiver<String>) -> String {
    timeout(LIMIT, events.recv()).await.unwrap().unwrap()
}

#[tokio::test]
async fn websocket_messages_pass_in_both_directions() {
    let (origin, mut events) = echo_server().await;
    let cloudfront = in_front_of(origin, |_| {}).await;
    let mut socket = connect(&cloudfront).await.unwrap();
    for message in ["one", "two"] {
        socket.send(Message::text(message)).await.unwrap();
        assert_eq!(receive(&mut socket).await, Message::text(message));
    }
    let large = Message::binary(vec![7; 8 * 1024 * 1024]);
    let (mut sending, mut receiving) = socket.split();
    // At the same time: the echo comes while the rest is sent.
    let (sent, echoed) = tokio::join!(sending.send(large.clone()), timeout(LIMIT, receiving.next()));
    sent.unwrap();
    assert!(echoed.unwrap().unwrap().unwrap() == large, "8 MiB come back unchanged");
    let mut socket = sending.reunite(receiving).unwrap();
    socket.send(Message::Ping("are you there".into())).await.unwrap();
    assert_eq!(receive(&mut socket).await, Message::Pong("are you there".into()));
    assert_eq!(cloudfront.edge().in_flight(), 1);
    socket.close(Some(CloseFrame { code: CloseCode::Normal, reason: "done".into() })).await.unwrap();
    let Message::Close(Some(frame)) = receive(&mut socket).await else { panic!("no close frame") };
    assert_eq!(frame.reason, "done");
    assert!(event(&mut events).await.contains("websocket"));
    assert_eq!(event(&mut events).await, "ended");
    eventually("the connection is closed", || cloudfront.connections() == 0).await;
    assert_eq!(cloudfront.edge().in_flight(), 0);
}

#[tokio::test]
async fn functions_see_and_change_the_handshake() {
    let (origin, mut events) = echo_server().await;
    let seen = "
names = {'connection', 'upgrade', 'sec-websocket-key', 'sec-websocket-version'} & set(request['headers'])
value = ' '.join([request['method']] + sorted(names))
request['headers']['x-' + cf['config']['eventType']] = [{'value': value}]
return request";
    // Response functions do not see a 101: they could not return it.
    let (seen, fails) = (does(seen).await, does("raise Exception()").await);
    let cloudfront = in_front_of(origin, |config| {
        let functions = &mut config.default_behavior.functions;
        (functions.viewer_request, functions.origin_request) = (seen.at(), seen.at());
        (functions.origin_response, functions.viewer_response) = (fails.at(), fails.at());
    })
    .await;
    let mut socket = connect(&cloudfront).await.unwrap();
    socket.send(Message::text("hello")).await.unwrap();
    assert_eq!(receive(&mut socket).await, Message::text("hello"));
    let handshake = event(&mut events).await;
    for trigger in ["viewer-request", "origin-request"] {
        let seen = format!("\"x-{trigger}\": \"GET sec-websocket-key sec-websocket-version\"");
        assert!(handshake.contains(&seen), "{handshake}");
    }
    assert!(handshake.contains("\"upgrade\": \"websocket\""), "{handshake}");
}

#[tokio::test]
async fn a_function_blocks_a_handshake() {
    let (origin, mut events) = echo_server().await;
    let blocks = does("return {'status': '403', 'body': 'blocked'}").await;
    let cloudfront =
        in_front_of(origin, |config| config.default_behavior.functions.viewer_request = blocks.at()).await;
    let Err(Error::Http(response)) = connect(&cloudfront).await else { panic!("the handshake passed") };
    assert_eq!((response.status().as_u16(), response.body().as_deref()), (403, Some(b"blocked".as_slice())));
    assert!(events.try_recv().is_err(), "the origin was not called");
}

#[tokio::test]
async fn a_handshake_needs_its_headers_forwarded() {
    let (origin, mut events) = echo_server().await;
    let forwards = |names: &'static [&str]| {
        in_front_of(origin, move |config| {
            let headers = Selection::only(names);
            config.default_behavior.origin_request =
                OriginRequestPolicy { headers, ..OriginRequestPolicy::default() };
        })
    };
    let with = forwards(&["Sec-WebSocket-Key", "Sec-WebSocket-Version"]).await;
    connect(&with).await.unwrap();
    let without = forwards(&["Sec-WebSocket-Version"]).await;
    assert!(connect(&without).await.is_err());
    let mut ends = vec![event(&mut events).await, event(&mut events).await, event(&mut events).await];
    ends.sort();
    assert!(ends.contains(&"no handshake".to_owned()), "{ends:?}");
}

#[tokio::test]
async fn websockets_are_neither_cached_nor_collapsed() {
    let (origin, _events) = echo_server().await;
    let policy = CachePolicy::with_ttls(0, 60, DAY);
    let cloudfront = in_front_of(origin, |config| config.default_behavior.cache = policy).await;
    let (mut one, mut two) = (connect(&cloudfront).await.unwrap(), connect(&cloudfront).await.unwrap());
    for (socket, text) in [(&mut one, "one"), (&mut two, "two")] {
        socket.send(Message::text(text)).await.unwrap();
        assert_eq!(receive(socket).await, Message::text(text));
    }
}

#[tokio::test]
async fn a_silent_origin_ends_the_websocket() {
    let (origin, mut events) = echo_server().await;
    let cloudfront = with_silence(Duration::from_millis(300), origin, |_| {}).await;
    let mut socket = connect(&cloudfront).await.unwrap();
    assert!(timeout(LIMIT, socket.next()).await.unwrap().unwrap().is_err());
    event(&mut events).await;
    assert_eq!(event(&mut events).await, "ended");
    assert_eq!(Limits::default().silence, Duration::from_mins(10));
}

#[tokio::test]
async fn either_side_may_end_a_websocket() {
    let (origin, mut events) = echo_server().await;
    let cloudfront = in_front_of(origin, |_| {}).await;
    drop(connect(&cloudfront).await.unwrap());
    event(&mut events).await;
    assert_eq!(event(&mut events).await, "ended");
    let mut socket = connect(&cloudfront).await.unwrap();
    socket.send(Message::text("drop")).await.unwrap();
    assert!(timeout(LIMIT, socket.next()).await.unwrap().unwrap().is_err());
    let mut socket = connect(&cloudfront).await.unwrap();
    socket.send(Message::text("bye")).await.unwrap();
    assert!(matches!(receive(&mut socket).await, Message::Close(None)));
    // Sends the reply to the close frame.
    assert!(timeout(LIMIT, socket.next()).await.unwrap().is_none());
    eventually("both connections are closed", || cloudfront.edge().in_flight() == 0).await;
}

#[tokio::test]
async fn a_stop_ends_websockets() {
    let (origin, _events) = echo_server().await;
    let cloudfront = in_front_of(origin, |_| {}).await;
    let mut socket = connect(&cloudfront).await.unwrap();
    timeout(LIMIT, cloudfront.drain(Duration::MAX)).await.expect("the stop does not wait for the connection");
    assert!(timeout(LIMIT, socket.next()).await.unwrap().unwrap().is_err());
}
