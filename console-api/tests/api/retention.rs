//! Retention: deletion of attacks by age and by number of hits.

use crate::harness::{Console, attack, hit, not_inspected, request_id, with};
use console_api::{clock::Clock, retention::Retention};
use serde_json::json;

/// Two attacks: one with two hits, the last at 10:05, and one with a hit at 12:02.
async fn two_attacks() -> Console {
    let console = Console::start().await;
    let path = [("/attack/request/path", json!("/other"))];
    console
        .ingest(&[attack(1, 0), attack(2, 5), with(attack(3, 122), &path), not_inspected(9, 1, "?")])
        .await;
    console
}

async fn apply(console: &Console, days: Option<u32>, hits: Option<u64>, now: &str) -> (u64, Vec<u64>) {
    let clock = Clock::At(now.parse().unwrap());
    let deleted = Retention { days, hits }.apply(&console.store, clock).await.unwrap();
    let list = console.get("/api/v1/attacks").await.json();
    let hits = list["items"].as_array().unwrap().iter().map(|attack| attack["hits"].as_u64().unwrap());
    (deleted, hits.collect())
}

#[tokio::test]
async fn deletes_old_attacks_as_a_whole() {
    let console = two_attacks().await;
    assert_eq!(apply(&console, Some(1), None, "2026-01-02T10:04:00Z").await, (0, vec![1, 2]));
    assert_eq!(apply(&console, Some(1), None, "2026-01-02T10:06:00Z").await, (2, vec![1]));
    for (n, hits) in [(1, 0), (2, 0), (3, 1)] {
        let list = console.get(&format!("/api/v1/hits?request_id={}", request_id(n))).await.json();
        assert_eq!(list["items"].as_array().unwrap().len(), hits);
    }
    assert_eq!(console.get("/api/v1/not-inspected").await.json()["total"], 0);
}

#[tokio::test]
async fn deletes_the_oldest_attacks_down_to_the_hit_limit() {
    let console = two_attacks().await;
    assert_eq!(apply(&console, None, Some(3), "2026-01-02T00:00:00Z").await, (0, vec![1, 2]));
    assert_eq!(apply(&console, None, Some(2), "2026-01-02T00:00:00Z").await, (2, vec![1]));
    assert_eq!(apply(&console, None, Some(0), "2026-01-02T00:00:00Z").await, (1, vec![]));
}

#[tokio::test]
async fn keeps_a_request_while_it_has_hits() {
    let console = Console::start().await;
    let both = json!([
        hit(1, "ptrav", &json!([["uri"]]), "/etc/passwd"),
        hit(2, "sqli", &json!([["get", "q"]]), "' or 1=1"),
    ]);
    // The path traversal continues with another request, so the SQL injection is the older attack.
    let record = with(attack(1, 0), &[("/attack/hits", both)]);
    console.ingest(&[record, attack(3, 30)]).await;
    assert_eq!(apply(&console, Some(1), None, "2026-01-02T10:10:00Z").await, (1, vec![2]));
    let list = console.get(&format!("/api/v1/hits?request_id={}", request_id(1))).await.json();
    assert_eq!(list["items"][0]["type"], "ptrav");
}

#[tokio::test]
async fn accepts_deleted_records_again() {
    let console = two_attacks().await;
    assert_eq!(apply(&console, None, Some(0), "2026-01-02T00:00:00Z").await, (3, vec![]));
    assert_eq!(console.ingest(&[attack(1, 0)]).await["stored"], 1);
}

#[tokio::test]
async fn deletes_indexed_text_with_its_last_attack() {
    let console = two_attacks().await;
    let paths = "select count(*) from terms where field = 'path' and text = '/shop'";
    let payloads = "select count(*) from terms where text = '/etc/passwd'";
    assert_eq!((console.count(paths).await, console.count(payloads).await), (1, 1));
    assert_eq!(apply(&console, None, Some(1), "2026-01-02T00:00:00Z").await, (2, vec![1]));
    assert_eq!((console.count(paths).await, console.count(payloads).await), (0, 1));
    assert_eq!(apply(&console, None, Some(0), "2026-01-02T00:00:00Z").await, (1, vec![]));
    assert_eq!(console.count("select count(*) from terms").await, 0);
    assert_eq!(console.count("select count(*) from attack_terms").await, 0);
}
