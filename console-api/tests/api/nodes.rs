//! Nodes with their last status.

use crate::{
    harness::{Console, send, uuid},
    rules::admin,
};
use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
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
        "requests": 1000, "attacks": 10, "blocked": 9, "pending": 3, "dropped": 0
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
