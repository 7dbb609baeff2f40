//! Prometheus metrics.

use crate::{
    harness::{Console, attack, not_inspected, send, token_of, uuid},
    rules::admin,
};
use axum::{body::Body, http::Request};
use console_api::actor::Role;
use serde_json::json;
use tower::ServiceExt as _;

async fn text(console: &Console) -> String {
    let answer = console.get("/metrics").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.header("content-type"), "application/openmetrics-text; version=1.0.0; charset=utf-8");
    answer.text
}

#[tokio::test]
async fn counts_ingested_records() {
    let console = Console::start().await;
    console.ingest(&[attack(1, 0), not_inspected(1, 2, "node_timeout")]).await;
    console.ingest(&[attack(1, 0), json!({"unknown": 1})]).await;
    console.get("/api/v1/attacks").await;
    console.get(&format!("/api/v1/attacks/{}", uuid(7))).await;
    console.get("/nowhere/at/all").await;
    let request = Request::get("/api/v1/attacks/stream")
        .header("authorization", format!("Bearer {}", token_of(Role::Admin)));
    let stream = console.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let text = self::text(&console).await;
    let node = uuid(900);
    for line in [
        "wallarm_console_ingest_records_total{result=\"stored\"} 2",
        "wallarm_console_ingest_records_total{result=\"duplicate\"} 1",
        "wallarm_console_ingest_records_total{result=\"rejected\"} 1",
        "wallarm_console_ingest_seconds_count 2",
        "wallarm_console_http_requests_total{route=\"/api/v1/attacks\",status=\"200\"} 1",
        "wallarm_console_http_requests_total{route=\"/api/v1/attacks/{id}\",status=\"404\"} 1",
        "wallarm_console_http_requests_total{route=\"none\",status=\"404\"} 1",
        "wallarm_console_attack_streams 1",
        &format!("wallarm_console_not_inspected_requests{{node=\"{node}\",reason=\"node_timeout\"}} 1"),
    ] {
        assert!(text.lines().any(|existing| existing == line), "{line} is not in\n{text}");
    }
    let bytes = text.lines().find_map(|line| line.strip_prefix("wallarm_console_database_bytes ")).unwrap();
    assert!(bytes.parse::<u64>().unwrap() > 10_000, "{bytes}");
    drop(stream);
    assert!(self::text(&console).await.contains("wallarm_console_attack_streams 0\n"));
}

#[tokio::test]
async fn counts_webhook_calls_by_result() {
    let console = Console::start().await;
    let webhook = json!({"name": "Ops", "url": "http://127.0.0.1:9/"});
    let created = admin(&console, "POST", "/api/v1/webhooks", &webhook).await.json();
    let path = format!("/api/v1/webhooks/{}/test", created["id"].as_str().unwrap());
    admin(&console, "POST", &path, &json!(null)).await;
    let text = text(&console).await;
    assert!(text.contains("wallarm_console_webhook_calls_total{result=\"failed\"} 1\n"), "{text}");
    assert!(text.contains("wallarm_console_webhook_deliveries{state=\"dead\"} 1\n"), "{text}");
}

#[tokio::test]
async fn metrics_need_a_token_that_may_read() {
    let console = Console::start().await;
    assert_eq!(console.get_as(Role::Node, "/metrics").await.status, 403);
    let anonymous = Request::get("/metrics").body(Body::empty()).unwrap();
    assert_eq!(send(&console.router, anonymous).await.status, 401);
}
