//! Rules: add, change, delete, and validation.

use crate::harness::{Answer, Console, app, attack, now, send, token_of, uuid, with};
use axum::extract::FromRef as _;
use axum::{
    body::Body,
    http::{Request, header},
};
use console_api::{
    actor::Role,
    use_cases::{RulesetWriter, rules},
};
use insta::{assert_debug_snapshot, assert_json_snapshot};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor as _};

pub(crate) fn call(role: Role, method: &str, path: &str, tag: Option<&str>, body: &Value) -> Request<Body> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::AUTHORIZATION, format!("Bearer {}", token_of(role)))
        .header(header::CONTENT_TYPE, "application/json");
    let request = tag.into_iter().fold(request, |request, tag| request.header(header::IF_MATCH, tag));
    request.body(if body.is_null() { Body::empty() } else { Body::from(body.to_string()) }).unwrap()
}

pub(crate) async fn admin(console: &Console, method: &str, path: &str, body: &Value) -> Answer {
    send(&console.router, call(Role::Admin, method, path, None, body)).await
}

/// A rule with a step in place of a point, which is a list of steps.
fn with_a_flat_point() -> Value {
    json!({"effect": {"kind": "virtual_patch", "points": [["get", "id"]]}})
}

async fn added(console: &Console, rule: &Value) -> String {
    let answer = admin(console, "POST", "/api/v1/rules", rule).await;
    assert_eq!((answer.status.as_u16(), answer.header("etag")), (201, "\"1\""), "{}", answer.text);
    answer.json()["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn stores_a_rule_as_written() {
    let console = Console::start().await;
    let id =
        added(&console, &json!({"effect": {"kind": "virtual_patch", "points": [[["get", "id"]]]}})).await;
    let rule = console.get(&format!("/api/v1/rules/{id}")).await.json();
    assert_eq!(rule["effect"], json!({"kind": "virtual_patch", "points": [[["get", "id"]]]}));
    let mut list = console.get("/api/v1/rules").await.json();
    assert_eq!(list["items"][0]["id"], json!(id));
    list["items"][0]["id"] = json!("[id]");
    assert_json_snapshot!(list);
}

#[tokio::test]
async fn rejects_an_invalid_rule_and_names_the_field() {
    let console = Console::start().await;
    let detector = |pattern: Value| json!({"effect": {"kind": "detector", "pattern": pattern, "attack_type": "rce", "severity": "high"}});
    let mut problems = Vec::new();
    for rule in [
        detector(json!({"regex": "(a"})),
        detector(json!({"regex": "(\\w{1000}){1000}"})),
        detector(json!({"regex": "\\w{12}x"})),
        detector(json!({"glob": "*"})),
        json!({"effect": {"kind": "tarpit"}}),
        json!({"effect": {"kind": "mode", "mode": "loud"}}),
        json!({"effect": {"kind": "mask", "points": [[["uri"]]]}}),
        json!({"scope": {"path": "api"}, "effect": {"kind": "mode", "mode": "block"}}),
        json!({"scope": {"paths": "/api"}, "effect": {"kind": "mode", "mode": "block"}}),
        json!({"scopes": {}, "effect": {"kind": "mode", "mode": "block"}}),
        with_a_flat_point(),
    ] {
        let answer = admin(&console, "POST", "/api/v1/rules", &rule).await;
        assert_eq!(answer.status, 400, "{rule}");
        let problem = answer.json();
        problems.push((problem["parameter"].clone(), problem["detail"].clone()));
    }
    assert_debug_snapshot!(problems);
    assert_eq!(console.get("/api/v1/rules").await.json()["items"], json!([]));
}

#[tokio::test]
async fn requires_the_current_revision() {
    let console = Console::start().await;
    let mode = |mode: &str| json!({"effect": {"kind": "mode", "mode": mode}});
    let id = added(&console, &mode("monitoring")).await;
    let path = format!("/api/v1/rules/{id}");
    let send_call = async |method: &str, tag: Option<&str>, body: &Value| {
        send(&console.router, call(Role::Admin, method, &path, tag, body)).await
    };
    let changed = send_call("PUT", Some("\"1\""), &mode("block")).await;
    assert_eq!((changed.status.as_u16(), changed.header("etag")), (200, "\"2\""));
    assert_eq!(changed.json()["effect"]["mode"], "block");
    for (method, tag, status) in [
        ("PUT", Some("\"1\""), 412),
        ("PUT", None, 428),
        ("PUT", Some("one"), 400),
        ("DELETE", Some("\"1\""), 412),
        ("DELETE", None, 428),
        ("DELETE", Some("\"2\""), 204),
        ("DELETE", Some("\"2\""), 404),
        ("PUT", Some("\"2\""), 404),
    ] {
        assert_eq!(send_call(method, tag, &mode("off")).await.status, status, "{method} {tag:?}");
    }
}

#[tokio::test]
async fn rejects_an_array_instead_of_an_object() {
    let console = Console::start().await;
    let mode = json!({"kind": "mode", "mode": "block"});
    let arrays = [
        json!([{}, mode, ""]),
        json!({"effect": ["mode", "block"]}),
        json!({"scope": [null], "effect": mode}),
    ];
    for body in arrays {
        let answer = admin(&console, "POST", "/api/v1/rules", &body).await;
        assert_eq!(answer.status, 400, "{body}: {}", answer.text);
    }
}

#[tokio::test]
async fn the_activity_of_a_rule_counts_the_hits_that_it_decided_on() {
    let console = Console::start().await;
    let patch = added(&console, &json!({"effect": {"kind": "virtual_patch"}})).await;
    let exclusion = added(&console, &json!({"effect": {"kind": "ignore", "findings": "all"}})).await;
    let mode = added(&console, &json!({"effect": {"kind": "mode", "mode": "block"}})).await;
    let record = |n: u32, at: &str| {
        let mut record = with(attack(n, 0), &[("/attack/request/at", json!(at))]);
        record["attack"]["decision"]["mode_source"] = json!(format!("rule:{mode}"));
        record["attack"]["decision"]["decided_by"] = json!({
            "rule": {"id": patch, "revision": 1}, "silenced_by": [{"id": exclusion, "revision": 1}],
        });
        record
    };
    let times =
        ["2026-01-01T11:00:00Z", "2025-12-31T23:00:00Z", "2025-12-25T10:00:00Z", "2025-11-01T10:00:00Z"];
    let records: Vec<_> = (1..).zip(times).map(|(n, at)| record(n, at)).collect();
    console.ingest(&records).await;
    // A node repeats its delivery.
    console.ingest(&records[..1]).await;
    for id in [&patch, &exclusion, &mode] {
        let activity = console.get(&format!("/api/v1/rules/{id}/activity")).await.json();
        let expected = json!({
            "hits_24h": 2, "hits_30d": 3, "last_hit_at": "2026-01-01T11:00:00Z",
            "changed_at": "2026-01-01T12:00:00Z", "changed_by": "test",
        });
        assert_eq!(activity, expected);
    }
    // Another stage decides otherwise.
    let mut other =
        with(record(1, times[0]), &[("/attack/request/connector/event", json!("origin-request"))]);
    other["attack"]["decision"]["decided_by"] = json!({});
    other["attack"]["decision"]["outcome"] = json!("monitored");
    let mut later = with(attack(7, 0), &[("/attack/decision/outcome", json!("monitored"))]);
    console.ingest(&[other, later.clone()]).await;
    later["attack"]["decision"] = record(7, times[0])["attack"]["decision"].clone();
    later["attack"]["request"]["connector"]["event"] = json!("origin-request");
    console.ingest(&[later]).await;
    let activity = console.get(&format!("/api/v1/rules/{patch}/activity")).await.json();
    assert_eq!((&activity["hits_24h"], &activity["hits_30d"]), (&json!(3), &json!(4)), "{activity}");
    console.store.delete_rule_hours("2026-03-01T00:00:00Z".parse().unwrap()).await.unwrap();
    let activity = console.get(&format!("/api/v1/rules/{patch}/activity")).await.json();
    assert_eq!(
        (&activity["hits_30d"], &activity["last_hit_at"]),
        (&json!(0), &json!("2026-01-01T11:00:00Z")),
        "the last hit stays known"
    );
    let unknown = format!("/api/v1/rules/{}/activity", uuid(1));
    assert_eq!(console.get(&unknown).await.status, 404);
}

#[tokio::test]
async fn counters_of_rules_that_do_not_exist_are_deleted_after_their_hours() {
    let console = Console::start().await;
    let mut record = attack(1, 0);
    record["attack"]["decision"]["decided_by"] = json!({"rule": {"id": uuid(404), "revision": 1}});
    console.ingest(&[record]).await;
    for (now, left) in [("2026-01-02T00:00:00Z", 2), ("2026-03-01T00:00:00Z", 0)] {
        console.store.delete_rule_hours(now.parse().unwrap()).await.unwrap();
        assert_eq!(console.count("select count(*) from rule_hits").await, left, "{now}");
    }
}

#[tokio::test]
async fn a_rule_ends_at_its_time_and_comes_back_by_undo() {
    let console = Console::start().await;
    let rule = |end: &str| json!({"effect": {"kind": "mode", "mode": "off"}, "expires_at": end});
    let past = admin(&console, "POST", "/api/v1/rules", &rule("2026-01-01T12:00:00Z")).await;
    assert!(past.status == 400 && past.text.contains("`expires_at` must be in the future"), "{}", past.text);
    let id = added(&console, &rule("2026-01-01T13:00:00Z")).await;
    let writer = RulesetWriter::from_ref(&app(&console.store, now()));
    assert_eq!(rules::delete_ended(&writer, now()).await.unwrap(), 0);
    let end = "2026-01-01T13:00:00Z".parse().unwrap();
    let before = console.store.ruleset(now()).await.unwrap();
    assert_eq!(before.rules.items.len(), 1);
    assert_eq!(console.store.ruleset(end).await.unwrap().rules.items, [], "nodes do not wait for the task");
    assert_eq!(rules::delete_ended(&writer, end).await.unwrap(), 1);
    assert!(console.store.ruleset(end).await.unwrap().version > before.version, "nodes fetch the change");
    assert_eq!(console.get(&format!("/api/v1/rules/{id}")).await.status, 404);
    let log = console.get_as(Role::Admin, "/api/v1/audit?object=rule").await.json();
    assert_eq!((&log["items"][0]["actor"], &log["items"][0]["action"]), (&json!("expiry"), &json!("delete")));
    let undo = format!("/audit/{}/undo", log["items"][0]["id"].as_str().unwrap());
    let later = console.at("2026-01-01T14:00:00Z");
    let request = call(Role::Analyst, "POST", &undo, None, &json!(null));
    let (mut parts, _) = request.into_parts();
    parts.headers.insert(header::CONTENT_TYPE, "application/x-www-form-urlencoded".parse().unwrap());
    let undone = send(&later, Request::from_parts(parts, Body::empty())).await;
    assert_eq!(undone.status, 303, "{}", undone.text);
    let rules = console.get("/api/v1/rules").await.json();
    assert_eq!(
        (rules["items"].as_array().unwrap().len(), &rules["items"][0]["expires_at"]),
        (1, &json!(null))
    );
}

#[tokio::test]
async fn detectors_are_bounded_and_the_error_names_the_limit() {
    let console = Console::start().await;
    let detector = json!({"effect": {"kind": "detector", "pattern": {"literal": "legacy"}, "attack_type": "rce",
        "severity": "high"}});
    let rows: Vec<String> =
        (0..999).map(|n| format!("('{}', 1, 'detector', '{{}}', '{{}}', '', 0, 0)", uuid(n))).collect();
    let insert = format!(
        "insert into rules (id, revision, kind, scope, effect, comment, created_at, updated_at) values {}",
        rows.join(", ")
    );
    console.database.connect().await.execute(AssertSqlSafe(insert)).await.unwrap();
    let last = added(&console, &detector).await;
    let refused = admin(&console, "POST", "/api/v1/rules", &detector).await;
    assert_eq!(refused.status, 409, "{}", refused.text);
    assert!(refused.text.contains("the limit of 1000 detectors is reached"), "{}", refused.text);
    let other = added(&console, &json!({"effect": {"kind": "mode", "mode": "block"}})).await;
    let replace = |id: &str| {
        send(
            &console.router,
            call(Role::Admin, "PUT", &format!("/api/v1/rules/{id}"), Some("\"1\""), &detector),
        )
    };
    assert_eq!(replace(&other).await.status, 409, "another rule does not become a detector");
    assert_eq!(replace(&last).await.status, 200, "a detector can be changed");
}
