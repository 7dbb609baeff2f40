//! Ingestion: idempotence, limits, backpressure and rejected records.

use crate::harness::{
    Answer, Console, attack, hit, monitored, not_inspected, now, request_id, response, send, token_of, uuid,
    with,
};
use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use console_api::{
    actor::Role, app::App, bundles::Bundles, clock::Clock, ingest_quota::IngestQuota, server::router,
};
use flate2::{Compression, write::GzEncoder};
use insta::assert_json_snapshot;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use serde_json::{Value, json};
use std::io::Write as _;

/// The outcome, enforcement and response status of the first hit of a request.
async fn decision_of(console: &Console, n: u32) -> (String, String, Value) {
    let list = console.get(&format!("/api/v1/hits?request_id={}", request_id(n))).await.json();
    let hit = &list["items"][0];
    let text = |name: &str| hit[name].as_str().unwrap().to_owned();
    (text("outcome"), text("enforced"), hit["response_status"].clone())
}

fn counts(stored: u64, duplicate: u64) -> Value {
    json!({"stored": stored, "duplicate": duplicate, "rejected": []})
}

#[tokio::test]
async fn ingestion_is_idempotent() {
    let console = Console::start().await;
    let batch = [attack(1, 0), response(1, 200, "viewer-request"), not_inspected(50, 2, "node_timeout")];
    assert_eq!(console.ingest(&batch).await, counts(3, 0));
    let before = console.body("/api/v1/attacks").await;
    assert_eq!(console.ingest(&batch).await, counts(0, 3));
    assert_eq!(console.body("/api/v1/attacks").await, before);
}

#[tokio::test]
async fn rejects_batches_while_the_database_is_locked() {
    let console = Console::start().await;
    let batch = json!({"node": {"id": uuid(900), "version": "1.2.3"}, "records": [attack(1, 0)]}).to_string();
    let lock = console.lock().await;
    let answer = console.post_batch(batch.clone()).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.text);
    assert!(answer.header("retry-after").parse::<u64>().is_ok());
    drop(lock);
    let answer = console.post_batch(batch).await;
    assert_eq!((answer.status, answer.json()), (StatusCode::OK, counts(1, 0)));
}

#[tokio::test]
async fn accepts_gzip_within_the_limit() {
    let console = Console::start().await;
    let batch = json!({"node": {"id": uuid(900), "version": "1.2.3"}, "records": [attack(1, 0)]}).to_string();
    let zipped = gzip(batch.as_bytes());
    assert_eq!(post_as(&console, "gzip", zipped.clone()).await.status, StatusCode::OK);
    assert_eq!(console.body("/api/v1/attacks").await["items"][0]["hits"], 1);
    let cut = zipped[..zipped.len() - 9].to_vec();
    assert_eq!(post_as(&console, "gzip", cut).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(post_as(&console, "br", zipped).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let bomb = gzip(&vec![b' '; 17 * 1024 * 1024]);
    assert!(bomb.len() < 1024 * 1024);
    assert_eq!(post_as(&console, "gzip", bomb).await.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_batch_with_too_many_records_is_refused() {
    let console = Console::start().await;
    let records = "0,".repeat(2_000_000);
    let batch = format!(r#"{{"node":{{"id":"{}","version":"1.2.3"}},"records":[{records}0]}}"#, uuid(900));
    let zipped = gzip(batch.as_bytes());
    assert!(zipped.len() < 64 * 1024, "{} bytes", zipped.len());
    let answer = post_as(&console, "gzip", zipped).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.text.contains("expected at most 2000 records"), "{}", answer.text);
    assert!(answer.text.len() < 1024, "{} bytes", answer.text.len());
}

#[tokio::test]
async fn reasons_of_rejections_are_short() {
    let console = Console::start().await;
    let long = "x".repeat(5_000);
    let mut record = attack(1, 0);
    record["attack"]["request"]["request_id"] = json!(long);
    record["attack"]["decision"]["mode"] = json!(long);
    let reply = console.ingest(&[record]).await;
    assert!(reply.to_string().len() < 1_000, "{reply}");
}

#[tokio::test]
async fn records_with_impossible_times_are_rejected_and_statistics_stay() {
    let console = Console::start().await;
    let at = |time: &str| with(attack(2, 0), &[("/attack/request/at", json!(time))]);
    for time in
        ["-009999-01-03T00:00:00Z", "1999-12-31T23:59:59Z", "2026-01-01T13:00:01Z", "9999-12-30T00:00:00Z"]
    {
        let reply = console.ingest(&[attack(1, 0), at(time)]).await;
        let reason = reply["rejected"][0]["reason"].as_str().unwrap_or_default();
        assert!(reason.contains("more than an hour ahead of the console's clock"), "{time}: {reply}");
        assert_eq!(console.get("/api/v1/attacks/stats").await.status, 200);
    }
    assert_eq!(console.ingest(&[at("2026-01-01T12:59:59Z")]).await, counts(1, 0));
    let entry =
        with(not_inspected(50, 0, "node_timeout"), &[("/not_inspected/at", json!("1970-01-01T00:00:00Z"))]);
    assert_eq!(console.ingest(&[entry]).await["rejected"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn accepts_zstd_within_the_limit() {
    let console = Console::start().await;
    let batch = json!({"node": {"id": uuid(900), "version": "1.2.3"}, "records": [attack(1, 0)]}).to_string();
    let packed = compress_to_vec(batch.as_bytes(), CompressionLevel::Fastest);
    let answer = post_as(&console, "zstd", packed.clone()).await;
    assert_eq!((answer.status, &answer.json()["stored"]), (StatusCode::OK, &json!(1)), "{}", answer.text);
    let cut = packed[..packed.len() / 2].to_vec();
    assert_eq!(post_as(&console, "zstd", cut).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(post_as(&console, "zstd", batch.into_bytes()).await.status, StatusCode::BAD_REQUEST);
    let bomb = compress_to_vec(&vec![b' '; 17 * 1024 * 1024][..], CompressionLevel::Fastest);
    assert!(bomb.len() < 1024 * 1024);
    assert_eq!(post_as(&console, "zstd", bomb).await.status, StatusCode::PAYLOAD_TOO_LARGE);
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

async fn post_as(console: &Console, encoding: &str, body: Vec<u8>) -> Answer {
    let request = Request::post("/api/v1/ingest")
        .header(header::AUTHORIZATION, format!("Bearer {}", token_of(Role::Node)))
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::CONTENT_ENCODING, encoding);
    send(&console.router, request.body(Body::from(body)).unwrap()).await
}

#[tokio::test]
async fn keeps_acknowledged_records_after_a_restart() {
    let console = Console::start().await;
    console.ingest(&[attack(1, 0)]).await;
    let console = console.restart().await;
    assert_eq!(console.body("/api/v1/attacks").await["items"][0]["hits"], 1);
}

#[tokio::test]
async fn rejects_only_the_invalid_record() {
    let console = Console::start().await;
    let no_host = with(attack(2, 0), &[("/attack/request/host", json!(7))]);
    let no_hits = with(attack(3, 0), &[("/attack/hits", json!([]))]);
    let stolen_id = with(attack(4, 0), &[("/attack/hits/0/id", json!(uuid(1)))]);
    let newer = json!({"prophecy": {}});
    let batch = [attack(1, 0), no_host, no_hits, stolen_id, newer, json!(7), attack(5, 0)];
    assert_json_snapshot!(console.ingest(&batch).await);
    assert_eq!(console.body("/api/v1/attacks").await["items"][0]["hits"], 2);
    assert_eq!(console.body(&format!("/api/v1/hits?request_id={}", request_id(4))).await["items"], json!([]));
}

#[tokio::test]
async fn rejects_a_name_that_is_too_long_for_an_index() {
    let console = Console::start().await;
    let edge_id = "/attack/request/connector/edge_request_id";
    let long = with(attack(1, 0), &[(edge_id, json!("x".repeat(1001)))]);
    let nul = with(attack(2, 0), &[("/attack/hits/0/type", json!("sq\0li"))]);
    let reason = with(not_inspected(3, 3, "?"), &[("/not_inspected/reason", json!("\0"))]);
    let reply = console.ingest(&[long, nul, reason, attack(4, 0)]).await;
    assert_eq!(reply["stored"], 1);
    let reasons: Vec<_> =
        reply["rejected"].as_array().unwrap().iter().map(|entry| &entry["reason"]).collect();
    assert_eq!(
        reasons,
        [
            "the edge request id has 1001 bytes, more than 1000",
            "the type of a hit has a control character",
            "the reason of what was not inspected has a control character",
        ]
    );
}

#[tokio::test]
async fn rejects_a_host_or_path_too_long_for_lists() {
    let console = Console::start().await;
    for (pointer, limit) in [("/attack/request/host", 1_000), ("/attack/request/path", 16_384)] {
        let record = |bytes: usize| with(attack(1, 1), &[(pointer, json!("a".repeat(bytes)))]);
        let reply = console.ingest(&[record(limit), record(limit + 1)]).await;
        assert_eq!(reply["rejected"][0]["index"], 1, "{reply}");
        let reason = reply["rejected"][0]["reason"].as_str().unwrap();
        assert!(reason.contains(&format!("more than {limit}")), "{reason}");
    }
}

/// Each record is at its limit, then one beyond it.
/// A field, the reason of a value that is too long, the limit, and values by length.
type TooLong<'c> = (&'c str, &'c str, usize, &'c dyn Fn(usize) -> Value);

#[tokio::test]
async fn rejects_a_record_with_a_text_or_list_beyond_its_limit() {
    let console = Console::start().await;
    let text = |length: usize| json!("a".repeat(length));
    let list = |item: Value, length: usize| Value::from(vec![item; length]);
    let point = |name: usize| json!([["hash", "a".repeat(name - 4)]]);
    let finding = hit(1, "ptrav", &json!([["uri"]]), "x")["findings"][0].clone();
    let header = |value: usize| json!([["a", "a".repeat(value - 1)]]);
    let connector =
        |name: &str, length: usize| json!({"kind": "cloudfront", "version": "1", name: text(length)});
    let cases: &[TooLong<'_>] = &[
        ("/attack/hits/0/point", "a point has 32769 bytes", 32_768, &point),
        ("/attack/hits/0/point", "a point has 1025 entries", 1024, &|n| list(json!(["hash"]), n)),
        ("/attack/hits/0/findings/0/point", "a point has 32769 bytes", 32_768, &point),
        ("/attack/hits/0/findings/0/payload", "the payload of a finding has 2001 bytes", 2000, &text),
        ("/attack/hits/0/findings/0/signature", "the signature of a finding has 1001 bytes", 1000, &text),
        ("/attack/hits/0/findings/0/decoded", "the list of decoded layers has 101", 100, &|n| {
            list(json!("hex"), n)
        }),
        ("/attack/hits/0/findings", "the list of findings has 201 entries", 200, &|n| {
            list(finding.clone(), n)
        }),
        ("/attack/request/method", "the method has 1001 bytes", 1000, &text),
        ("/attack/request/query", "the query has 65537 bytes", 65_536, &text),
        ("/attack/request/headers", "the list of headers has 8193 entries", 8192, &|n| {
            list(json!(["a", "b"]), n)
        }),
        ("/attack/request/headers", "the list of headers has 262145 bytes", 262_144, &header),
        ("/attack/request/connector", "the kind of the connector has", 1000, &|n| connector("kind", n)),
        ("/attack/request/connector", "the distribution has", 1000, &|n| connector("distribution_id", n)),
        ("/attack/location", "the country is no code", 2, &|n| json!({"country": text(n)})),
    ];
    for (n, (pointer, reason, limit, value)) in (1..).zip(cases) {
        let record = |n: u32, size: usize| {
            let mut record = attack(n, 1);
            record["attack"]["location"] = json!({});
            with(record, &[(*pointer, value(size))])
        };
        let reply = console.ingest(&[record(2 * n, limit + 1), record(2 * n + 1, *limit)]).await;
        let rejected = reply["rejected"].as_array().unwrap();
        assert_eq!((rejected.len(), &reply["stored"]), (1, &json!(1)), "{pointer}: {reply}");
        assert!(rejected[0]["reason"].as_str().unwrap().starts_with(reason), "{pointer}: {reply}");
    }
}

#[tokio::test]
async fn rejects_hits_that_no_node_makes() {
    let console = Console::start().await;
    let uri = json!([["uri"]]);
    let hits = |count: u32| (0..count).map(|n| hit(n, &format!("type-{n}"), &uri, "x")).collect::<Vec<_>>();
    let long = |n: u32| {
        let mut hit = hit(n, &format!("type-{n}"), &uri, &"x".repeat(2000));
        hit["findings"] = Value::from(vec![hit["findings"][0].clone(); 200]);
        hit
    };
    let twice = [hit(1, "sqli", &uri, "x"), hit(2, "sqli", &uri, "x")];
    let cases = [
        (json!(hits(101)), "the list of hits has 101 entries, more than 100"),
        (json!(twice), "two hits of the record have the same type"),
        (json!([long(1), long(2), long(3)]), "the list of hits has 1"),
        (json!([hit(1, "sqli", &uri, &"x".repeat(5_000_000))]), "the record has 500"),
    ];
    for (hits, reason) in cases {
        let reply = console.ingest(&[with(attack(1, 0), &[("/attack/hits", hits)])]).await;
        assert!(reply["rejected"][0]["reason"].as_str().unwrap().starts_with(reason), "{reason}: {reply}");
    }
    let empty = with(attack(1, 0), &[("/attack/request/host", json!(""))]);
    assert_eq!(console.ingest(&[empty]).await["rejected"][0]["reason"], "the host is empty");
    assert_eq!(
        console.ingest(&[with(attack(1, 0), &[("/attack/hits", json!(hits(100)))])]).await,
        counts(1, 0)
    );
}

#[tokio::test]
async fn a_batch_of_many_hits_is_stored_in_pieces() {
    let console = Console::start().await;
    let hits = |n| (0..100).map(move |k| hit(100 * n + k, &format!("type-{k}"), &json!([["uri"]]), "x"));
    let of = |n| with(attack(n, 0), &[("/attack/hits", hits(n).collect())]);
    let mut records: Vec<_> = (1..=30).map(of).collect();
    records.insert(10, json!({"kind": "unknown"}));
    let reply = console.ingest(&records).await;
    assert_eq!((&reply["stored"], &reply["rejected"][0]["index"]), (&json!(30), &json!(10)), "{reply}");
    assert_eq!(console.ingest(&records).await["duplicate"], 30);
    let attacks = console.body("/api/v1/attacks?limit=200").await;
    let hits = attacks["items"].as_array().unwrap().iter().map(|attack| attack["hits"].as_u64().unwrap());
    assert_eq!(hits.sum::<u64>(), 3000);
}

#[tokio::test]
async fn limits_concurrent_batches_with_retry_after() {
    let console = Console::start().await;
    let app = App::new(console.store.clone(), Clock::At(now()), Bundles::default());
    let router = router(App { ingest_quota: IngestQuota::of(0), ..app });
    let request = Request::post("/api/v1/ingest")
        .header(header::AUTHORIZATION, format!("Bearer {}", token_of(Role::Node)))
        .header(header::CONTENT_TYPE, "application/json");
    let answer = send(&router, request.body(Body::from("{}")).unwrap()).await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, "1"));
}

#[tokio::test]
async fn limits_the_record_rate_of_a_token() {
    let mut console = Console::start().await;
    let mut app = App::new(console.store.clone(), Clock::At(now()), Bundles::default());
    app.ingest_quota = IngestQuota::default().limited(Some(1));
    console.router = router(app.clone());
    let records: Vec<_> = (1..=12).map(|n| attack(n, n)).collect();
    console.ingest(&records).await;
    let batch = json!({"node": {"id": uuid(900), "version": "1.2.3"}, "records": []}).to_string();
    let answer = console.post_batch(batch.clone()).await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (429, "2"), "{}", answer.text);
    app.clock = Clock::At(now() + jiff::SignedDuration::from_secs(3));
    console.router = router(app);
    assert_eq!(console.post_batch(batch).await.status, 200);
    assert_eq!(console.body("/api/v1/attacks").await["items"][0]["hits"], 12);
}

#[tokio::test]
async fn stores_one_hit_per_attack_type() {
    let console = Console::start().await;
    let both = json!([
        hit(1, "ptrav", &json!([["uri"]]), "/etc/passwd"),
        hit(2, "sqli", &json!([["get", "q"]]), "' or 1=1"),
    ]);
    console.ingest(&[with(attack(1, 0), &[("/attack/hits", both)])]).await;
    assert_eq!(console.body("/api/v1/attacks").await["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn merges_records_of_one_request_from_two_nodes() {
    let console = Console::start().await;
    console.ingest(&[monitored(attack(1, 0))]).await;
    let more = json!([
        hit(7, "ptrav", &json!([["uri"]]), "/etc/passwd"),
        hit(8, "sqli", &json!([["get", "q"]]), "' or 1=1"),
    ]);
    assert_eq!(console.ingest(&[with(attack(1, 0), &[("/attack/hits", more)])]).await, counts(1, 0));
    assert_eq!(console.ingest(&[monitored(attack(1, 0))]).await, counts(0, 1));
    let attacks = console.body("/api/v1/attacks").await;
    for attack in attacks["items"].as_array().unwrap() {
        assert_eq!(
            (&attack["status"], &attack["hits"], &attack["blocked"]),
            (&json!("blocked"), &json!(1), &json!(1))
        );
    }
}

#[tokio::test]
async fn a_block_of_the_origin_stage_is_enforced_although_the_viewer_stage_let_the_request_pass() {
    let passed =
        [("/attack/decision/outcome", json!("monitored")), ("/attack/decision/enforced", json!("no"))];
    let viewer = with(attack(1, 0), &passed);
    let origin = with(attack(1, 0), &[("/attack/request/connector/event", json!("origin-request"))]);
    for records in [[&viewer, &origin], [&origin, &viewer]] {
        let console = Console::start().await;
        for record in records.into_iter().chain(records) {
            console.ingest(std::slice::from_ref(record)).await;
        }
        assert_eq!(decision_of(&console, 1).await, ("blocked".to_owned(), "yes".to_owned(), Value::Null));
        let attacks = console.body("/api/v1/attacks").await;
        assert_eq!(
            (&attacks["items"][0]["hits"], &attacks["items"][0]["status"]),
            (&json!(1), &json!("blocked"))
        );
        console.ingest(&[response(1, 200, "origin-response")]).await;
        assert_eq!(decision_of(&console, 1).await.1, "no", "the block had no effect");
        console.ingest(&[viewer.clone(), origin.clone()]).await;
        assert_eq!(decision_of(&console, 1).await.1, "no", "a repeated record does not reset it");
    }
}

#[tokio::test]
async fn joins_a_response_before_or_after_its_hit() {
    let console = Console::start().await;
    console.ingest(&[response(1, 404, "viewer-response"), monitored(attack(1, 0))]).await;
    console.ingest(&[monitored(attack(2, 0)), response(2, 500, "viewer-response")]).await;
    assert_eq!(decision_of(&console, 1).await.2, json!(404));
    assert_eq!(decision_of(&console, 2).await.2, json!(500));
}

#[tokio::test]
async fn drops_a_response_without_a_hit() {
    let mut console = Console::start().await;
    console.ingest(&[response(1, 200, "origin-response")]).await;
    console.router = console.at("2026-01-02T13:00:00Z");
    console.ingest(&[response(2, 200, "origin-response")]).await;
    console.ingest(&[attack(1, 0), attack(2, 0)]).await;
    assert_eq!(decision_of(&console, 1).await.2, Value::Null);
    assert_eq!(decision_of(&console, 2).await.2, json!(200));
}

#[tokio::test]
async fn an_origin_response_disproves_enforcement() {
    for records in [
        [attack(1, 0), response(1, 200, "origin-response")],
        [response(1, 200, "origin-response"), attack(1, 0)],
    ] {
        let console = Console::start().await;
        console.ingest(&records).await;
        assert_eq!(decision_of(&console, 1).await, ("blocked".to_owned(), "no".to_owned(), json!(200)));
        assert_eq!(console.body("/api/v1/attacks").await["items"][0]["status"], "monitoring");
        console.ingest(&[attack(1, 0)]).await;
        assert_eq!(decision_of(&console, 1).await.1, "no", "a repeated record does not reset it");
    }
}

#[tokio::test]
async fn a_not_inspected_request_was_not_blocked() {
    for records in [
        [attack(1, 0), not_inspected(50, 1, "node_timeout")],
        [not_inspected(50, 1, "node_timeout"), attack(1, 0)],
    ] {
        let console = Console::start().await;
        console.ingest(&records).await;
        assert_eq!(decision_of(&console, 1).await, ("blocked".to_owned(), "no".to_owned(), Value::Null));
        assert_eq!(console.body("/api/v1/attacks").await["items"][0]["blocked"], 0);
    }
}

#[tokio::test]
async fn reports_the_position_of_a_malformed_batch() {
    let console = Console::start().await;
    let answer = console.post_batch(r#"{"node": {"id": "x"#).await;
    assert_eq!(answer.status, 400);
    assert_json_snapshot!(answer.json());
    let answer = console.post_batch(r#"{"node": {"id": "not-an-id", "version": "1"}, "records": []}"#).await;
    assert_json_snapshot!(answer.json());
}

#[tokio::test]
async fn limits_the_size_of_a_batch() {
    let console = Console::start().await;
    let padding = |bytes: usize| format!("{}{}", " ".repeat(bytes), r#"{"node": 1}"#);
    assert_eq!(console.post_batch(padding(1024 * 1024)).await.status, 400);
    assert_eq!(console.post_batch(padding(16 * 1024 * 1024)).await.status, 413);
}

#[tokio::test]
async fn accepts_only_json() {
    let console = Console::start().await;
    let request = Request::post("/api/v1/ingest")
        .header(header::AUTHORIZATION, format!("Bearer {}", token_of(Role::Node)))
        .header(header::CONTENT_TYPE, "application/msgpack");
    assert_eq!(send(&console.router, request.body(Body::from("{}")).unwrap()).await.status, 415);
}
