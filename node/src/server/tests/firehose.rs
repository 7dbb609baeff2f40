//! Firehose's contract of delivery: "Understand HTTP endpoint delivery request and response
//! specifications" of its Developer Guide, with requests of the shape that Firehose sends.

use super::*;
use crate::server::LogTally;
use flate2::{Compression, write::GzEncoder};
use shared::FIREHOSE_PATH;
use shared::{Body, ResponseReport};
use std::io::Write as _;

const REQUEST: &str = "ed4acda5-034f-9f42-bba1-f29aea6d7d8f";

/// The headers of a delivery, but for its key and its length.
const HEADERS: [(&str, &str); 6] = [
    ("User-Agent", "Amazon Kinesis Data Firehose Agent/1.0"),
    ("Content-Type", "application/json"),
    ("X-Amz-Firehose-Protocol-Version", "1.0"),
    ("X-Amz-Firehose-Request-Id", REQUEST),
    (
        "X-Amz-Firehose-Source-Arn",
        "arn:aws:firehose:us-east-1:123456789012:deliverystream/wallarm-connector-logs",
    ),
    (
        "X-Amz-Firehose-Common-Attributes",
        r#"{"commonAttributes":{"deployment-context":"pre-prod-gamma","device-types":""}}"#,
    ),
];

pub(super) fn with_logs(more: &str) -> Harness {
    limited(more, &LimitsConfig::default())
}

fn limited(more: &str, limits: &LimitsConfig) -> Harness {
    let mut harness = harness_with_limits(Mode::Block, None, 64 << 20, limits);
    let node = Arc::get_mut(&mut harness.node).unwrap();
    let mut config =
        config_of(&format!("route_config: {{wallarm_mode: block}}\nlogs: {{distribution_id: E1}}\n{more}"));
    config.logs.access_key = Some(Secret::new("key"));
    node.config.store(Arc::new(config));
    harness
}

/// A line of standard logs (v2).
pub(super) fn line(id: &str, path: &str) -> String {
    json!({"timestamp(ms)": "1767225600000", "c-ip": "203.0.113.178", "cs-method": "GET", "sc-status": "200",
           "cs(Host)": "d1.cloudfront.net", "x-host-header": "shop.example.com", "cs-uri-stem": path,
           "x-edge-request-id": id, "x-edge-result-type": "Hit", "c-country": "DE", "asn": "64500"})
    .to_string()
        + "\n"
}

fn attack(id: &str) -> String {
    line(id, "/etc/passwd")
}

fn message(lines: &[String]) -> Value {
    let records: Vec<_> = lines.iter().map(|line| json!({"data": Body(line.clone().into_bytes())})).collect();
    json!({"requestId": REQUEST, "timestamp": 1_578_090_901_599_i64, "records": records})
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

/// A delivery with other headers in place of those of the same names.
fn call(headers: &[(&str, &str)], body: impl Into<HttpBody>) -> Request<HttpBody> {
    let mut call = Request::post(FIREHOSE_PATH).body(body.into()).unwrap();
    for (name, value) in [("X-Amz-Firehose-Access-Key", "key")].iter().chain(&HEADERS).chain(headers) {
        let name = header::HeaderName::from_bytes(name.as_bytes()).unwrap();
        call.headers_mut().insert(name, value.parse().unwrap());
    }
    call
}

/// A reply that Firehose can read.
#[derive(Debug, PartialEq)]
struct FirehoseReply {
    status: u16,
    error: Option<String>,
}

const OK: FirehoseReply = FirehoseReply { status: 200, error: None };

fn refused(status: u16, error: &str) -> FirehoseReply {
    FirehoseReply { status, error: Some(error.to_owned()) }
}

impl Harness {
    pub(super) async fn deliver(&self, lines: &[String]) {
        assert_eq!(self.send(call(&[], message(lines).to_string())).await, OK);
    }

    /// Sends a delivery. Every reply is JSON with a timestamp, and has the id of the request in its
    /// body and in its header.
    async fn send(&self, call: Request<HttpBody>) -> FirehoseReply {
        let id = call.headers()["x-amz-firehose-request-id"].clone();
        let response = connector_router(self.node.clone()).oneshot(call).await.unwrap();
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
        assert_eq!(response.headers()["x-amz-firehose-request-id"], id);
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["requestId"], id.to_str().unwrap());
        assert!(body["timestamp"].as_i64().unwrap() > 1_700_000_000_000, "{body}");
        let mut names: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
        names.retain(|name| !matches!(*name, "requestId" | "timestamp" | "errorMessage"));
        assert!(names.is_empty(), "{body}");
        FirehoseReply { status, error: body["errorMessage"].as_str().map(str::to_owned) }
    }

    pub(super) fn reports(&self) -> Vec<ResponseReport> {
        let report = |record| match record {
            Record::Response(report) => Some(report),
            _ => None,
        };
        self.records().into_iter().filter_map(report).collect()
    }

    fn tally(&self) -> LogTally {
        self.node.log_totals.get()
    }
}

#[tokio::test]
async fn a_delivery_is_acknowledged_with_its_id_after_its_hits_are_stored() {
    let harness = with_logs("");
    harness.deliver(&[line("a==", "/"), attack("b==") + &line("c==", "/")]).await;
    let records = harness.records();
    let Some(Record::Attack(attack)) = records.iter().find(|it| matches!(it, Record::Attack(_))) else {
        panic!("an attack: {records:?}")
    };
    assert_eq!(attack.request.request_id, RequestId::derive("E1", "b=="));
    assert_eq!((attack.decision.delivery, attack.decision.outcome), (Delivery::Log, Outcome::Monitored));
    assert_eq!((attack.location.country.as_deref(), attack.location.asn), (Some("DE"), Some(64500)));
    assert_eq!(harness.tally(), LogTally { inspected: 3, ..LogTally::default() });
}

#[tokio::test]
async fn a_delivery_of_a_batch_and_more_is_read_to_its_end() {
    let harness = with_logs("");
    let lines: String = (0..1_100).map(|number| line(&format!("{number}=="), "/")).collect();
    harness.deliver(&[lines, attack("last==")]).await;
    assert_eq!(harness.tally(), LogTally { inspected: 1_101, ..LogTally::default() });
    assert_eq!(harness.reports()[0].request_id, RequestId::derive("E1", "last=="));
}

#[tokio::test]
async fn a_repeated_request_id_is_acknowledged_again_and_counts_once() {
    let harness = with_logs("");
    for _ in 0..3 {
        harness.deliver(&[attack("a==")]).await;
    }
    let coverage = |record: &Record| matches!(record, Record::Coverage(_));
    let (coverage, others): (Vec<_>, Vec<_>) = harness.records().into_iter().partition(coverage);
    assert_eq!((coverage.len(), others.len()), (1, 2), "one hit, one report");
    assert_eq!(harness.tally(), LogTally { inspected: 1, duplicates: 2, ..LogTally::default() });
}

#[tokio::test]
async fn a_failing_spool_refuses_the_delivery_and_its_repetition_is_stored() {
    let harness = with_logs("");
    let moved = harness.spool.path().with_extension("moved");
    std::fs::rename(harness.spool.path(), &moved).unwrap();
    let reply = harness.send(call(&[], message(&[attack("a==")]).to_string())).await;
    let error = reply.error.unwrap();
    assert!(
        reply.status == 503 && error.starts_with("the hits of the records could not be stored"),
        "{error}"
    );
    std::fs::rename(&moved, harness.spool.path()).unwrap();
    harness.deliver(&[attack("a==")]).await;
    assert_eq!(harness.tally(), LogTally { inspected: 1, ..LogTally::default() });
}

#[tokio::test]
async fn compressed_deliveries_and_parameters_of_the_stream_are_read() {
    let harness = with_logs("");
    let attributes = r#"{"commonAttributes":{"distribution_id":"E2"}}"#;
    let headers = [("Content-Encoding", "gzip"), ("X-Amz-Firehose-Common-Attributes", attributes)];
    let body = message(&[attack("a==")]).to_string();
    assert_eq!(harness.send(call(&headers, gzip(body.as_bytes()))).await, OK);
    assert_eq!(harness.reports()[0].request_id, RequestId::derive("E2", "a=="));
}

#[tokio::test]
async fn a_damaged_record_costs_no_other() {
    let harness = with_logs("");
    let good = |id: &str| json!({"data": Body(attack(id).into_bytes())});
    let whole = Body(attack("cut==").into_bytes()).to_base64();
    let damaged = [
        json!({"data": "not base64!"}),
        json!({"data": &whole[..whole.len() - 2]}),
        json!({"data": Body(b"a\tb\n".to_vec())}),
        json!({"data": Body(b"\xff\xfe\n".to_vec())}),
        json!({"data": Body(b"#Fields: date time\n".to_vec())}),
        json!({"data": Body(attack("cut==").into_bytes()[..40].to_vec())}),
    ];
    let mut records = vec![good("first==")];
    for (number, record) in damaged.iter().enumerate() {
        records.extend([record.clone(), good(&format!("{number}=="))]);
    }
    let mut body = message(&[]);
    body["records"] = records.into();
    assert_eq!(harness.send(call(&[], body.to_string())).await, OK);
    let expected = LogTally { inspected: 7, malformed: 6, ..LogTally::default() };
    assert_eq!(harness.tally(), expected);
    // Records may be empty, and may have members that are not known yet.
    let more = json!({"requestId": REQUEST, "records": [{"data": "", "more": 1}], "more": []});
    assert_eq!(harness.send(call(&[], more.to_string())).await, OK);
    assert_eq!(harness.tally(), expected);
}

#[tokio::test]
async fn refusals_have_the_shape_that_firehose_logs() {
    let harness = with_logs("");
    let good = message(&[attack("a==")]).to_string();
    for key in ["wrong", "", "ke", "keys", "KEY"] {
        assert_eq!(
            harness.send(call(&[("X-Amz-Firehose-Access-Key", key)], good.clone())).await,
            refused(401, "X-Amz-Firehose-Access-Key is not the key of logs.access_key_file")
        );
    }
    for body in
        ["", "{", "[]", "{\"requestId\": 1}", "{\"requestId\": \"x\"}", &good.replace("\"data\"", "\"date\"")]
    {
        let reply = harness.send(call(&[], body.to_owned())).await;
        assert_eq!(reply.status, 400, "{body}");
        assert!(reply.error.unwrap().starts_with("the body is not Firehose's JSON: "), "{body}");
    }
    assert_eq!(
        harness.send(call(&[], good.replace(REQUEST, "other"))).await,
        refused(400, "the requestId of the body is not X-Amz-Firehose-Request-Id")
    );
    for encoding in ["gzip", "br"] {
        assert_eq!(
            harness.send(call(&[("Content-Encoding", encoding)], good.clone())).await,
            refused(415, "the Content-Encoding must be gzip or absent, and the body valid")
        );
    }
    assert_eq!(
        harness.send(call(&[], "x".repeat(5 << 20))).await,
        refused(413, "the message exceeds 4194304 bytes, see limits.max_message_bytes")
    );
    assert_eq!(
        harness.send(call(&[("Content-Encoding", "gzip")], gzip(&vec![b' '; (64 << 20) + 1]))).await,
        refused(413, "the message exceeds 67108864 bytes without its compression")
    );
    assert_eq!(harness.tally(), LogTally::default());
}

#[tokio::test]
async fn memory_of_a_delivery_counts_with_that_of_other_messages() {
    let limits =
        LimitsConfig { max_message_bytes: 1 << 20, max_bytes_in_flight: 4 << 20, ..LimitsConfig::default() };
    let harness = limited("", &limits);
    let full = || {
        refused(503, "messages in flight use all 4194304 bytes of limits.max_bytes_in_flight; retry later")
    };
    let compressed = |body: String| call(&[("Content-Encoding", "gzip")], gzip(body.as_bytes()));
    // What is inflated, a list of many records, and the data of one record.
    let padding = message(&[]).to_string() + &" ".repeat(5 << 20);
    let mut many = message(&[]);
    many["records"] = vec![json!({"data": ""}); 100_000].into();
    let one = message(&[" ".repeat(2 << 20)]).to_string();
    for body in [padding, many.to_string(), one] {
        assert_eq!(harness.send(compressed(body)).await, full());
    }
    let fits = message(&[attack("a=="), " ".repeat(1 << 20)]).to_string();
    // The memory is released with each call.
    for _ in 0..5 {
        assert_eq!(harness.send(compressed(fits.clone())).await, OK);
    }
}

#[tokio::test]
async fn deliveries_are_refused_without_a_configured_key() {
    let harness = harness(Mode::Block);
    let reply = harness.send(call(&[], message(&[attack("a==")]).to_string())).await;
    assert_eq!(reply.status, 404);
    assert_eq!(harness.records(), []);
}
