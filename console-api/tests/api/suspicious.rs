//! Suspicious requests: findings whose score is too low for an attack.

use crate::{
    harness::{Console, attack, hit, monitored, response, send, token_of, with},
    rules::call,
    webhooks::{Receiver, add, round},
};
use axum::{
    body::Body,
    http::{Request, header},
};
use console_api::actor::Role;
use http_body_util::BodyExt as _;
use insta::assert_json_snapshot;
use serde_json::{Value, json};
use std::time::Duration;
use tower::ServiceExt as _;

pub(crate) fn suspicious(record: Value) -> Value {
    let changes = [
        ("/attack/decision/outcome", json!("suspicious")),
        ("/attack/decision/reason", Value::Null),
        ("/attack/decision/enforced", json!("no")),
    ];
    with(record, &changes)
}

fn at_host(host: &str, record: Value) -> Value {
    with(record, &[("/attack/request/host", json!(host))])
}

fn from_ip(ip: &str, record: Value) -> Value {
    with(record, &[("/attack/request/client_ip", json!(ip))])
}

/// A suspicious attack at `quiet.example.com`, one with a blocked and a suspicious hit at
/// `mixed.example.com`, and a monitored one at `plain.example.com`.
async fn three_attacks() -> Console {
    let console = Console::start().await;
    let records = [
        at_host("quiet.example.com", suspicious(attack(1, 0))),
        at_host("quiet.example.com", suspicious(attack(2, 1))),
        at_host("mixed.example.com", from_ip("198.51.100.1", suspicious(attack(3, 0)))),
        at_host("mixed.example.com", attack(4, 1)),
        at_host("plain.example.com", monitored(attack(5, 0))),
        response(1, 200, "viewer-response"),
        response(3, 200, "viewer-response"),
        response(5, 404, "viewer-response"),
    ];
    assert_eq!(console.ingest(&records).await["stored"], 8);
    console
}

async fn hosts(console: &Console, query: &str) -> Vec<String> {
    let list = console.get(&format!("/api/v1/attacks?{query}")).await;
    assert_eq!(list.status, 200, "{}", list.text);
    let host = |attack: &Value| attack["host"].as_str().unwrap().replace(".example.com", "");
    let mut hosts: Vec<_> = list.json()["items"].as_array().unwrap().iter().map(host).collect();
    hosts.sort();
    hosts
}

#[tokio::test]
async fn hides_suspicious_attacks_unless_a_query_selects_them() {
    let console = three_attacks().await;
    for (query, expected) in [
        ("", "mixed plain"),
        ("sort=-hits", "mixed plain"),
        ("q=host:*.example.com", "mixed plain"),
        ("q=passwd", "mixed plain"),
        ("q=-status:suspicious", "mixed plain"),
        ("mark=any", "mixed plain"),
        ("q=ip:203.0.113.7", "mixed plain"),
        ("status=suspicious", "quiet"),
        ("q=status:suspicious", "quiet"),
        ("q=status:suspicious,monitoring", "plain quiet"),
        ("q=status:suspicious+OR+host:mixed.example.com", "mixed quiet"),
        ("q=status:blocked", "mixed"),
        ("q=status:monitoring", "plain"),
        ("q=status:partially_blocked", ""),
        ("request_id=00000000000000000000000000000001", "quiet"),
        ("edge_request_id=edge-1", "quiet"),
    ] {
        assert_eq!(hosts(&console, query).await.join(" "), expected, "{query}");
    }
    for path in ["export.csv", "export.ndjson", "export.ocsf", "export.cef"] {
        let hidden = console.get(&format!("/api/v1/attacks/{path}")).await.text;
        assert!(hidden.contains("mixed.example.com") && !hidden.contains("quiet.example.com"), "{path}");
        let shown = console.get(&format!("/api/v1/attacks/{path}?status=suspicious")).await.text;
        assert!(shown.contains("quiet.example.com"), "{path}");
    }
}

#[tokio::test]
async fn an_attack_with_another_hit_is_not_suspicious() {
    let console = three_attacks().await;
    let of_host = async |host: &str, query: &str| {
        let list = console.body(&format!("/api/v1/attacks?q=host:{host}.example.com{query}")).await;
        let attack = &list["items"][0];
        json!([attack["status"], attack["hits"], attack["blocked"], attack["suspicious"]])
    };
    assert_eq!(of_host("mixed", "").await, json!(["blocked", 2, 1, 1]));
    assert_eq!(of_host("quiet", "+status:suspicious").await, json!(["suspicious", 2, 0, 2]));
    let list = console.get("/api/v1/attacks?q=host:mixed.example.com").await.json();
    let path = format!("/api/v1/attacks/{}/hits", list["items"][0]["id"].as_str().unwrap());
    let hits = console.get(&path).await.json();
    let outcomes: Vec<_> = hits["items"].as_array().unwrap().iter().map(|hit| &hit["outcome"]).collect();
    assert_eq!(outcomes, ["blocked", "suspicious"]);
    console.ingest(&[at_host("quiet.example.com", monitored(attack(6, 2)))]).await;
    assert_eq!(of_host("quiet", "").await, json!(["monitoring", 3, 0, 2]));
}

/// The counted hits: in all, over time, by type and host, by source, and by response status.
async fn counts(console: &Console, query: &str) -> Value {
    let stats = console.get(&format!("/api/v1/attacks/stats?{query}")).await.json();
    let points = stats["series"]["points"].as_array().unwrap();
    let by_source = console.get(&format!("/api/v1/attacks?group_by=type,ip&{query}")).await.json();
    let pairs = |groups: &Value, field: &str| -> Vec<Value> {
        let pair = |group: &Value| json!([group["group"][field], group["hits"], group["status"]]);
        groups.as_array().unwrap().iter().map(pair).collect()
    };
    json!({
        "attacks": stats["attacks"], "hits": stats["hits"], "blocked": stats["blocked"],
        "sources": stats["sources"],
        "series": points.iter().map(|point| point["hits"].as_u64().unwrap()).sum::<u64>(),
        "types": pairs(&stats["top"]["type"], "type"),
        "hosts": pairs(&stats["top"]["host"], "host"),
        "ips": pairs(&stats["top"]["ip"], "ip"),
        "types_by_source": pairs(&by_source["items"], "ip"),
        "statuses": stats["response_statuses"],
    })
}

#[tokio::test]
async fn statistics_count_suspicious_hits_only_on_request() {
    let console = three_attacks().await;
    let shown = [
        counts(&console, "").await,
        counts(&console, "status=suspicious").await,
        counts(&console, "q=status:suspicious,blocked,monitoring").await,
    ];
    assert_json_snapshot!(shown);
    // A filter on another table evaluates the attacks first.
    assert_eq!(counts(&console, "q=payload:passwd").await, counts(&console, "").await);
}

#[tokio::test]
async fn counters_follow_a_later_decision_of_another_node() {
    let console = three_attacks().await;
    assert_eq!(console.ingest(&[at_host("quiet.example.com", monitored(attack(1, 0)))]).await["stored"], 1);
    assert_eq!(hosts(&console, "").await, ["mixed", "plain", "quiet"]);
    assert_eq!(
        console.ingest(&[at_host("quiet.example.com", suspicious(attack(1, 0)))]).await["duplicate"],
        1
    );
    let now = counts(&console, "").await;
    assert_eq!((&now["attacks"], &now["hits"], &now["series"]), (&json!(3), &json!(3), &json!(3)), "{now}");
    assert_eq!((&now["ips"][0][1], &now["statuses"]), (&json!(3), &json!({"200": 1, "404": 1})), "{now}");
    console.ingest(&[response(2, 403, "viewer-response"), response(5, 500, "viewer-response")]).await;
    let all = counts(&console, "q=status:suspicious,blocked,monitoring").await;
    assert_eq!((&all["hits"], &all["sources"]), (&json!(5), &json!(2)), "{all}");
    assert_eq!(all["statuses"], json!({"200": 2, "403": 1, "500": 1}));
}

#[tokio::test]
async fn a_later_status_of_a_suspicious_request_replaces_the_first() {
    let console = three_attacks().await;
    console.ingest(&[response(1, 403, "viewer-response"), response(4, 200, "viewer-response")]).await;
    let statuses = async |query: &str| counts(&console, query).await["statuses"].clone();
    assert_eq!(statuses("status=suspicious").await, json!({"403": 1}));
    assert_eq!(statuses("").await, json!({"200": 1, "404": 1}), "the suspicious hits are left out");
    // Both requests of the attack had one status.
    console.ingest(&[response(3, 500, "viewer-response")]).await;
    assert_eq!(statuses("").await, json!({"200": 1, "404": 1}));
    let all = "q=status:suspicious,blocked,monitoring";
    assert_eq!(statuses(all).await, json!({"200": 1, "403": 1, "404": 1, "500": 1}));
    console.ingest(&[at_host("quiet.example.com", monitored(attack(1, 0)))]).await;
    assert_eq!(statuses("").await, json!({"200": 1, "403": 1, "404": 1}));
}

/// Nodes can see different addresses of one client, e.g. with different lists of proxies.
#[tokio::test]
async fn all_hits_of_a_request_count_for_the_source_that_was_reported_first() {
    let console = Console::start().await;
    let other_node = |record| from_ip("198.51.100.9", record);
    let other_type = json!([hit(2, "sqli", &json!([["get", "q"]]), "1'")]);
    console.ingest(&[suspicious(attack(1, 0))]).await;
    console.ingest(&[with(other_node(suspicious(attack(1, 0))), &[("/attack/hits", other_type)])]).await;
    console.ingest(&[other_node(monitored(attack(1, 0)))]).await;
    let now = counts(&console, "").await;
    assert_eq!((&now["hits"], &now["ips"]), (&json!(2), &json!([["203.0.113.7", 2, "monitoring"]])), "{now}");
}

#[tokio::test]
async fn merged_attacks_add_their_suspicious_hits() {
    let console = Console::start().await;
    console.ingest(&[suspicious(attack(1, 0)), attack(2, 100)]).await;
    console.ingest(&[suspicious(attack(3, 50))]).await;
    let list = console.body("/api/v1/attacks").await;
    let attack = &list["items"][0];
    assert_eq!(
        (&attack["hits"], &attack["suspicious"], &attack["status"]),
        (&json!(3), &json!(2), &json!("blocked"))
    );
    let now = counts(&console, "").await;
    assert_eq!((&now["hits"], &now["series"], &now["ips"][0][1]), (&json!(1), &json!(1), &json!(1)), "{now}");
}

#[tokio::test]
async fn webhooks_are_called_when_an_attack_is_no_longer_suspicious() {
    let console = Console::start().await;
    let (receiver, url) = Receiver::start(&[]).await;
    add(&console, &json!({"name": "Ops", "url": url})).await;
    let (all, url) = Receiver::start(&[]).await;
    add(&console, &json!({"name": "All", "url": url, "query": "status:suspicious,blocked"})).await;
    console.ingest(&[suspicious(attack(1, 0))]).await;
    round(&console, 0).await;
    assert_eq!((receiver.calls().len(), all.calls().len()), (0, 1));
    // Another node decided otherwise on the same request.
    console.ingest(&[attack(1, 0)]).await;
    round(&console, 1).await;
    assert_eq!((receiver.calls().len(), all.calls().len()), (1, 1));
}

#[tokio::test]
async fn the_stream_reports_attacks_without_suspicious_hits() {
    let console = Console::start().await;
    let minute = 118;
    console.ingest(&[attack(1, minute)]).await;
    let request = Request::get("/api/v1/attacks/stream")
        .header(header::AUTHORIZATION, format!("Bearer {}", token_of(Role::ReadOnly)));
    let response = console.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let mut body = response.into_body();
    let hidden = [
        suspicious(attack(2, minute)),
        at_host("quiet.example.com", suspicious(attack(3, minute))),
        at_host("plain.example.com", monitored(attack(4, minute))),
    ];
    console.ingest(&hidden).await;
    let event = tokio::time::timeout(Duration::from_mins(1), body.frame()).await.unwrap().unwrap().unwrap();
    let event = String::from_utf8(event.into_data().unwrap().to_vec()).unwrap();
    assert!(event.contains("plain.example.com") && event.matches("event: attack").count() == 1, "{event}");
}

#[tokio::test]
async fn a_saved_view_can_show_suspicious_attacks() {
    let console = three_attacks().await;
    let view = json!({"name": "Suspicious", "query": "status:suspicious"});
    let saved = send(&console.router, call(Role::Analyst, "POST", "/api/v1/views", None, &view)).await;
    assert_eq!(saved.status, 201, "{}", saved.text);
    let query = saved.json()["query"].as_str().unwrap().to_owned();
    assert_eq!(hosts(&console, &format!("q={query}")).await, ["quiet"]);
}

/// A request can have an attack of one type next to findings of another: all its hits share its
/// decision.
#[tokio::test]
async fn all_hits_of_a_request_share_its_outcome() {
    let console = Console::start().await;
    let other = hit(2, "sqli", &json!([["get", "q"]]), "1'");
    let mut record = suspicious(attack(1, 0));
    record["attack"]["hits"].as_array_mut().unwrap().push(other);
    console.ingest(&[record]).await;
    assert_eq!(hosts(&console, "").await.len(), 0);
    assert_eq!(hosts(&console, "status=suspicious").await.len(), 2);
}
