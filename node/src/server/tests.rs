mod access_logs;
mod behaviour;
mod configured;
mod firehose;
mod logs;
mod matrix;
mod shared_cases;

use super::{metrics::ReasonLabels, *};
use crate::config::{Environment, LimitsConfig, Secret};
use axum::{
    body::{Body as HttpBody, to_bytes},
    http::{Request, StatusCode, header},
};
use decision::Policy;
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use shared::{
    Action, AttackRecord, Delivery, Encoding, Enforced, InspectRequest, Mode, Outcome, Problem, Record,
    RequestId, Verdict,
    call_signature::{CALL_SIGNATURE_HEADER, SignedCall, SigningKey},
};
use std::{path::Path, time::Duration};
use tempfile::TempDir;
use tower::ServiceExt as _;

struct Harness {
    node: Arc<Node>,
    spool: TempDir,
}

struct Reply {
    status: StatusCode,
    content_type: String,
    retry_after: Option<String>,
    body: Vec<u8>,
}

fn harness(mode: Mode) -> Harness {
    harness_with_keys(mode, None)
}

fn harness_with_keys(mode: Mode, keys: Option<Vec<SigningKey>>) -> Harness {
    harness_with(mode, keys, 64 << 20)
}

fn harness_with(mode: Mode, keys: Option<Vec<SigningKey>>, max_bytes: u64) -> Harness {
    harness_with_limits(mode, keys, max_bytes, &LimitsConfig::default())
}

fn harness_with_limits(
    mode: Mode,
    keys: Option<Vec<SigningKey>>,
    max_bytes: u64,
    limits: &LimitsConfig,
) -> Harness {
    let directory = tempfile::tempdir().unwrap();
    let mut config = config_of(&format!("route_config: {{wallarm_mode: {mode}}}"));
    config.connector.health_path = Some("/wallarm-external-health".to_owned());
    config.admin.token = Some(Secret::new("admin"));
    config.signing_keys = keys.unwrap_or_default();
    config.spool.directory = directory.path().to_owned();
    config.spool.max_bytes = max_bytes;
    config.limits = limits.clone();
    let (node, _) = Node::build(config, Logs::default()).unwrap();
    Harness { node: Arc::new(node), spool: directory }
}

/// The smallest configuration with additional sections.
fn config_of(more: &str) -> Config {
    parsed(&format!("version: 4\nmode: connector-server\nconnector: {{address: ':5050'}}\n{more}\n"))
}

fn parsed(file: &str) -> Config {
    Config::parse(Path::new("node.yaml"), file, &Environment::default()).unwrap()
}

impl Harness {
    async fn post(&self, path: &str, content_type: &str, body: impl Into<HttpBody>) -> Reply {
        let request =
            Request::post(path).header(header::CONTENT_TYPE, content_type).body(body.into()).unwrap();
        reply(connector_router(self.node.clone()), request).await
    }

    async fn inspect(&self, message: &Value) -> Reply {
        self.post(INSPECT_REQUEST_PATH, "application/json", message.to_string()).await
    }

    /// The pending records of the spool.
    fn records(&self) -> Vec<Record> {
        self.node.spool.waiting()
    }

    fn attack(&self) -> AttackRecord {
        let records = self.records();
        let [Record::Attack(record)] = &records[..] else { panic!("one attack: {records:?}") };
        (**record).clone()
    }
}

async fn reply(router: Router, request: Request<HttpBody>) -> Reply {
    let (head, body) = router.oneshot(request).await.unwrap().into_parts();
    let text = |name| head.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let (content_type, retry_after) = (text(header::CONTENT_TYPE), text(header::RETRY_AFTER));
    Reply {
        status: head.status,
        content_type: content_type.unwrap_or_default(),
        retry_after,
        body: to_bytes(body, usize::MAX).await.unwrap().to_vec(),
    }
}

impl Reply {
    fn verdict(&self) -> Verdict {
        assert_eq!(self.status, StatusCode::OK, "{}", String::from_utf8_lossy(&self.body));
        Encoding::Json.decode(&self.body).unwrap()
    }

    fn problem(&self) -> (u16, String) {
        assert_eq!(self.content_type, Problem::CONTENT_TYPE);
        let problem: Problem = serde_json::from_slice(&self.body).unwrap();
        (self.status.as_u16(), problem.detail)
    }
}

const ID: &str = "0f3c5bb6d1e94e0c8e0f2b6c4d1a7e55";

fn get(path: &str, query: &str) -> Value {
    json!({ "request_id": ID, "client_ip": "203.0.113.178", "method": "GET", "host": "shop.example.com",
            "path": path, "query": query })
}

#[tokio::test]
async fn blocks_an_attack_and_records_it_before_the_verdict() {
    let harness = harness(Mode::Block);
    let verdict = harness.inspect(&get("/etc/passwd", "")).await.verdict();
    assert_eq!((verdict.action, verdict.would_block), (Action::Block, true));
    assert!(verdict.block.unwrap().body.contains(ID), "the page names the request");
    let record = harness.attack();
    assert_eq!(record.request.request_id.to_string(), ID);
    assert_eq!((record.decision.outcome, record.decision.enforced), (Outcome::Blocked, Enforced::Yes));
    assert_eq!(record.hits[0].point.to_string(), "uri");
}

#[tokio::test]
async fn records_texts_and_lists_within_the_limits_of_the_console() {
    use shared::record_limits::{MAX_HEADERS, MAX_WORD_BYTES};
    let harness = harness(Mode::Block);
    let mut message = get("/etc/passwd", "");
    message["connector"] = json!({"kind": "k".repeat(5000), "version": "v".repeat(5000)});
    message["host"] = "h".repeat(5000).into();
    message["method"] = "M".repeat(5000).into();
    message["headers"] = json!(vec![["a", "b"]; 9000]);
    assert_eq!(harness.inspect(&message).await.verdict().action, Action::Block);
    let request = harness.attack().request;
    let connector = request.connector.unwrap();
    for text in [&request.host, &request.method, &connector.kind, &connector.version] {
        assert!(text.len() <= MAX_WORD_BYTES && text.ends_with('…'), "{text}");
    }
    assert_eq!(request.headers.len(), MAX_HEADERS);
    assert_eq!(request.headers.last().unwrap().1, "809 more headers");
}

#[tokio::test]
async fn records_nothing_for_a_clean_request() {
    let harness = harness(Mode::Block);
    let verdict = harness.inspect(&get("/shop", "q=shoes")).await.verdict();
    assert_eq!((verdict.action, verdict.reason, verdict.would_block), (Action::Allow, None, false));
    assert_eq!(harness.records(), []);
}

#[tokio::test]
async fn monitoring_records_attacks_and_off_does_not() {
    let monitoring = harness(Mode::Monitoring);
    let verdict = monitoring.inspect(&get("/", "x='+OR+1=1")).await.verdict();
    assert_eq!((verdict.action, verdict.would_block, verdict.block), (Action::Allow, true, None));
    assert_eq!(monitoring.attack().decision.outcome, Outcome::Monitored);

    let off = harness(Mode::Off);
    let verdict = off.inspect(&get("/", "x='+OR+1=1")).await.verdict();
    assert_eq!((verdict.action, verdict.would_block), (Action::Allow, false));
    assert_eq!(off.records(), []);
}

#[tokio::test]
async fn accepts_an_out_of_band_request_after_recording_and_never_blocks_it() {
    let harness = harness(Mode::Block);
    let mut message = get("/etc/passwd", "");
    message["delivery"] = "out_of_band".into();
    let reply = harness.inspect(&message).await;
    assert_eq!((reply.status, reply.body.len()), (StatusCode::ACCEPTED, 0));
    let decision = harness.attack().decision;
    assert_eq!((decision.outcome, decision.delivery), (Outcome::Monitored, Delivery::OutOfBand));
}

#[tokio::test]
async fn replies_in_the_encoding_of_the_request() {
    let harness = harness(Mode::Block);
    let request: InspectRequest = serde_json::from_value(get("/etc/passwd", "")).unwrap();
    let message = Encoding::MessagePack.encode(&request).unwrap();
    let reply = harness.post(INSPECT_REQUEST_PATH, "application/msgpack", message).await;
    assert_eq!(reply.content_type, "application/msgpack");
    let verdict: Verdict = Encoding::MessagePack.decode(&reply.body).unwrap();
    assert_eq!(verdict.action, Action::Block);
}

#[tokio::test]
async fn generates_a_missing_request_id() {
    let harness = harness(Mode::Block);
    let mut message = get("/etc/passwd", "");
    message.as_object_mut().unwrap().remove("request_id");
    let verdict = harness.inspect(&message).await.verdict();
    assert_eq!(harness.attack().request.request_id, verdict.request_id);
}

#[tokio::test]
async fn records_reports_of_requests_not_inspected_before_the_reply() {
    let harness = harness(Mode::Block);
    let mut message = get("/", "");
    message["not_inspected"] = json!([{ "id": "6f1e4a0c-6d0e-4b43-9c39-0e0a3c3a4f10", "request_id": ID,
        "reason": "node_timeout", "at": "2026-01-01T00:00:00Z" }]);
    harness.inspect(&message).await.verdict();
    assert!(
        matches!(&harness.records()[..], [Record::NotInspected(entry)] if entry.reason.as_str() == "node_timeout")
    );
}

#[tokio::test]
async fn counts_requests_bypassed_by_connectors_outside_of_hits() {
    let harness = harness(Mode::Block);
    let mut message = get("/etc/passwd", "");
    message["connector"] =
        json!({ "kind": "cloudfront", "version": "1.0.0", "application": 7, "bypassed": 40 });
    harness.inspect(&message).await.verdict();
    assert_eq!(harness.node.metrics.bypassed.get_or_create(&ReasonLabels { reason: "connector" }).get(), 40);
    let [Record::Attack(record)] = &harness.records()[..] else { panic!("one hit") };
    let connector = record.request.connector.as_ref().unwrap();
    assert_eq!((connector.application, connector.bypassed), (Some(7), None));
}

#[tokio::test]
async fn a_failing_spool_does_not_prevent_a_block_and_the_loss_is_counted() {
    let harness = harness_with(Mode::Block, None, 64);
    let mut message = get("/etc/passwd", "");
    message["not_inspected"] = json!([{ "id": "6f1e4a0c-6d0e-4b43-9c39-0e0a3c3a4f10", "request_id": ID,
        "reason": "node_timeout", "at": "2026-01-01T00:00:00Z" }]);
    assert_eq!(harness.inspect(&message).await.verdict().action, Action::Block);
    assert_eq!(harness.node.metrics.lost.get(), 2);
    message["delivery"] = "out_of_band".into();
    assert_eq!(
        harness.inspect(&message).await.problem().0,
        503,
        "an unrecorded out-of-band request is not accepted"
    );
}

#[tokio::test]
async fn keeps_a_response_report_unless_its_request_is_known_to_be_clean() {
    let harness = harness(Mode::Monitoring);
    harness.inspect(&get("/shop", "")).await.verdict();
    let elsewhere = RequestId::derive("E2", "other").to_string();
    for (id, kept) in [(ID, 0), (&elsewhere, 1)] {
        let report = json!({ "request_id": id, "status": 200 });
        let reply = harness.post(INSPECT_RESPONSE_PATH, "application/json", report.to_string()).await;
        assert_eq!(reply.status, StatusCode::ACCEPTED);
        assert_eq!(harness.records().len(), kept, "{id}");
    }
}

#[tokio::test]
async fn rejects_a_malformed_message_with_the_cause() {
    let harness = harness(Mode::Block);
    let mut problems = Vec::new();
    for (content_type, body) in [
        ("application/json", "{".to_owned()),
        (
            "application/json",
            json!({ "client_ip": "1.2.3", "method": "GET", "host": "h", "path": "/" }).to_string(),
        ),
        ("application/json", json!({ "client_ip": "::1", "host": "h", "path": "/" }).to_string()),
        ("application/json", {
            let mut message = get("/", "");
            message["body"] = "?".into();
            message.to_string()
        }),
        ("application/json", get("/", "").to_string() + "x"),
        ("application/msgpack", "\u{0}".to_owned()),
        ("text/plain", get("/", "").to_string()),
        ("application/json", " ".repeat((4 << 20) + 1)),
    ] {
        problems.push(harness.post(INSPECT_REQUEST_PATH, content_type, body).await.problem());
    }
    problems.push(harness.post("/v2/inspect/request", "application/json", "{}").await.problem());
    insta::assert_debug_snapshot!(problems);
}

/// A call of which only the start of the body is sent.
fn half_a_call(beginning: &'static str) -> Request<HttpBody> {
    let endless = futures_util::stream::once(async move { Ok::<_, std::io::Error>(beginning) })
        .chain(futures_util::stream::pending());
    let request = Request::post(INSPECT_REQUEST_PATH).header(header::CONTENT_TYPE, "application/json");
    request.body(HttpBody::from_stream(endless)).unwrap()
}

#[tokio::test]
async fn rejects_a_body_that_exceeds_its_timeout() {
    let limits = LimitsConfig { body_timeout: Duration::from_millis(50), ..LimitsConfig::default() };
    let harness = harness_with_limits(Mode::Block, None, 64 << 20, &limits);
    let problem = reply(connector_router(harness.node.clone()), half_a_call("{")).await.problem();
    assert_eq!(problem, (408, "the body did not arrive within 50ms, see limits.body_timeout".to_owned()));
}

#[tokio::test]
async fn rejects_messages_while_the_memory_limit_is_reached() {
    let body_timeout = Duration::from_hours(1);
    let limits = LimitsConfig { max_bytes_in_flight: 600, body_timeout, ..LimitsConfig::default() };
    let harness = harness_with_limits(Mode::Block, None, 64 << 20, &limits);
    let beginning = str::from_utf8(&[b' '; 500]).unwrap();
    let waiting = tokio::spawn(reply(connector_router(harness.node.clone()), half_a_call(beginning)));
    // Polled until it has reserved its memory; a concurrent call would find too little.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let full = async || loop {
        let reply = harness.inspect(&get("/etc/passwd", "")).await;
        if reply.status == StatusCode::SERVICE_UNAVAILABLE {
            return reply;
        }
        tokio::task::yield_now().await;
    };
    let refused = tokio::time::timeout(Duration::from_mins(1), full()).await.unwrap();
    assert_eq!(refused.retry_after.as_deref(), Some("1"));
    assert_eq!(
        refused.problem().1,
        "messages in flight use all 600 bytes of limits.max_bytes_in_flight; retry later"
    );
    waiting.abort();
    assert!(waiting.await.is_err());
    harness.inspect(&get("/etc/passwd", "")).await.verdict();
}

#[tokio::test]
async fn rejects_and_counts_calls_under_overload() {
    let harness = harness(Mode::Block);
    let mut permits = Vec::new();
    while let Ok(permit) =
        tokio::time::timeout(Duration::from_millis(20), harness.node.admission.small.acquire()).await
    {
        permits.push(permit.unwrap());
    }
    let message = get("/etc/passwd", "");
    let call = harness.inspect(&message);
    let release = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        permits.clear();
    };
    let (refused, ()) = tokio::join!(call, release);
    assert_eq!(refused.retry_after.as_deref(), Some("1"));
    assert_eq!(refused.problem(), (503, "the node is overloaded; retry later".to_owned()));
    assert_eq!(harness.node.metrics.rejected.get_or_create(&ReasonLabels { reason: "overload" }).get(), 1);
    assert_eq!(harness.records(), []);
}

#[tokio::test]
async fn decides_a_large_message_like_a_small_one() {
    let harness = harness(Mode::Block);
    let mut message = get("/etc/passwd", "");
    message["headers"] = json!([["x-large", "x".repeat(200_000)]]);
    assert_eq!(harness.inspect(&message).await.verdict().action, Action::Block);
}

#[tokio::test]
async fn explain_requires_the_admin_token_and_records_nothing() {
    let harness = harness(Mode::Block);
    let explain = |token: &'static str| {
        let request = Request::post("/v1/explain")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, token)
            .body(HttpBody::from(get("/", "x=%2527+OR+1=1--").to_string()))
            .unwrap();
        reply(status_router(harness.node.clone()), request)
    };
    assert_eq!(explain("Bearer wrong").await.status, StatusCode::UNAUTHORIZED);
    let explanation: Value = serde_json::from_slice(&explain("Bearer admin").await.body).unwrap();
    assert_eq!(explanation["would_block"], true);
    assert_eq!(explanation["findings"][0]["type"], "sqli");
    assert_eq!(explanation["mode_source"], "config");
    assert!(explanation["analysis_micros"].as_u64() > Some(0), "{explanation}");
    assert_eq!(harness.records(), []);
}

#[tokio::test]
async fn rejects_unsigned_forged_expired_and_replayed_calls() {
    let key = SigningKey::new("edge", *b"s3cret");
    let harness = harness_with_keys(Mode::Block, Some(vec![key.clone()]));
    let body = get("/etc/passwd", "").to_string();
    let call = SignedCall {
        method: "POST",
        path_and_query: INSPECT_REQUEST_PATH,
        content_type: "application/json",
        body: body.as_bytes(),
    };
    let now = u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap();
    let send = |signature: String, body: String| {
        let request = Request::post(INSPECT_REQUEST_PATH)
            .header(header::CONTENT_TYPE, "application/json")
            .header(CALL_SIGNATURE_HEADER, signature)
            .body(HttpBody::from(body))
            .unwrap();
        reply(connector_router(harness.node.clone()), request)
    };
    let valid = key.sign(call, now, [1; 16]);
    assert_eq!(send(valid.clone(), body.clone()).await.verdict().action, Action::Block);
    let forged = SigningKey::new("edge", *b"guess").sign(call, now, [2; 16]);
    let problems = [
        send(valid, body.clone()).await.problem(),
        send(forged, body.clone()).await.problem(),
        send(key.sign(call, now - 400_000, [3; 16]), body.clone()).await.problem(),
        send(key.sign(call, now, [4; 16]), get("/", "").to_string()).await.problem(),
        harness.inspect(&get("/", "")).await.problem(),
    ];
    insta::assert_debug_snapshot!(problems);
    let health = Request::get("/wallarm-external-health").body(HttpBody::empty()).unwrap();
    assert_eq!(reply(connector_router(harness.node.clone()), health).await.status, StatusCode::OK);
}

#[tokio::test]
async fn counters_match_the_decisions() {
    let harness = harness(Mode::Block);
    harness.inspect(&get("/etc/passwd", "")).await.verdict();
    harness.inspect(&get("/", "")).await.verdict();
    harness.post(INSPECT_REQUEST_PATH, "application/json", "{").await.problem();
    let fetch = |router: Router, path: &'static str| async move {
        let answer = reply(router, Request::get(path).body(HttpBody::empty()).unwrap()).await;
        String::from_utf8(answer.body).unwrap()
    };
    let status: Value =
        serde_json::from_str(&fetch(status_router(harness.node.clone()), "/wallarm-status").await).unwrap();
    assert_eq!(
        (&status["requests"], &status["attacks"], &status["blocked"], &status["spool"]["pending"]),
        (&json!(3), &json!(1), &json!(1), &json!(1))
    );
    let metrics = fetch(metrics_router(harness.node.clone()), "/metrics").await;
    for line in [
        "wallarm_gonode_http_connector_server_messages_seen_total{type=\"request\"} 3",
        "wallarm_gonode_http_connector_server_messages_rejected_total{reason=\"MsgDataFormat\"} 1",
        "wallarm_gonode_http_connector_server_requests_blocked_total 1",
        "wallarm_gonode_http_inspector_requests_processed_total{source=\"proton\"} 2",
        "wallarm_gonode_http_inspector_threats_found_total{source=\"proton\"} 1",
        "wallarm_gonode_http_inspector_threats_blocked_per_host_total{host=\"shop.example.com\"} 1",
        "wallarm_gonode_spool_pending_records 1",
        "wallarm_gonode_spool_dropped_total{reason=\"full\",kind=\"blocked\"} 0",
        "deployment_type=\"connector-server\"} 1",
    ] {
        assert!(metrics.contains(line), "{line} is missing in\n{metrics}");
    }
}

#[tokio::test]
async fn the_status_lists_calling_connectors() {
    let harness = harness(Mode::Block);
    let connector = |event: &str| json!({"kind": "cloudfront", "version": "1.2.3", "event": event, "edge_request_id": "e"});
    let not_inspected = json!([{"id": Uuid::nil(), "request_id": "0".repeat(32), "reason": "node_timeout", "at": "2026-01-01T00:00:00Z"}]);
    let request = json!({
        "client_ip": "203.0.113.7", "method": "GET", "host": "a.example.com", "path": "/", "delivery": "out_of_band",
        "connector": connector("viewer-request"), "not_inspected": not_inspected,
    });
    assert_eq!(harness.inspect(&request).await.status, StatusCode::ACCEPTED);
    let report =
        json!({"request_id": "0".repeat(32), "status": 200, "connector": connector("viewer-response")});
    let reply = harness.post(shared::INSPECT_RESPONSE_PATH, "application/json", report.to_string()).await;
    assert_eq!(reply.status, StatusCode::ACCEPTED);
    let seen = harness.node.status(jiff::Timestamp::now()).connectors;
    let seen: Vec<_> = seen.iter().map(|seen| (seen.delivery, seen.calls, seen.not_inspected)).collect();
    assert_eq!(seen, [(Some(Delivery::OutOfBand), 1, 1), (None, 1, 0)]);
}
