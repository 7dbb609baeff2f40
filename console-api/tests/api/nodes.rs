//! Nodes with their last status.

use crate::{
    harness::{Console, send, token_of, uuid},
    rules::admin,
};
use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use console_api::actor::Role;
use insta::assert_json_snapshot;
use serde_json::json;

#[tokio::test]
async fn lists_nodes_by_their_deliveries() {
    let console = Console::start().await;
    console.ingest(&[]).await;
    assert_json_snapshot!(console.body("/api/v1/nodes").await);
}

#[tokio::test]
async fn keeps_the_last_status_of_a_node() {
    let console = Console::start().await;
    let status = json!({
        "started_at": "2026-01-01T11:00:00Z", "mode": "block", "ruleset": 7, "left_out": 1,
        "requests": 1000, "bypassed": 20, "bypassed_by_connectors": 30, "attacks": 10, "blocked": 9, "pending": 3,
        "dropped": 0
    });
    let node = json!({"id": uuid(900), "version": "1.2.3"});
    let batch = json!({"node": node, "status": status, "records": []});
    assert_eq!(console.post_batch(batch.to_string()).await.status, StatusCode::OK);
    console.ingest(&[]).await;
    assert_eq!(console.body("/api/v1/nodes").await["items"][0]["status"], status);
}

#[tokio::test]
async fn a_node_is_bound_to_its_first_token_until_it_is_released_or_the_token_is_revoked() {
    let console = Console::start().await;
    let issue = async |name: &str| {
        let wanted = json!({"name": name, "role": "node"});
        let token = admin(&console, "POST", "/api/v1/tokens", &wanted).await.json();
        ["token", "id"].map(|key| token[key].as_str().unwrap().to_owned())
    };
    let [(first, first_id), (second, _)] = [issue("first").await.into(), issue("second").await.into()];
    let deliver = async |token: &str| {
        let batch = json!({"node": {"id": uuid(901), "version": "1.2.3"}, "records": []}).to_string();
        let request = Request::post("/api/v1/ingest")
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::CONTENT_TYPE, "application/json");
        send(&console.router, request.body(Body::from(batch)).unwrap()).await
    };
    let bound_to = async || console.body("/api/v1/nodes").await["items"][0]["token"].clone();
    assert_eq!(deliver(&first).await.status, 200);
    let refused = deliver(&second).await;
    assert_eq!(refused.status, 403);
    let detail = format!("the node {} is bound to another token", uuid(901));
    assert!(refused.json()["detail"].as_str().unwrap().starts_with(&detail), "{}", refused.text);
    assert_eq!(bound_to().await, "first");

    let release = format!("/api/v1/nodes/{}/token", uuid(901));
    assert_eq!(admin(&console, "DELETE", &release, &json!(null)).await.status, 204);
    assert_eq!(deliver(&second).await.status, 200);
    assert_eq!(deliver(&first).await.status, 403);

    assert_eq!(admin(&console, "DELETE", &release, &json!(null)).await.status, 204);
    assert_eq!(deliver(&first).await.status, 200);
    assert_eq!(
        admin(&console, "DELETE", &format!("/api/v1/tokens/{first_id}"), &json!(null)).await.status,
        204
    );
    assert_eq!(bound_to().await, json!(null));
    assert_eq!(deliver(&second).await.status, 200);
    assert_eq!(bound_to().await, "second");
}

#[tokio::test]
async fn a_token_delivers_for_at_most_1000_nodes_in_a_day() {
    let console = Console::start().await;
    let deliver = async |node: u32| {
        let batch = json!({"node": {"id": uuid(node), "version": "1"}, "records": []});
        console.post_batch(batch.to_string()).await
    };
    for node in 1..=1_000 {
        assert_eq!(deliver(node).await.status, 200);
    }
    let refused = deliver(1_001).await;
    assert_eq!(refused.status, 403, "{}", refused.text);
    assert!(refused.text.contains("1000 nodes in a day"), "{}", refused.text);
    assert_eq!(deliver(1_000).await.status, 200);
}

/// The status of a healthy node.
fn status() -> serde_json::Value {
    json!({
        "started_at": "2026-01-01T11:00:00Z", "mode": "block", "ruleset": 0, "left_out": 0,
        "requests": 1000, "attacks": 10, "blocked": 9, "pending": 3, "dropped": 0
    })
}

/// Delivers a status at a time.
async fn report(router: &axum::Router, status: &serde_json::Value) {
    let batch = json!({"node": {"id": uuid(900), "version": "1.2.3"}, "status": status, "records": []});
    let request = Request::post("/api/v1/ingest")
        .header(header::AUTHORIZATION, format!("Bearer {}", token_of(Role::Node)))
        .header(header::CONTENT_TYPE, "application/json");
    let answer = send(router, request.body(Body::from(batch.to_string())).unwrap()).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

pub(crate) async fn read(router: &axum::Router, path: &str) -> String {
    let request =
        Request::get(path).header(header::AUTHORIZATION, format!("Bearer {}", token_of(Role::ReadOnly)));
    let answer = send(router, request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    answer.text
}

#[tokio::test]
async fn an_unreachable_node_is_flagged_on_every_page_within_15_seconds() {
    let console = Console::start().await;
    report(&console.router, &status()).await;
    let pages = [
        "/attacks",
        "/not-inspected",
        "/rules",
        "/ip-lists",
        "/nodes",
        "/connectors",
        "/settings",
        "/alerts",
    ];
    let (soon, later) = (console.at("2026-01-01T12:00:10Z"), console.at("2026-01-01T12:00:12Z"));
    for path in pages {
        let flag = "<b>Unreachable:</b>";
        assert!(!read(&soon, path).await.contains(flag), "{path}");
        let page = read(&later, path).await;
        assert!(
            page.contains(flag) && page.contains("2026-01-01 12:00:00</time> UTC. Requests may pass"),
            "{page}"
        );
    }
    let metric = format!("wallarm_console_node_problem{{node=\"{}\",problem=\"unreachable\"}} 1", uuid(900));
    assert!(!read(&soon, "/metrics").await.contains(&metric));
    assert!(read(&later, "/metrics").await.contains(&metric));
    let node: serde_json::Value = serde_json::from_str(&read(&later, "/api/v1/nodes").await).unwrap();
    let problem = json!([{"kind": "unreachable", "since": "2026-01-01T12:00:00Z"}]);
    assert_eq!(node["items"][0]["problems"], problem);
}

#[tokio::test]
async fn reported_problems_are_flagged_since_their_start_until_they_end() {
    let console = Console::start().await;
    let problems = async |time: &str| {
        let nodes: serde_json::Value =
            serde_json::from_str(&read(&console.at(time), "/api/v1/nodes").await).unwrap();
        nodes["items"][0].get("problems").cloned().unwrap_or_default()
    };
    report(&console.router, &status()).await;
    let mut bad = status();
    (bad["spool_failed"], bad["left_out"], bad["dropped"]) = (json!(true), json!(2), json!(5));
    report(&console.at("2026-01-01T12:00:05Z"), &bad).await;
    report(&console.at("2026-01-01T12:00:10Z"), &bad).await;
    let since = |kind: &str| json!({"kind": kind, "since": "2026-01-01T12:00:05Z"});
    assert_eq!(
        problems("2026-01-01T12:00:11Z").await,
        json!([since("spool_failed"), since("records_dropped"), since("rules_not_applied")])
    );
    let mut good = status();
    good["dropped"] = json!(5);
    report(&console.at("2026-01-01T12:00:15Z"), &good).await;
    assert_eq!(problems("2026-01-01T12:00:16Z").await, json!([since("records_dropped")]));
    report(&console.at("2026-01-01T13:30:00Z"), &good).await;
    assert_eq!(problems("2026-01-01T13:30:01Z").await, json!(null));
}

#[tokio::test]
async fn a_node_with_old_rules_is_flagged() {
    let console = Console::start().await;
    report(&console.router, &status()).await;
    let rule = json!({"effect": {"kind": "mode", "mode": "monitoring"}});
    assert_eq!(admin(&console, "POST", "/api/v1/rules", &rule).await.status, 201);
    report(&console.at("2026-01-01T12:00:20Z"), &status()).await;
    let page = read(&console.at("2026-01-01T12:00:21Z"), "/attacks").await;
    assert!(page.contains("<b>Rules outdated:</b>") && page.contains("2026-01-01 12:00:00"), "{page}");
    let mut current = status();
    current["ruleset"] = json!(1);
    report(&console.at("2026-01-01T12:00:22Z"), &current).await;
    assert!(!read(&console.at("2026-01-01T12:00:23Z"), "/attacks").await.contains("Rules outdated"));
}

#[tokio::test]
async fn a_removed_node_is_listed_again_when_it_delivers() {
    let console = Console::start().await;
    report(&console.router, &status()).await;
    let path = format!("/api/v1/nodes/{}", uuid(900));
    assert_eq!(admin(&console, "DELETE", &path, &json!(null)).await.status, 204);
    assert_eq!(console.body("/api/v1/nodes").await["items"], json!([]));
    assert_eq!(admin(&console, "DELETE", &path, &json!(null)).await.status, 404);
    report(&console.router, &status()).await;
    assert_eq!(console.body("/api/v1/nodes").await["items"][0]["version"], "1.2.3");
}
