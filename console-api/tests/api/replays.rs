//! Replays of candidate rulesets on recorded requests.

use crate::{
    harness::{Answer, Console, attack, monitored, send, uuid, with},
    rules::{admin, call},
};
use console_api::actor::Role;
use insta::assert_json_snapshot;
use serde_json::{Value, json};
use std::time::Duration;

async fn start(console: &Console, body: &Value) -> Answer {
    send(&console.router, call(Role::Analyst, "POST", "/api/v1/replays", None, body)).await
}

/// The report of a finished replay.
async fn replayed(console: &Console, body: &Value) -> Value {
    let started = start(console, body).await;
    assert_eq!(started.status, 202, "{}", started.text);
    let path = format!("/api/v1/replays/{}", started.json()["id"].as_str().unwrap());
    loop {
        let replay = console.get(&path).await.json();
        if replay["status"] != "running" {
            return replay;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn counts(replay: &Value) -> (u64, u64, u64) {
    let count = |kind: &str| replay["report"][kind]["count"].as_u64().unwrap();
    assert_eq!(replay["status"], "done", "{replay}");
    (count("new"), count("lost"), count("changed"))
}

/// A recorded request. The replay does not depend on the recorded findings.
fn recorded(n: u32, path: &str, query: &str) -> Value {
    with(attack(n, n), &[("/attack/request/path", json!(path)), ("/attack/request/query", json!(query))])
}

fn ignore() -> Value {
    json!({"effect": {"kind": "ignore", "findings": {"type": "sqli"}, "points": [[["get", "q"]]]}})
}

fn detector() -> Value {
    json!({"effect": {"kind": "detector", "pattern": {"literal": "legacy"}, "attack_type": "rce", "severity": "high"}})
}

async fn with_requests() -> Console {
    let console = Console::start().await;
    let records = [
        recorded(1, "/search", "q=1'+or+'1'%3D'1"),
        recorded(2, "/search", "q=legacy"),
        recorded(3, "/search", "q=1'+union+select+password+from+users--+legacy"),
        recorded(4, "/search", "q=hats"),
    ];
    console.ingest(&records).await;
    console
}

#[tokio::test]
async fn reports_new_lost_and_changed_verdicts() {
    let console = with_requests().await;
    let body = json!({"candidate": {"add": [ignore(), detector()]}});
    let mut replay = replayed(&console, &body).await;
    assert_eq!(counts(&replay), (1, 1, 1));
    replay["id"] = json!("[id]");
    assert_json_snapshot!(replay);
    assert_eq!(
        console.get("/api/v1/rules").await.json()["items"],
        json!([]),
        "the active rules are unchanged"
    );
    let list = console.get("/api/v1/replays").await.json();
    assert_eq!(list["items"][0]["report"], replay["report"]);
}

#[tokio::test]
async fn reports_nothing_without_a_change() {
    let console = with_requests().await;
    admin(&console, "POST", "/api/v1/rules", &ignore()).await;
    let replay = replayed(&console, &json!({"candidate": {}})).await;
    assert_eq!((counts(&replay), &replay["report"]["requests"]), ((0, 0, 0), &json!(4)));
}

#[tokio::test]
async fn replays_removed_rules_and_other_versions() {
    let console = with_requests().await;
    let rule = admin(&console, "POST", "/api/v1/rules", &ignore()).await.json();
    let without = json!({"candidate": {"remove": [rule["id"]]}});
    assert_eq!(counts(&replayed(&console, &without).await), (2, 0, 0));
    assert_eq!(counts(&replayed(&console, &json!({"candidate": {"ruleset": 0}})).await), (2, 0, 0));
    let entry = json!({"list": "allow", "source": {"network": "203.0.113.0/24"}});
    admin(&console, "POST", "/api/v1/ip-lists", &entry).await;
    assert_eq!(
        counts(&replayed(&console, &json!({"candidate": {"ruleset": 0}})).await),
        (2, 0, 0),
        "sources on the allowlist are not analyzed"
    );
}

#[tokio::test]
async fn a_mode_changes_what_is_blocked() {
    let console = Console::start().await;
    console.ingest(&[monitored(recorded(1, "/search", "q=1'+or+'1'%3D'1"))]).await;
    let rule = |effect: Value| json!({"candidate": {"add": [{"effect": effect}]}});
    for (effect, expected) in [
        (json!({"kind": "mode", "mode": "block"}), (0, 0, 1)),
        (json!({"kind": "mode", "mode": "monitoring"}), (0, 0, 0)),
        (json!({"kind": "mode", "mode": "off"}), (0, 1, 0)),
        (json!({"kind": "virtual_patch", "attack_types": ["sqli"]}), (0, 0, 1)),
        (json!({"kind": "virtual_patch", "attack_types": ["xss"]}), (0, 0, 0)),
    ] {
        assert_eq!(counts(&replayed(&console, &rule(effect.clone())).await), expected, "{effect}");
    }
}

#[tokio::test]
async fn selects_requests_by_query_time_and_limit() {
    let console = with_requests().await;
    for (body, requests) in [
        (json!({"recorded": {"from": "2026-01-01T10:03:00Z"}, "candidate": {}}), 2),
        (json!({"recorded": {"query": "request_id:00000000000000000000000000000002"}, "candidate": {}}), 1),
        (json!({"recorded": {"query": "type:xss"}, "candidate": {}}), 0),
    ] {
        let replay = replayed(&console, &body).await;
        assert_eq!(
            (&replay["report"]["requests"], &replay["hits"]),
            (&json!(requests), &json!(requests)),
            "{body}"
        );
    }
}

#[tokio::test]
async fn rejects_an_invalid_replay() {
    let console = Console::start().await;
    for (body, named) in [
        (json!({}), "candidate"),
        (json!({"candidate": {"ruleset": 7}}), "candidate.ruleset"),
        (json!({"candidate": {"remove": [uuid(7)]}}), "candidate.remove[0]"),
        (
            json!({"candidate": {"add": [{"effect": {"kind": "mask", "points": [[["uri"]]]}}]}}),
            "effect.points",
        ),
        (json!({"candidate": {}, "limit": 0}), "limit"),
        (json!({"candidate": {}, "recorded": {"query": "hosst:a"}}), "recorded.query"),
        (json!({"candidate": {}, "period": "-7d"}), "period"),
    ] {
        let answer = start(&console, &body).await;
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.json()["detail"].as_str().unwrap().contains(&format!("`{named}`")), "{}", answer.text);
    }
    assert_eq!(console.get(&format!("/api/v1/replays/{}", uuid(7))).await.status, 404);
}
