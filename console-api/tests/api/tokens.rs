//! API tokens: secrets, expiry and revocation.

use crate::{
    harness::{Console, send},
    rules::admin,
};
use axum::{
    Router,
    body::Body,
    http::{Request, header},
};
use console_api::actor::Role;
use serde_json::json;

async fn read(router: &Router, token: &str) -> u16 {
    let request = Request::get("/api/v1/attacks").header(header::AUTHORIZATION, format!("Bearer {token}"));
    send(router, request.body(Body::empty()).unwrap()).await.status.as_u16()
}

#[tokio::test]
async fn a_token_is_shown_once_and_works_until_it_expires() {
    let console = Console::start().await;
    let wanted = json!({"name": "report", "role": "read_only", "expires_at": "2026-01-02T00:00:00Z"});
    let created = admin(&console, "POST", "/api/v1/tokens", &wanted).await;
    assert_eq!(created.status, 201, "{}", created.text);
    let token = created.json()["token"].as_str().unwrap().to_owned();
    assert_eq!(read(&console.router, &token).await, 200);
    assert_eq!(read(&console.at("2026-01-02T00:00:00Z"), &token).await, 401);
    for path in ["/api/v1/tokens", "/api/v1/audit"] {
        let shown = console.get_as(Role::Admin, path).await;
        assert!(shown.text.contains("report") && !shown.text.contains(&token), "{path}: {}", shown.text);
    }
}

#[tokio::test]
async fn rejects_a_revoked_token() {
    let console = Console::start().await;
    let created = admin(&console, "POST", "/api/v1/tokens", &json!({"name": "report", "role": "read_only"}))
        .await
        .json();
    let (token, id) = (created["token"].as_str().unwrap(), created["id"].as_str().unwrap());
    assert_eq!(admin(&console, "DELETE", &format!("/api/v1/tokens/{id}"), &json!(null)).await.status, 204);
    assert_eq!(read(&console.router, token).await, 401);
    assert_eq!(admin(&console, "DELETE", &format!("/api/v1/tokens/{id}"), &json!(null)).await.status, 404);
}

#[tokio::test]
async fn rejects_an_expiry_in_the_past() {
    let console = Console::start().await;
    let wanted = json!({"name": "report", "role": "read_only", "expires_at": "2026-01-01T11:00:00Z"});
    let answer = admin(&console, "POST", "/api/v1/tokens", &wanted).await;
    assert_eq!((answer.status.as_u16(), answer.json()["parameter"].as_str()), (400, Some("expires_at")));
}
