//! Nodes with their last status.

use crate::harness::{Console, uuid};
use axum::http::StatusCode;
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
