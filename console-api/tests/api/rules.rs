//! Rules: add, change, delete, and validation.

use crate::harness::{Answer, Console, send, token_of};
use axum::{
    body::Body,
    http::{Request, header},
};
use console_api::actor::Role;
use insta::{assert_debug_snapshot, assert_json_snapshot};
use serde_json::{Value, json};

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
