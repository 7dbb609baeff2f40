//! The overview: the last day against the same day of last week.

use crate::harness::{Console, attack, monitored, not_inspected, send, token_of, uuid, with};
use crate::suspicious::suspicious;
use axum::{
    body::Body,
    http::{Request, header},
};
use console_api::actor::Role;
use serde_json::{Value, json};

/// A hit at this day, in its last hours.
fn on(day: &str, n: u32, record: Value) -> Value {
    let minute = n % 60;
    with(record, &[("/attack/request/at", json!(format!("{day}T10:{minute:02}:00Z")))])
}

/// Twelve blocked hits, one that passed and a suspicious one today; two blocked ones a week before.
async fn console() -> Console {
    let console = Console::start().await;
    let mut records: Vec<Value> = (1..=12).map(|n| on("2026-01-01", n, attack(n, 0))).collect();
    records.push(on("2026-01-01", 13, monitored(attack(13, 0))));
    records.push(on("2026-01-01", 14, suspicious(attack(14, 0))));
    records.extend((20..=21).map(|n| on("2025-12-25", n, attack(n, 0))));
    // Neither day.
    records.push(on("2025-12-29", 30, attack(30, 0)));
    records.push(not_inspected(50, 60, "node_timeout"));
    console.ingest(&records).await;
    console
}

#[tokio::test]
async fn the_last_day_is_compared_with_the_same_day_of_last_week() {
    let console = console().await;
    let overview = console.get("/api/v1/overview").await.json();
    let numbers = |day: &Value| json!([day["attacks"], day["hits"], day["blocked"], day["not_inspected"]]);
    assert_eq!(numbers(&overview["today"]), json!([1, 13, 12, 1]), "{overview}");
    assert_eq!(numbers(&overview["last_week"]), json!([1, 2, 2, 0]), "{overview}");
    let trend: u64 = overview["trend"]["points"]
        .as_array()
        .unwrap()
        .iter()
        .map(|point| point["hits"].as_u64().unwrap())
        .sum();
    assert_eq!(trend, 14, "{overview}");
}

#[tokio::test]
async fn values_with_ten_hits_more_or_less_are_movers() {
    let console = console().await;
    let overview = console.get("/api/v1/overview").await.json();
    let movers: Vec<_> = overview["movers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|mover| json!([mover["field"], mover["value"], mover["hits"], mover["before"]]))
        .collect();
    assert!(movers.contains(&json!(["type", "ptrav", 13, 2])), "{movers:?}");
    assert!(movers.contains(&json!(["ip", "203.0.113.7", 13, 2])), "{movers:?}");
    assert!(movers.iter().all(|mover| mover[0] != "country"), "unknown values do not move: {movers:?}");
}

#[tokio::test]
async fn coverage_adds_the_counters_of_the_nodes() {
    let console = console().await;
    for n in [901, 902] {
        let status = json!({
            "started_at": "2026-01-01T09:00:00Z", "mode": "block", "left_out": 0, "requests": 100, "bypassed": 10,
            "bypassed_by_connectors": 5, "attacks": 1, "blocked": 1, "pending": 0, "dropped": 0,
        });
        let batch = json!({"node": {"id": uuid(n), "version": "1.2.3"}, "status": status, "records": []});
        assert_eq!(console.post_batch(batch.to_string()).await.status, 200);
    }
    let overview = console.get("/api/v1/overview").await.json();
    let expected = json!({"inspected": 180, "bypassed": 30, "not_inspected": 1, "suspicious": 1});
    assert_eq!(overview["coverage"], expected, "{overview}");
    assert_eq!(overview["versions"], json!({"1.2.3": 3}), "{overview}");
}

#[tokio::test]
async fn three_things_need_attention_and_lead_to_what_they_count() {
    let console = console().await;
    let overview = console.get("/api/v1/overview").await.json();
    let attention = overview["attention"].as_array().unwrap();
    assert_eq!(attention.len(), 3, "{overview}");
    let pages: Vec<_> = attention.iter().map(|item| item["page"].as_str().unwrap()).collect();
    assert_eq!(pages[..2], ["/not-inspected", "/requests?action=passed&from=-24h"], "{pages:?}");
    let request = |path: &str| {
        let request =
            Request::get(path).header(header::AUTHORIZATION, format!("Bearer {}", token_of(Role::Analyst)));
        request.body(Body::empty()).unwrap()
    };
    let page = send(&console.router, request("/overview")).await;
    assert_eq!(page.status, 200, "{}", page.text);
    for item in attention {
        let link = item["page"].as_str().unwrap();
        assert!(page.text.contains(&link.replace('&', "&#38;")), "{link}: {}", page.text);
        assert_eq!(send(&console.router, request(link)).await.status, 200, "{link}");
    }
    assert!(page.text.contains("+550 %"), "{}", page.text);
}

#[tokio::test]
async fn an_empty_console_has_an_overview() {
    let console = Console::start().await;
    let overview = console.get("/api/v1/overview").await.json();
    assert_eq!((&overview["attention"], &overview["movers"]), (&json!([]), &json!([])), "{overview}");
}
