//! API tokens: secrets, expiry and revocation.

use crate::{
    harness::{Console, now, send},
    rules::admin,
};
use axum::{
    Router,
    body::Body,
    http::{Request, header},
};
use console_api::{actor::Role, token::Token};
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

#[tokio::test]
async fn a_token_file_keeps_its_views_when_its_token_changes() {
    let console = Console::start().await;
    let call = async |token: &Token, method: &str, body: &str| {
        let request = Request::builder().method(method).uri("/api/v1/views");
        let request = request.header(header::AUTHORIZATION, format!("Bearer {}", token.reveal()));
        let request = request.header(header::CONTENT_TYPE, "application/json");
        send(&console.router, request.body(Body::from(body.to_owned())).unwrap()).await
    };
    let (old, new) = (Token::generate(), Token::generate());
    console.store.provision(&old, Role::Admin, now()).await.unwrap();
    assert_eq!(call(&old, "POST", r#"{"name": "Mine", "query": "type:sqli"}"#).await.status, 201);
    console.store.provision(&new, Role::Admin, now()).await.unwrap();
    assert_eq!(call(&old, "GET", "").await.status, 401);
    assert_eq!(call(&new, "GET", "").await.json()["items"][0]["name"], "Mine");
}

#[tokio::test]
async fn a_revoked_token_of_a_token_file_stays_revoked_after_a_restart() {
    let console = Console::start().await;
    let token = Token::generate();
    assert!(console.store.provision(&token, Role::Admin, now()).await.unwrap());
    assert_eq!(read(&console.router, token.reveal()).await, 200);
    let tokens = console.get_as(Role::Admin, "/api/v1/tokens").await.json();
    let of_file =
        tokens["items"].as_array().unwrap().iter().find(|token| token["name"] == "admin token file");
    let path = format!("/api/v1/tokens/{}", of_file.unwrap()["id"].as_str().unwrap());
    assert_eq!(admin(&console, "DELETE", &path, &json!(null)).await.status, 204);
    let console = console.restart().await;
    assert!(!console.store.provision(&token, Role::Admin, now()).await.unwrap());
    assert_eq!(read(&console.router, token.reveal()).await, 401);
    let another = Token::generate();
    assert!(console.store.provision(&another, Role::Admin, now()).await.unwrap());
    assert_eq!(read(&console.router, another.reveal()).await, 200, "a new file is a new bootstrap");
}

#[tokio::test]
async fn a_token_cannot_revoke_itself() {
    let console = Console::start().await;
    let tokens = console.get_as(Role::Admin, "/api/v1/tokens").await.json();
    let own = tokens["items"].as_array().unwrap().iter().find(|token| token["role"] == "admin").unwrap();
    let path = format!("/api/v1/tokens/{}", own["id"].as_str().unwrap());
    let answer = admin(&console, "DELETE", &path, &json!(null)).await;
    assert_eq!(answer.status, 409, "{}", answer.text);
    assert_eq!(read(&console.router, &crate::harness::token_of(Role::Admin)).await, 200);
}
