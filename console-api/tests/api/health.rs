//! Health checks.

use crate::harness::{Console, send};
use axum::{body::Body, http::Request};

#[tokio::test]
async fn health_checks_need_no_token() {
    let console = Console::start().await;
    for path in ["/live", "/ready"] {
        let answer = send(&console.router, Request::get(path).body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, 200, "{path}");
    }
}

#[tokio::test]
async fn is_not_ready_without_its_database() {
    let console = Console::start().await;
    console.store.close().await;
    let answer = send(&console.router, Request::get("/ready").body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, 503);
}
