//! Wire format of every message, in JSON and MessagePack.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use shared::{
    Action, AttackRecord, AttackType, BlockResponse, Body, Class, ConnectorInfo, CoverageCount,
    CoverageRecord, CoverageTotals, DecidedBy, Delivery, Encoding, Finding, InspectRequest, ListRef,
    Location, Mode, NotInspected, NotInspectedReason, Point, Reason, Record, RequestId, ResponseReport,
    Severity, Trigger, TruncationPolicy, UnseenBody, Verdict,
    ruleset::{List, RuleRef},
};

fn connector() -> ConnectorInfo {
    ConnectorInfo {
        kind: "cloudfront".into(),
        version: "1.0.0".into(),
        event: Some(Trigger::OriginRequest),
        distribution_id: Some("E2EXAMPLE".into()),
        distribution_domain: Some("d111.cloudfront.net".into()),
        edge_request_id: Some("4TyzHTaYWb1GX1qTfsHhEqV6HUDd_BzoBZnwfnvQc_1oF26ClkoUSEQ==".into()),
        application: Some(7),
        bypassed: Some(40),
    }
}

fn request_id() -> RequestId {
    "0f3c5bb6d1e94e0c8e0f2b6c4d1a7e55".parse().unwrap()
}

fn request() -> InspectRequest {
    InspectRequest {
        request_id: Some(request_id()),
        connector: Some(connector()),
        delivery: Delivery::Inline,
        client_ip: "203.0.113.178".parse().unwrap(),
        method: "POST".into(),
        scheme: Some("https".into()),
        http_version: Some("2.0".into()),
        host: "shop.example.com".into(),
        path: "/api/login".into(),
        query: "next=%2F".into(),
        headers: vec![("user-agent".into(), "curl/8.0".into())],
        body: Some(Body(br#"{"u":"eve"}"#.to_vec())),
        body_truncated: false,
        unseen_body: None,
        not_inspected: vec![NotInspected {
            id: "6f1e4a0c-6d0e-4b43-9c39-0e0a3c3a4f10".parse().unwrap(),
            request_id: request_id(),
            reason: NotInspectedReason::NodeTimeout,
            at: "2026-01-01T00:00:00Z".parse().unwrap(),
        }],
    }
}

fn uuid(n: u128) -> uuid::Uuid {
    uuid::Uuid::from_u128(n)
}

fn verdict() -> Verdict {
    Verdict {
        request_id: request_id(),
        action: Action::Block,
        reason: Some(Reason::Attack),
        mode: Mode::Block,
        mode_source: "route:/api".into(),
        would_block: true,
        decided_by: DecidedBy {
            ruleset: Some(12),
            rule: Some(RuleRef { id: uuid(1), revision: 3 }),
            list: Some(ListRef { list: List::Gray, id: uuid(2) }),
            silenced_by: vec![RuleRef { id: uuid(4), revision: 1 }],
        },
        attack_types: vec![AttackType::Sqli],
        analysis_micros: 41,
        body_truncated: false,
        block: Some(BlockResponse {
            status: 403,
            headers: vec![("content-type".into(), "text/html; charset=utf-8".into())],
            body: "<!doctype html>".into(),
        }),
    }
}

/// `MessagePack` as readable text: every byte that is not printable ASCII as `\xNN`.
fn msgpack<T: serde::Serialize>(message: &T) -> String {
    Encoding::MessagePack.encode(message).unwrap().escape_ascii().to_string()
}

#[test]
fn a_record_of_an_older_node_has_no_location() {
    let older = r#"{"request": {"request_id": "0f3c5bb6d1e94e0c8e0f2b6c4d1a7e55", "at": "2026-01-01T00:00:00Z",
        "client_ip": "203.0.113.7", "method": "GET", "host": "h", "path": "/"}, "decision": {"outcome": "monitored",
        "reason": null, "mode": "monitoring", "mode_source": "config", "delivery": "inline", "enforced": "no"}, "hits": []}"#;
    let mut record: AttackRecord = serde_json::from_str(older).unwrap();
    assert!(!serde_json::to_string(&record).unwrap().contains("location"));
    record.location = Location { country: Some("DE".into()), asn: Some(64500) };
    let newer = serde_json::to_value(&record).unwrap();
    assert_eq!(newer["location"], serde_json::json!({"country": "DE", "asn": 64500}));
    assert_eq!(serde_json::from_value::<AttackRecord>(newer).unwrap(), record);
}

#[test]
fn serializes_a_request_to_inspect() {
    insta::assert_json_snapshot!("inspect_request_json", request());
    insta::assert_snapshot!("inspect_request_msgpack", msgpack(&request()));
}

#[test]
fn serializes_a_verdict() {
    insta::assert_json_snapshot!("verdict_json", verdict());
    insta::assert_snapshot!("verdict_msgpack", msgpack(&verdict()));
}

#[test]
fn serializes_a_response_report() {
    let report = ResponseReport {
        request_id: request_id(),
        connector: Some(connector()),
        edge_request_id: Some("4TyzHT==".into()),
        status: 404,
        headers: vec![("content-type".into(), "text/plain".into())],
        logged: None,
        not_inspected: Vec::new(),
    };
    insta::assert_json_snapshot!("response_report_json", report);
    insta::assert_snapshot!("response_report_msgpack", msgpack(&report));
}

#[test]
fn connectors_of_this_protocol_call_these_paths() {
    assert_eq!(shared::INSPECT_REQUEST_PATH, "/v1/inspect/request");
    assert_eq!(shared::INSPECT_RESPONSE_PATH, "/v1/inspect/response");
}

#[test]
fn parses_the_smallest_request() {
    let text = r#"{"client_ip":"::1","method":"GET","host":"h","path":"/","query":"","later":{"x":1}}"#;
    let request: InspectRequest = serde_json::from_str(text).unwrap();
    assert_eq!(request.delivery, Delivery::Inline);
    assert_eq!((request.request_id, request.body), (None, None));
}

#[test]
fn omits_an_empty_decided_by() {
    let verdict = Verdict { decided_by: DecidedBy::default(), ..verdict() };
    let json = serde_json::to_string(&verdict).unwrap();
    assert!(!json.contains("decided_by"), "{json}");
    assert_eq!(serde_json::from_str::<Verdict>(&json).unwrap(), verdict);
    let encoded = Encoding::MessagePack.encode(&verdict).unwrap();
    assert_eq!(Encoding::MessagePack.decode::<Verdict>(&encoded).unwrap(), verdict);
}

#[test]
fn rejects_an_unknown_action_and_keeps_an_unknown_reason() {
    let json = serde_json::to_string(&verdict()).unwrap();
    assert!(
        serde_json::from_str::<Verdict>(&json.replace(r#""action":"block""#, r#""action":"tarpit""#))
            .is_err()
    );
    let newer: Verdict =
        serde_json::from_str(&json.replace(r#""reason":"attack""#, r#""reason":"bot""#)).unwrap();
    assert_eq!(newer.reason, Some(Reason::Other("bot".into())));
}

fn any_request() -> impl Strategy<Value = InspectRequest> {
    let headers = prop::collection::vec((".*", ".*"), 0..4);
    let body = prop::option::of(prop::collection::vec(any::<u8>(), 0..64));
    let target = (any::<std::net::IpAddr>(), ".*", ".*", ".*", ".*");
    (target, headers, body, any::<(bool, bool, bool)>()).prop_map(
        |((client_ip, method, host, path, query), headers, body, (truncated, inline, known))| {
            InspectRequest {
                request_id: known.then(request_id),
                connector: known.then(connector),
                delivery: if inline { Delivery::Inline } else { Delivery::OutOfBand },
                client_ip,
                method,
                scheme: None,
                http_version: None,
                host,
                path,
                query,
                headers,
                body: body.map(Body),
                body_truncated: truncated,
                unseen_body: truncated.then(|| UnseenBody {
                    bytes: known.then_some(5_242_880),
                    policy: TruncationPolicy::Text,
                }),
                not_inspected: if known { request().not_inspected } else { Vec::new() },
            }
        },
    )
}

proptest! {
    #[test]
    fn every_request_round_trips_in_both_encodings(request in any_request()) {
        for encoding in [Encoding::Json, Encoding::MessagePack] {
            let encoded = encoding.encode(&request).unwrap();
            prop_assert_eq!(&encoding.decode::<InspectRequest>(&encoded).unwrap(), &request);
        }
    }

    #[test]
    fn decoders_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        for encoding in [Encoding::Json, Encoding::MessagePack] {
            let _ = encoding.decode::<InspectRequest>(&bytes);
            let _ = encoding.decode::<Verdict>(&bytes);
        }
    }
}

#[test]
fn serializes_a_finding() {
    let finding = Finding {
        attack_type: AttackType::Sqli,
        point: Point::get("id"),
        signature: "sqli-union-select".into(),
        class: Class::of(&AttackType::Sqli, "sqli-union-select"),
        severity: Severity::Critical,
        payload: "union select 1".into(),
        span: (2, 16),
        decoded: vec!["percent".into()],
        score: vec![shared::ScorePart::new(7, "rule of high confidence")],
    };
    insta::assert_json_snapshot!("finding_json", finding);
}

#[test]
fn parses_a_finding_without_a_class() {
    let finding: Finding = serde_json::from_str(
        r#"{"type":"sqli","point":[["uri"]],"signature":"s","severity":"high","payload":"","span":[0,0]}"#,
    )
    .unwrap();
    assert_eq!(finding.class, None);
}

#[test]
fn serializes_coverage_and_reads_counts_without_newer_numbers() {
    let totals =
        CoverageTotals { requests: 2, edge: 1, cached: 1, cache_hits: 1, ..CoverageTotals::default() };
    let (distribution_id, behavior) = ("E2EXAMPLE".to_owned(), "/api/*".to_owned());
    let day = Some("2026-01-31".parse().unwrap());
    let counts = vec![CoverageCount { distribution_id, behavior, day, totals }];
    let record = Record::Coverage(CoverageRecord { source: uuid(1), sequence: 7, counts });
    let json = serde_json::json!({"coverage": {"source": uuid(1), "sequence": 7, "counts": [{
        "distribution_id": "E2EXAMPLE", "behavior": "/api/*", "day": "2026-01-31", "requests": 2, "edge": 1,
        "bypassed": 0, "fail_open": 0, "cached": 1, "answered": 0, "no_function": 0, "cache_hits": 1,
        "log_attacks": 0}]}});
    assert_eq!(serde_json::to_value(&record).unwrap(), json);
    assert_eq!(serde_json::from_value::<Record>(json).unwrap(), record);
    let older = r#"{"distribution_id": "E1", "behavior": "*", "requests": 1, "later": 1}"#;
    let count: CoverageCount = serde_json::from_str(older).unwrap();
    assert_eq!((count.day, count.totals.requests, count.totals.edge), (None, 1, 0));
}
