//! Tests of detectors on recorded requests.

use crate::{
    harness::{Answer, Console, attack, send, with},
    rules::call,
};
use console_api::actor::Role;
use insta::assert_json_snapshot;
use serde_json::{Value, json};

async fn test(console: &Console, role: Role, body: &Value) -> Answer {
    send(&console.router, call(role, "POST", "/api/v1/rules/test", None, body)).await
}

fn detector(pattern: &Value) -> Value {
    json!({"effect": {"kind": "detector", "pattern": pattern, "attack_type": "rce", "severity": "high", "points": [[["get"]]]}})
}

fn recorded(n: u32, query: &str) -> Value {
    with(attack(n, n), &[("/attack/request/query", json!(query))])
}

#[tokio::test]
async fn tests_a_detector_on_recorded_requests() {
    let console = Console::start().await;
    // `%25` adds a layer: detectors also see decoded values.
    console.ingest(&[recorded(1, "q=legacy-42"), recorded(2, "q=new"), recorded(3, "q=LEGACY%252D7")]).await;
    let mut result =
        test(&console, Role::Analyst, &json!({"rule": detector(&json!({"regex": "(?i)legacy-[0-9]+"}))}))
            .await
            .json();
    for item in result["items"].as_array_mut().unwrap() {
        item["findings"][0]["signature"] = json!("[rule]");
    }
    let cost = result["cost"].take();
    assert_json_snapshot!(result);
    assert_eq!((&cost["requests"], &cost["max_steps_per_byte"]), (&json!(3), &json!(512)));
    assert!(cost["micros_per_request"].as_f64().is_some_and(|micros| micros < 1e6), "{cost}");
    assert!((1..100).contains(&cost["steps_per_byte"].as_u64().unwrap()), "{cost}");
    assert_eq!(console.get("/api/v1/rules").await.json()["items"], json!([]), "nothing is added");
}

#[tokio::test]
async fn selects_requests_by_query_and_time() {
    let console = Console::start().await;
    let elsewhere = with(recorded(3, "q=legacy"), &[("/attack/request/host", json!("api.example.com"))]);
    console.ingest(&[recorded(1, "q=legacy"), recorded(2, "q=legacy"), elsewhere]).await;
    for (selection, expected) in [
        (json!({}), 3),
        (json!({"query": "host:api.example.com"}), 1),
        (json!({"from": "2026-01-01T10:02:00Z"}), 2),
        (json!({"from": "2026-01-01T10:02:00Z", "to": "2026-01-01T10:03:00Z"}), 1),
        (json!({"to": "-2h"}), 0),
    ] {
        let body = json!({"rule": detector(&json!({"literal": "LEGACY"})), "recorded": selection});
        let answer = test(&console, Role::Admin, &body).await.json();
        assert_eq!(
            (&answer["found"], &answer["requests"]),
            (&json!(expected), &json!(expected)),
            "{selection}"
        );
        assert_eq!(answer["scanned"]["complete"], json!(true));
    }
}

#[tokio::test]
async fn rejects_rules_that_cannot_be_tested() {
    let console = Console::start().await;
    let good = detector(&json!({"literal": "x"}));
    for (body, named) in [
        (json!({"rule": detector(&json!({"regex": "("}))}), "effect.pattern"),
        (json!({"rule": {"effect": {"kind": "mode", "mode": "block"}}}), "effect.kind"),
        (json!({"rule": good, "recorded": {"query": "hosst:a"}}), "recorded.query"),
        (json!({"rule": good, "recorded": {"from": "soon"}}), "recorded.from"),
        (json!({"rule": good, "recorded": {"until": "now"}}), "until"),
        (json!({}), "rule"),
    ] {
        let answer = test(&console, Role::Analyst, &body).await;
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.json()["detail"].as_str().unwrap().contains(&format!("`{named}`")), "{}", answer.text);
    }
    for role in [Role::ReadOnly, Role::Node] {
        assert_eq!(test(&console, role, &json!({"rule": good})).await.status, 403);
    }
}
