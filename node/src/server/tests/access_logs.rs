//! Deliveries of Firehose, and requests that connectors and logs report.

use super::*;
use crate::server::{LogTally, firehose::FIREHOSE_PATH};
use flate2::{Compression, write::GzEncoder};
use shared::{Body, ResponseReport};
use std::io::Write as _;

const REQUEST: &str = "ed4acda5-034f-9f42-bba1-f29aea6d7d8f";

fn with_logs(more: &str) -> Harness {
    let mut harness = harness(Mode::Block);
    let node = Arc::get_mut(&mut harness.node).unwrap();
    let mut config =
        config_of(&format!("route_config: {{wallarm_mode: block}}\nlogs: {{distribution_id: E1}}\n{more}"));
    config.logs.access_key = Some(Secret::new("key"));
    node.config.store(Arc::new(config));
    harness
}

/// A line of standard logs (v2).
fn line(id: &str, path: &str) -> String {
    json!({"timestamp(ms)": "1767225600000", "c-ip": "203.0.113.178", "cs-method": "GET", "sc-status": "200",
           "cs(Host)": "d1.cloudfront.net", "x-host-header": "shop.example.com", "cs-uri-stem": path,
           "x-edge-request-id": id, "x-edge-result-type": "Hit", "c-country": "DE", "asn": "64500"})
    .to_string()
        + "\n"
}

fn message(lines: &[String]) -> Value {
    let records: Vec<_> = lines.iter().map(|line| json!({"data": Body(line.clone().into_bytes())})).collect();
    json!({"requestId": REQUEST, "timestamp": 1_578_090_901_599_i64, "records": records})
}

fn call(key: &str) -> axum::http::request::Builder {
    Request::post(FIREHOSE_PATH)
        .header("X-Amz-Firehose-Protocol-Version", "1.0")
        .header("X-Amz-Firehose-Request-Id", REQUEST)
        .header("X-Amz-Firehose-Source-Arn", "arn:aws:firehose:us-east-1:123456789012:deliverystream/logs")
        .header("X-Amz-Firehose-Access-Key", key)
        .header(header::CONTENT_TYPE, "application/json")
}

impl Harness {
    async fn deliver(&self, lines: &[String]) -> Reply {
        let body = message(lines).to_string();
        let call = call("key").body(body.into()).unwrap();
        reply(connector_router(self.node.clone()), call).await
    }

    fn reports(&self) -> Vec<ResponseReport> {
        let report = |record| match record {
            Record::Response(report) => Some(report),
            _ => None,
        };
        self.records().into_iter().filter_map(report).collect()
    }
}

impl Reply {
    /// Firehose's reply: status, request id, error.
    fn firehose(&self) -> (u16, String, Option<String>) {
        assert_eq!(self.content_type, "application/json");
        let body: Value = serde_json::from_slice(&self.body).unwrap();
        assert!(body["timestamp"].as_i64().unwrap() > 1_700_000_000_000, "{body}");
        let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
        (self.status.as_u16(), text("requestId").unwrap(), text("errorMessage"))
    }
}

#[tokio::test]
async fn a_delivery_is_acknowledged_with_its_id_after_its_hits_are_stored() {
    let harness = with_logs("");
    let reply = harness.deliver(&[line("a==", "/"), line("b==", "/etc/passwd") + &line("c==", "/")]).await;
    assert_eq!(reply.firehose(), (200, REQUEST.to_owned(), None));
    let records = harness.records();
    let Some(Record::Attack(attack)) = records.iter().find(|it| matches!(it, Record::Attack(_))) else {
        panic!("an attack: {records:?}")
    };
    assert_eq!(attack.request.request_id, RequestId::derive("E1", "b=="));
    assert_eq!((attack.decision.delivery, attack.decision.outcome), (Delivery::Log, Outcome::Monitored));
    assert_eq!((attack.location.country.as_deref(), attack.location.asn), (Some("DE"), Some(64500)));
    assert_eq!(harness.node.log_totals.get(), LogTally { inspected: 3, ..LogTally::default() });
}

#[tokio::test]
async fn a_repeated_delivery_counts_once() {
    let harness = with_logs("");
    for _ in 0..2 {
        let reply = harness.deliver(&[line("a==", "/etc/passwd")]).await;
        assert_eq!(reply.status, StatusCode::OK);
    }
    let coverage = |record: &Record| matches!(record, Record::Coverage(_));
    let (coverage, others): (Vec<_>, Vec<_>) = harness.records().into_iter().partition(coverage);
    assert_eq!((coverage.len(), others.len()), (1, 2), "one hit, one report");
    let expected = LogTally { inspected: 1, duplicates: 1, ..LogTally::default() };
    assert_eq!(harness.node.log_totals.get(), expected);
}

#[tokio::test]
async fn compressed_deliveries_and_parameters_of_the_stream_are_read() {
    let harness = with_logs("");
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(message(&[line("a==", "/etc/passwd")]).to_string().as_bytes()).unwrap();
    let call = call("key")
        .header(header::CONTENT_ENCODING, "gzip")
        .header("X-Amz-Firehose-Common-Attributes", r#"{"commonAttributes":{"distribution_id":"E2"}}"#)
        .body(encoder.finish().unwrap().into())
        .unwrap();
    let reply = reply(connector_router(harness.node.clone()), call).await;
    assert_eq!(reply.firehose(), (200, REQUEST.to_owned(), None));
    assert_eq!(harness.reports()[0].request_id, RequestId::derive("E2", "a=="));
}

#[tokio::test]
async fn malformed_records_are_skipped_and_counted() {
    let harness = with_logs("");
    let reply = harness.deliver(&["a\tb\n".to_owned(), line("a==", "/etc/passwd")]).await;
    assert_eq!(reply.status, StatusCode::OK);
    let expected = LogTally { inspected: 1, malformed: 1, ..LogTally::default() };
    assert_eq!(harness.node.log_totals.get(), expected);
}

#[tokio::test]
async fn refusals_have_the_shape_that_firehose_logs() {
    let harness = with_logs("");
    let router = || connector_router(harness.node.clone());
    let send = async |call: axum::http::request::Builder, body: String| {
        reply(router(), call.body(body.into()).unwrap()).await.firehose()
    };
    let good = message(&[]).to_string();
    let echoed = |status, text: &str| (status, REQUEST.to_owned(), Some(text.to_owned()));
    assert_eq!(
        send(call("wrong"), good.clone()).await,
        echoed(401, "X-Amz-Firehose-Access-Key is not the key of logs.access_key_file")
    );
    let (status, id, error) = send(call("key"), "{\"requestId\": 1}".to_owned()).await;
    assert_eq!((status, id.as_str()), (400, REQUEST));
    assert!(error.unwrap().contains("field requestId"));
    let other = good.replace(REQUEST, "other");
    assert_eq!(
        send(call("key"), other).await,
        echoed(400, "the requestId of the body is not X-Amz-Firehose-Request-Id")
    );
    let encoded = call("key").header(header::CONTENT_ENCODING, "gzip");
    assert_eq!(
        send(encoded, good).await,
        echoed(415, "the Content-Encoding must be gzip or absent, and the body valid")
    );
    let large = "x".repeat(5 << 20);
    assert_eq!(
        send(call("key"), large).await,
        echoed(413, "the message exceeds 4194304 bytes, see limits.max_message_bytes")
    );
    assert_eq!(harness.node.log_totals.get(), LogTally::default());
}

#[tokio::test]
async fn deliveries_are_refused_without_a_configured_key() {
    let harness = harness(Mode::Block);
    let reply = harness.deliver(&[line("a==", "/etc/passwd")]).await;
    assert_eq!(reply.firehose().0, 404);
    assert_eq!(harness.records(), []);
}

#[tokio::test]
async fn a_failing_spool_refuses_the_delivery_and_its_repetition_is_stored() {
    let harness = with_logs("");
    let moved = harness.spool.path().with_extension("moved");
    std::fs::rename(harness.spool.path(), &moved).unwrap();
    let reply = harness.deliver(&[line("a==", "/etc/passwd")]).await;
    assert_eq!(reply.firehose().0, 503);
    std::fs::rename(&moved, harness.spool.path()).unwrap();
    let reply = harness.deliver(&[line("a==", "/etc/passwd")]).await;
    assert_eq!(reply.firehose().0, 200);
    assert_eq!(harness.node.log_totals.get(), LogTally { inspected: 1, ..LogTally::default() });
}

/// As a connector sends it.
fn from_connector(id: &str, path: &str) -> Value {
    let mut message = get(path, "");
    message["request_id"] = RequestId::derive("E1", id).to_string().into();
    message
}

#[tokio::test]
async fn a_request_that_a_connector_sent_is_only_completed_by_its_record() {
    let harness = with_logs("");
    harness.inspect(&from_connector("a==", "/etc/passwd")).await.verdict();
    harness.inspect(&from_connector("b==", "/")).await.verdict();
    // Whatever its record shows.
    harness.deliver(&[line("a==", "/etc/passwd"), line("b==", "/etc/passwd")]).await;
    assert_eq!(harness.node.log_totals.get(), LogTally { completed: 2, ..LogTally::default() });
    let attacks = harness.records().into_iter().filter(|record| matches!(record, Record::Attack(_)));
    assert_eq!(attacks.count(), 1);
    let coverage = harness.records().into_iter().find_map(|record| match record {
        Record::Coverage(coverage) => coverage.counts.into_iter().next(),
        _ => None,
    });
    let totals = coverage.unwrap().totals;
    assert_eq!((totals.requests, totals.edge, totals.log_attacks), (2, 2, 0));
    let reports = harness.reports();
    let reported: Vec<_> = reports.iter().map(|report| (report.request_id, report.status)).collect();
    assert_eq!(reported, [(RequestId::derive("E1", "a=="), 200)], "a report only for the hit");
}

#[tokio::test]
async fn a_request_that_a_function_passed_without_a_verdict_counts_as_failed_open() {
    let harness = with_logs("");
    let mut message = from_connector("b==", "/");
    let report = json!({"id": "6f1e4a0c-6d0e-4b43-9c39-0e0a3c3a4f10", "reason": "node_timeout",
        "request_id": RequestId::derive("E1", "a==").to_string(), "at": "2026-01-01T00:00:00Z"});
    message["not_inspected"] = json!([report]);
    harness.inspect(&message).await.verdict();
    harness.deliver(&[line("a==", "/etc/passwd"), line("c==", "/")]).await;
    let totals = harness.records().into_iter().find_map(|record| match record {
        Record::Coverage(coverage) => coverage.counts.first().map(|count| count.totals),
        _ => None,
    });
    let totals = totals.unwrap();
    assert_eq!((totals.requests, totals.fail_open, totals.cached, totals.log_attacks), (2, 1, 1, 1));
}

#[tokio::test]
async fn records_neither_count_for_their_source_nor_put_it_on_a_list() {
    let mut harness = with_logs("");
    let node = Arc::get_mut(&mut harness.node).unwrap();
    let controls = config_of(
        "behaviour: {controls: [{type: rate_limit, more_than: 1, within: 1m, reaction: deny}], payloads: {more_than: 1}}",
    );
    node.behaviour = Arc::new(Behaviour::new(&controls.behaviour));
    let paths = ["/etc/passwd", "/?x=1%27+or+1=1--", "/<script>alert(1)</script>", "/etc/shadow", "/"];
    let lines: Vec<_> = paths.iter().enumerate().map(|(n, path)| line(&format!("{n}=="), path)).collect();
    harness.deliver(&lines).await;
    assert_eq!(harness.node.behaviour.stats().sources, 0);
    let verdict = harness.inspect(&from_connector("x==", "/")).await.verdict();
    assert_eq!(verdict.action, Action::Allow);
}
