//! Webhooks: deliveries to servers on this machine.

mod digests;
mod events;
mod secrets;
mod syslog_tls;

use crate::{
    harness::{Answer, Console, app, attack, monitored, now, request_id, send, uuid, with},
    rules::{admin, call},
};
use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::IntoResponse as _,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use console_api::{
    actor::Role,
    app::App,
    bundles::Bundles,
    clock::Clock,
    notification::{Dispatcher, Sender},
    paging::Slice,
    server::router,
    store::{AttemptResult, Claim},
    webhook::{Secret, Webhook, WebhookDelivery},
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use insta::assert_json_snapshot;
use jiff::SignedDuration;
use serde_json::{Value, json};
use sha2::Sha256;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::AsyncReadExt as _,
    net::{TcpListener, UdpSocket},
};
use tokio_util::sync::CancellationToken;

/// An HTTP server that records the calls of webhooks.
#[derive(Clone, Default)]
pub(crate) struct Receiver {
    calls: Arc<Mutex<Vec<Call>>>,
    /// The statuses of the next responses; then 204.
    answers: Arc<Mutex<VecDeque<u16>>>,
}

#[derive(Clone)]
pub(crate) struct Call {
    headers: HeaderMap,
    body: String,
}

impl Receiver {
    /// Starts a server, and returns its URL.
    pub(crate) async fn start(answers: &[u16]) -> (Self, String) {
        let receiver = Self { answers: Arc::new(Mutex::new(answers.to_vec().into())), ..Self::default() };
        let record = async |State(receiver): State<Receiver>, headers: HeaderMap, body: String| {
            receiver.calls.lock().unwrap().push(Call { headers, body });
            let status = receiver.answers.lock().unwrap().pop_front().unwrap_or(204);
            (StatusCode::from_u16(status).unwrap(), [(header::LOCATION, "/elsewhere")]).into_response()
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook?a=b", listener.local_addr().unwrap());
        let router = Router::new().fallback(record).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (receiver, url)
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }
}

impl Call {
    fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    /// Asserts that the only signature is that of the secret.
    #[track_caller]
    pub(crate) fn is_signed_with(&self, secret: &str) {
        assert_eq!(self.header("webhook-signature"), self.signature_of(secret));
    }

    fn signature_of(&self, secret: &str) -> String {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        for part in [self.header("webhook-id"), ".", self.header("webhook-timestamp"), ".", &self.body] {
            mac.update(part.as_bytes());
        }
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// The id and the secret of a new webhook.
pub(crate) async fn add(console: &Console, webhook: &Value) -> (String, String) {
    let created = admin(console, "POST", "/api/v1/webhooks", webhook).await;
    assert_eq!(created.status, 201, "{}", created.text);
    let created = created.json();
    (created["id"].as_str().unwrap().to_owned(), created["secret"].as_str().unwrap().to_owned())
}

fn at(console: &Console, seconds: i64) -> Dispatcher {
    app(&console.store, now() + SignedDuration::from_secs(seconds)).dispatcher()
}

pub(crate) async fn round(console: &Console, seconds: i64) {
    at(console, seconds).round().await.unwrap();
}

pub(crate) async fn deliveries(console: &Console, id: &str, query: &str) -> Vec<Value> {
    let list = console.get_as(Role::Admin, &format!("/api/v1/webhooks/{id}/deliveries{query}")).await;
    assert_eq!(list.status, 200, "{}", list.text);
    list.json()["items"].as_array().unwrap().clone()
}

async fn retry(console: &Console, id: &str, query: &str) -> Answer {
    admin(console, "POST", &format!("/api/v1/webhooks/{id}/deliveries/retry{query}"), &Value::Null).await
}

#[tokio::test]
async fn delivers_each_attack_once_with_a_signature() {
    let console = Console::start().await;
    let (receiver, url) = Receiver::start(&[]).await;
    let (id, secret) = add(&console, &json!({"name": "Ops", "url": url, "query": "status:blocked"})).await;
    let other = [("/attack/request/host", json!("other.example.com"))];
    console.ingest(&[attack(1, 0), with(monitored(attack(2, 0)), &other)]).await;
    round(&console, 0).await;
    round(&console, 1).await;
    console.ingest(&[attack(3, 1)]).await;
    round(&console, 2).await;
    let calls = receiver.calls();
    assert_eq!(calls.len(), 1, "one attack is blocked, and is delivered once");
    calls[0].is_signed_with(&secret);
    assert_eq!(calls[0].header("content-type"), "application/json");
    assert_eq!(calls[0].header("webhook-timestamp"), now().as_second().to_string());
    let delivery = &deliveries(&console, &id, "").await[0];
    assert_eq!(calls[0].header("webhook-id"), delivery["id"]);
    assert_eq!((&delivery["state"], &delivery["status"]), (&json!("delivered"), &json!(204)));
    let mut event = calls[0].json();
    assert_eq!(event["data"]["id"], delivery["attack_id"]);
    event["data"]["id"] = json!("[id]");
    assert_json_snapshot!(event);
}

#[tokio::test]
async fn delivers_an_attack_once_it_matches_the_query() {
    let console = Console::start().await;
    let (receiver, url) = Receiver::start(&[]).await;
    add(&console, &json!({"name": "Ops", "url": url, "query": "hits:>=3"})).await;
    for n in 1..=4 {
        console.ingest(&[attack(n, n)]).await;
        round(&console, n.into()).await;
    }
    let calls = receiver.calls();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].json()["data"]["hits"], 3);
}

#[tokio::test]
async fn delivers_false_positives_only_on_request() {
    let console = Console::start().await;
    console.ingest(&[attack(1, 0)]).await;
    let path = format!("/api/v1/attacks/{}/mark", console.only_attack().await);
    let mark = call(Role::Admin, "POST", &path, Some("\"0\""), &json!({"mark": "false_positive"}));
    assert_eq!(send(&console.router, mark).await.status, 200);
    let (receiver, url) = Receiver::start(&[]).await;
    add(&console, &json!({"name": "Ops", "url": url})).await;
    let (false_positives, url) = Receiver::start(&[]).await;
    add(&console, &json!({"name": "Noise", "url": url, "query": "mark:false_positive"})).await;
    console.ingest(&[attack(2, 1)]).await;
    round(&console, 0).await;
    assert_eq!((receiver.calls().len(), false_positives.calls().len()), (0, 1));
}

#[tokio::test]
async fn retries_failed_deliveries_after_a_restart() {
    let console = Console::start().await;
    let (receiver, url) = Receiver::start(&[500]).await;
    let (id, secret) = add(&console, &json!({"name": "Ops", "url": url})).await;
    console.ingest(&[attack(1, 0)]).await;
    let console = console.restart().await;
    round(&console, 0).await;
    let waiting = &deliveries(&console, &id, "?state=pending").await[0];
    assert_eq!((&waiting["attempts"], &waiting["status"]), (&json!(1), &json!(500)));
    assert_eq!(waiting["error"], "responded with 500");
    round(&console, 4).await;
    assert_eq!(receiver.calls().len(), 1, "the retry is not due yet");
    let console = console.restart().await;
    round(&console, 5).await;
    let calls = receiver.calls();
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[0].header("webhook-id"), calls[1].header("webhook-id"));
    assert_eq!(calls[0].body, calls[1].body);
    assert_ne!(calls[0].header("webhook-signature"), calls[1].header("webhook-signature"));
    calls[1].is_signed_with(&secret);
    let delivered = &deliveries(&console, &id, "?state=delivered").await[0];
    assert_eq!((&delivered["attempts"], delivered.get("error")), (&json!(2), None));
}

#[tokio::test]
async fn retries_an_interrupted_attempt() {
    let console = Console::start().await;
    let (receiver, url) = Receiver::start(&[500]).await;
    let (id, _) = add(&console, &json!({"name": "Ops", "url": url})).await;
    console.ingest(&[attack(1, 0)]).await;
    round(&console, 0).await;
    let (webhook, waiting) = first_delivery(&console, &id).await;
    let later = now() + SignedDuration::from_secs(10);
    let claim = async || console.store.claim_delivery((&webhook, &waiting), later).await.unwrap();
    assert_eq!(claim().await, Claim::Attempt(2));
    assert_eq!(claim().await, Claim::NotDue, "another console claimed it");
    round(&console, 60).await;
    assert_eq!(receiver.calls().len(), 1, "the claimed attempt may still run");
    round(&console, 70).await;
    assert_eq!(receiver.calls().len(), 2);
}

/// A webhook and its latest delivery, as the store has them.
async fn first_delivery(console: &Console, id: &str) -> (Webhook, WebhookDelivery) {
    let id = id.parse().unwrap();
    let webhook = console.store.webhook(id).await.unwrap().unwrap().webhook;
    let mut deliveries = console.store.deliveries(id, None, &Slice::default()).await.unwrap().items;
    (webhook, deliveries.remove(0))
}

#[tokio::test]
async fn the_late_failure_of_an_attempt_does_not_repeat_a_delivered_message() {
    let console = Console::start().await;
    let (receiver, url) = Receiver::start(&[500]).await;
    let (id, _) = add(&console, &json!({"name": "Ops", "url": url})).await;
    console.ingest(&[attack(1, 0)]).await;
    round(&console, 0).await;
    let (webhook, waiting) = first_delivery(&console, &id).await;
    let claimed = console.store.claim_delivery((&webhook, &waiting), now() + SignedDuration::from_secs(10));
    assert_eq!(claimed.await.unwrap(), Claim::Attempt(2));
    round(&console, 70).await;
    assert_eq!(receiver.calls().len(), 2, "the third attempt, after the claim of the second one ended");
    let failed = AttemptResult { status: None, error: Some("no response".to_owned()) };
    let late = console.store.settle_delivery((waiting.id, 2), &failed, Some(now())).await.unwrap();
    assert!(late.is_none(), "{late:?}");
    round(&console, 200).await;
    assert_eq!(receiver.calls().len(), 2);
    assert_eq!(deliveries(&console, &id, "?state=delivered").await.len(), 1);
}

#[tokio::test]
async fn sends_pending_deliveries_once_a_webhook_is_enabled() {
    let console = Console::start().await;
    let (receiver, url) = Receiver::start(&[500]).await;
    let (id, _) = add(&console, &json!({"name": "Ops", "url": url})).await;
    let path = format!("/api/v1/webhooks/{id}");
    let set = async |enabled: bool, tag: &str| {
        let webhook = json!({"name": "Ops", "url": url, "enabled": enabled});
        let set = send(&console.router, call(Role::Admin, "PUT", &path, Some(tag), &webhook)).await;
        assert_eq!(set.status, 200, "{}", set.text);
    };
    console.ingest(&[attack(1, 0)]).await;
    round(&console, 0).await;
    set(false, "\"1\"").await;
    let other = [("/attack/request/host", json!("other.example.com"))];
    console.ingest(&[with(attack(2, 0), &other)]).await;
    round(&console, 60).await;
    assert_eq!(receiver.calls().len(), 1);
    set(true, "\"2\"").await;
    round(&console, 60).await;
    assert_eq!(receiver.calls().len(), 2, "attacks while the webhook was disabled are not delivered");
    let deleted =
        send(&console.router, call(Role::Admin, "DELETE", &path, Some("\"3\""), &Value::Null)).await;
    assert_eq!(deleted.status, 204, "{}", deleted.text);
}

#[tokio::test]
async fn keeps_dead_deliveries_for_a_retry() {
    const ATTEMPTS: usize = 9;
    let console = Console::start().await;
    let (receiver, url) = Receiver::start(&[503; ATTEMPTS]).await;
    let (id, _) = add(&console, &json!({"name": "Ops", "url": url})).await;
    console.ingest(&[attack(1, 0)]).await;
    for day in 0..20 {
        round(&console, day * 86_400).await;
    }
    assert_eq!(receiver.calls().len(), ATTEMPTS);
    let dead = &deliveries(&console, &id, "?state=dead").await[0];
    assert_eq!((&dead["attempts"], dead.get("next_at")), (&json!(ATTEMPTS), None));
    assert_eq!(retry(&console, &id, &format!("?delivery={}", uuid(7))).await.json()["retried"], 0);
    let one = format!("?delivery={}", dead["id"].as_str().unwrap());
    assert_eq!(retry(&console, &id, &one).await.json()["retried"], 1);
    assert_eq!(retry(&console, &id, "").await.json()["retried"], 0, "the delivery is pending");
    round(&console, 0).await;
    assert_eq!(deliveries(&console, &id, "?state=delivered").await.len(), 1);
    assert_eq!(receiver.calls()[0].header("webhook-id"), receiver.calls()[9].header("webhook-id"));
    for wrong in ["?state=late", "?delivery=x"] {
        let path = format!("/api/v1/webhooks/{id}/deliveries{wrong}");
        assert_eq!(console.get_as(Role::Admin, &path).await.status, 400, "{wrong}");
    }
    let unknown = format!("/api/v1/webhooks/{}/deliveries", uuid(7));
    assert_eq!(console.get_as(Role::Admin, &unknown).await.status, 404);
}

#[tokio::test]
async fn a_test_reports_its_result() {
    let console = Console::start().await;
    let (receiver, url) = Receiver::start(&[200, 403]).await;
    let (id, secret) =
        add(&console, &json!({"name": "<Ops>", "url": url, "format": "slack", "enabled": false})).await;
    let test =
        async || admin(&console, "POST", &format!("/api/v1/webhooks/{id}/test"), &Value::Null).await.json();
    let (accepted, rejected) = (test().await, test().await);
    assert_eq!((&accepted["state"], &accepted["status"]), (&json!("delivered"), &json!(200)));
    assert_eq!((&rejected["state"], &rejected["error"]), (&json!("dead"), &json!("responded with 403")));
    receiver.calls()[0].is_signed_with(&secret);
    assert_json_snapshot!(receiver.calls()[0].json());
    round(&console, 86_400).await;
    assert_eq!(receiver.calls().len(), 2, "a test is not retried");
}

#[tokio::test]
async fn a_slack_message_contains_the_payload_as_text() {
    let console = Console::start().await;
    let (receiver, url) = Receiver::start(&[]).await;
    add(&console, &json!({"name": "Ops", "url": url, "format": "slack"})).await;
    let payload = json!("<!channel> ``` <https://evil.example.com|click> & so on");
    console.ingest(&[with(attack(1, 0), &[("/attack/hits/0/findings/0/payload", payload)])]).await;
    round(&console, 0).await;
    let mut message = receiver.calls()[0].json();
    let text = message["blocks"][2]["text"]["text"].as_str().unwrap();
    assert!(text.starts_with("Attack "), "{text}");
    message["blocks"][2]["text"]["text"] = json!("[id]");
    assert_json_snapshot!(message);
}

/// The event in a syslog message of the delivery with this id.
#[track_caller]
fn event_of<'a>(message: &'a str, id: &str) -> &'a str {
    let header = format!("<132>1 2026-01-01T12:00:00.000Z - wallarm-console - {} - ", id.replace('-', ""));
    message.strip_prefix(&header).unwrap_or_else(|| panic!("{message}"))
}

#[tokio::test]
async fn sends_cef_to_syslog_over_tcp() {
    let console = Console::start().await;
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("syslog+tcp://{}", server.local_addr().unwrap());
    let (id, _) = add(&console, &json!({"name": "Log", "url": url, "format": "cef"})).await;
    console.ingest(&[with(attack(1, 0), &[("/attack/hits/0/findings/0/payload", json!("a=b\nc|é"))])]).await;
    let read = tokio::spawn(async move {
        let (mut stream, _) = server.accept().await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        text
    });
    round(&console, 0).await;
    let frame = read.await.unwrap();
    let (length, message) = frame.split_once(' ').unwrap();
    assert_eq!(length.parse(), Ok(message.len()));
    let delivery = &deliveries(&console, &id, "").await[0];
    assert_eq!((&delivery["state"], &delivery["status"]), (&json!("delivered"), &Value::Null));
    let event = event_of(message, delivery["id"].as_str().unwrap());
    assert!(event.starts_with("CEF:0|wallarm-console|"), "{event}");
    assert!(event.contains(" cs2=a\\=b\\nc|é "), "{event}");
    assert!(!event.contains('\n'), "{event}");
}

#[tokio::test]
async fn sends_cef_to_syslog_over_udp() {
    let console = Console::start().await;
    let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let url = format!("syslog+udp://{}", server.local_addr().unwrap());
    let (id, _) = add(&console, &json!({"name": "Log", "url": url, "format": "cef"})).await;
    let test = admin(&console, "POST", &format!("/api/v1/webhooks/{id}/test"), &Value::Null).await.json();
    assert_eq!(test["state"], "delivered", "{test}");
    let mut datagram = [0; 2000];
    let length = server.recv(&mut datagram).await.unwrap();
    let event = event_of(str::from_utf8(&datagram[..length]).unwrap(), test["id"].as_str().unwrap());
    assert!(event.ends_with("|test|Test|0|msg=This is a test of the webhook Log."), "{event}");
}

#[tokio::test]
async fn retries_an_unreachable_syslog_server() {
    let console = Console::start().await;
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("syslog+tcp://{}", server.local_addr().unwrap());
    drop(server);
    let (id, _) = add(&console, &json!({"name": "Log", "url": url, "format": "cef"})).await;
    console.ingest(&[attack(1, 0)]).await;
    round(&console, 0).await;
    let delivery = &deliveries(&console, &id, "?state=pending").await[0];
    assert_eq!(
        (&delivery["attempts"], &delivery["error"]),
        (&json!(1), &json!("Connection refused (os error 111)"))
    );
}

#[tokio::test]
async fn requires_the_format_cef_for_syslog() {
    let console = Console::start().await;
    for (url, format) in [("syslog+tcp://logs.example.com", "standard"), ("https://logs.example.com/", "cef")]
    {
        let draft = json!({"name": "Log", "url": url, "format": format});
        let refused = admin(&console, "POST", "/api/v1/webhooks", &draft).await;
        assert_eq!(
            (refused.status.as_u16(), &refused.json()["parameter"]),
            (400, &json!("format")),
            "{}",
            refused.text
        );
    }
}

#[tokio::test]
async fn follows_no_redirects() {
    let console = Console::start().await;
    let (receiver, url) = Receiver::start(&[307]).await;
    let (id, _) = add(&console, &json!({"name": "Ops", "url": url})).await;
    console.ingest(&[attack(1, 0)]).await;
    round(&console, 0).await;
    assert_eq!(receiver.calls().len(), 1);
    assert_eq!(deliveries(&console, &id, "").await[0]["error"], "responded with 307");
}

#[tokio::test]
async fn rejects_targets_in_private_networks() {
    let console = Console::start().await;
    let (receiver, url) = Receiver::start(&[]).await;
    // The network was allowed when the webhook was created.
    let (id, _) = add(&console, &json!({"name": "Ops", "url": url})).await;
    let named = url.replace("127.0.0.1", "localhost");
    let (by_name, _) = add(&console, &json!({"name": "Ops", "url": named})).await;
    console.ingest(&[attack(1, 0)]).await;
    let mut strict = at(&console, 0);
    strict.sender = Sender::default();
    strict.round().await.unwrap();
    for id in [id, by_name] {
        let delivery = &deliveries(&console, &id, "").await[0];
        let error = delivery["error"].as_str().unwrap();
        assert!(error.contains("not a public address"), "{error}");
    }
    assert!(receiver.calls().is_empty());
    let strict = router(App::new(console.store.clone(), Clock::At(now()), Bundles::default()));
    let webhook = json!({"name": "Ops", "url": url});
    let refused = send(&strict, call(Role::Admin, "POST", "/api/v1/webhooks", None, &webhook)).await;
    assert_eq!((refused.status.as_u16(), &refused.json()["parameter"]), (400, &json!("url")));
}

#[tokio::test]
async fn the_secret_is_shown_once() {
    let console = Console::start().await;
    let (_, url) = Receiver::start(&[]).await;
    let (id, secret) = add(&console, &json!({"name": "Ops", "url": url})).await;
    assert!(Secret::parse(&secret).is_some());
    for path in [format!("/api/v1/webhooks/{id}"), "/api/v1/webhooks".to_owned(), "/api/v1/audit".to_owned()]
    {
        let answer = console.get_as(Role::Admin, &path).await;
        assert!(
            answer.status == 200 && answer.text.contains(&id) && !answer.text.contains("whsec"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_running_console_dispatches_deliveries() {
    let console = Console::start().await;
    let (receiver, url) = Receiver::start(&[]).await;
    add(&console, &json!({"name": "Ops", "url": url})).await;
    let mut dispatcher = at(&console, 0);
    dispatcher.clock = Clock::System;
    let stop = CancellationToken::new();
    let running = tokio::spawn(dispatcher.run(stop.clone()));
    let other = [
        ("/attack/request/host", json!("other.example.com")),
        ("/attack/request/request_id", json!(request_id(9))),
    ];
    console.ingest(&[attack(1, 0), with(attack(2, 0), &other)]).await;
    while receiver.calls().len() < 2 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn deletes_old_deliveries_unless_the_attack_is_active() {
    let console = Console::start().await;
    let (_, url) = Receiver::start(&[]).await;
    let (id, _) = add(&console, &json!({"name": "Ops", "url": url})).await;
    console.ingest(&[attack(1, 30)]).await;
    round(&console, -2 * 3600).await;
    let delete = async |before: &str| console.store.delete_deliveries(before.parse().unwrap()).await.unwrap();
    delete("2026-01-01T10:15:00Z").await;
    assert_eq!(deliveries(&console, &id, "").await.len(), 1);
    delete("2026-01-01T10:45:00Z").await;
    assert_eq!(deliveries(&console, &id, "").await.len(), 0);
}

#[tokio::test]
async fn notifies_of_unreachable_and_recovered_nodes_once() {
    let console = Console::start().await;
    let (receiver, url) = Receiver::start(&[]).await;
    let (id, _) = add(&console, &json!({"name": "Ops", "url": url, "events": ["nodes"]})).await;
    let (silent, url) = Receiver::start(&[]).await;
    add(&console, &json!({"name": "Attacks", "url": url})).await;
    console.ingest(&[attack(1, 0)]).await;
    for seconds in [5, 12, 13, 60] {
        round(&console, seconds).await;
    }
    console.ingest(&[]).await;
    round(&console, 2).await;
    let calls: Vec<Value> = receiver.calls().iter().map(Call::json).collect();
    let kinds: Vec<_> = calls.iter().map(|call| &call["type"]).collect();
    assert_eq!(kinds, ["node.unreachable", "node.recovered"], "{calls:?}");
    assert_eq!(calls[0]["data"], json!({"node_id": uuid(900), "since": "2026-01-01T12:00:00Z"}));
    assert_eq!(silent.calls().len(), 1, "the attack only");
    let event = &deliveries(&console, &id, "").await[0];
    assert_eq!(event["event"], "node.unreachable");
}

#[tokio::test]
async fn notifies_of_requests_not_inspected_at_most_once_a_minute() {
    let console = Console::start().await;
    let (receiver, url) = Receiver::start(&[]).await;
    add(&console, &json!({"name": "Ops", "url": url, "events": ["not_inspected"]})).await;
    let entry = |n: u32| crate::harness::not_inspected(n, n, "node_timeout");
    console.ingest(&[entry(1), entry(2), entry(2)]).await;
    round(&console, 0).await;
    console.ingest(&[entry(3)]).await;
    round(&console, 30).await;
    round(&console, 60).await;
    round(&console, 200).await;
    let calls: Vec<Value> = receiver.calls().iter().map(Call::json).collect();
    let data: Vec<_> = calls.iter().map(|call| (&call["type"], &call["data"]["requests"])).collect();
    assert_eq!(data, [(&json!("not_inspected"), &json!(2)), (&json!("not_inspected"), &json!(1))]);
}
