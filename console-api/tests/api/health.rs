use crate::harness::{Console, send};
use axum::{body::Body, http::Request};

#[tokio::test]
async fn anybody_may_ask_whether_the_console_is_well() {
    let console = Console::start().await;
    for path in ["/live", "/ready"] {
        let answer = send(&console.router, Request::get(path).body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, 200, "{path}");
    }
}

#[tokio::test]
async fn a_console_without_its_database_is_not_ready() {
    let console = Console::start().await;
    console.store.close().await;
    let answer = send(&console.router, Request::get("/ready").body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, 503);
}
