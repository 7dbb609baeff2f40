//! Users and their passwords.

use crate::{
    harness::{Answer, Console, now, send},
    rules::{admin, call},
    sessions::{PASSWORD, cookie, sign_in},
};
use axum::{
    body::Body,
    http::{Request, header},
};
use console_api::actor::Role;
use serde_json::{Value, json};
use std::collections::BTreeSet;

pub(crate) struct Added {
    path: String,
    tag: String,
}

/// Adds a user.
pub(crate) async fn add(console: &Console, name: &str, role: &str, password: &str) -> Added {
    let user = json!({"name": name, "role": role, "password": password});
    let answer = admin(console, "POST", "/api/v1/users", &user).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    Added { path: format!("/api/v1/users/{id}"), tag: answer.header("etag").to_owned() }
}

impl Added {
    async fn delete(&self, console: &Console) -> u16 {
        let request = call(Role::Admin, "DELETE", &self.path, Some(&self.tag), &Value::Null);
        send(&console.router, request).await.status.as_u16()
    }

    pub(crate) async fn replace(&self, console: &Console, user: &Value) -> Answer {
        send(&console.router, call(Role::Admin, "PUT", &self.path, Some(&self.tag), user)).await
    }
}

#[tokio::test]
async fn a_user_is_shown_without_the_password() {
    let console = Console::start().await;
    let ann = add(&console, "ann", "analyst", "correct horse battery").await;
    for path in [ann.path.as_str(), "/api/v1/users", "/api/v1/audit"] {
        let answer = console.get_as(Role::Admin, path).await;
        assert!(answer.text.contains("ann") && !answer.text.contains("horse"), "{path}: {}", answer.text);
        assert!(!answer.text.contains("argon2"), "{path}: {}", answer.text);
    }
}

#[tokio::test]
async fn rejects_a_duplicate_user_name() {
    let console = Console::start().await;
    add(&console, "ann", "analyst", "correct horse battery").await;
    let bob = add(&console, "bob", "analyst", "correct horse battery").await;
    let ann = json!({"name": "ann", "role": "admin", "password": "correct horse battery"});
    for taken in [admin(&console, "POST", "/api/v1/users", &ann).await, bob.replace(&console, &ann).await] {
        assert_eq!(taken.status, 409);
        assert_eq!(taken.json()["detail"], "there is another user named ann");
    }
    let renamed = bob.replace(&console, &json!({"name": "bob", "role": "admin"})).await;
    assert_eq!((renamed.status.as_u16(), renamed.json()["role"].as_str()), (200, Some("admin")));
}

#[tokio::test]
async fn rejects_a_weak_password() {
    let console = Console::start().await;
    for user in [
        json!({"name": "ann", "role": "admin"}),
        json!({"name": "ann", "role": "admin", "password": "short"}),
    ] {
        let answer = admin(&console, "POST", "/api/v1/users", &user).await;
        assert_eq!(answer.status, 400, "{user}");
        assert!(answer.text.contains("`password`"), "{}", answer.text);
    }
}

/// A call of a signed-in browser.
async fn with_session(console: &Console, cookie: &str, method: &str, path: &str, body: &Value) -> Answer {
    let request = Request::builder().method(method).uri(path).header(header::COOKIE, cookie);
    let request =
        request.header(header::CONTENT_TYPE, "application/json").header("sec-fetch-site", "same-origin");
    let request = request.header(header::IF_MATCH, "\"1\"");
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    send(&console.router, request.body(body).unwrap()).await
}

#[tokio::test]
async fn a_new_user_has_nothing_of_a_deleted_one_of_the_same_name() {
    let console = Console::start().await;
    let session = async || cookie(&sign_in(&console.router, "203.0.113.7", "ann", PASSWORD).await);
    let is_known =
        async || console.store.is_known_network("ann", [203, 0, 113, 7].into(), now()).await.unwrap();
    let old = add(&console, "ann", "analyst", PASSWORD).await;
    let first = session().await;
    for shared in [false, true] {
        let view = json!({"name": "Mine", "query": "type:sqli", "shared": shared});
        assert_eq!(with_session(&console, &first, "POST", "/api/v1/views", &view).await.status, 201);
    }
    assert!(is_known().await);
    assert_eq!(old.delete(&console).await, 204);

    add(&console, "ann", "analyst", PASSWORD).await;
    assert!(!is_known().await);
    assert_eq!(with_session(&console, &first, "GET", "/api/v1/views", &Value::Null).await.status, 401);
    let second = session().await;
    let views = with_session(&console, &second, "GET", "/api/v1/views", &Value::Null).await.json();
    assert_eq!(views["items"].as_array().unwrap().len(), 1, "only the shared one: {views}");
    let path = format!("/api/v1/views/{}", views["items"][0]["id"].as_str().unwrap());
    let rename = with_session(&console, &second, "PATCH", &path, &json!({"name": "Theirs"})).await;
    assert_eq!(rename.status, 403, "{}", rename.text);

    let log = console.get_as(Role::Admin, "/api/v1/audit?actor=ann").await.json();
    let ids: BTreeSet<_> =
        log["items"].as_array().unwrap().iter().map(|line| line["actor_id"].to_string()).collect();
    assert_eq!(ids.len(), 2, "the audit log distinguishes them: {log}");
    let sessions = console.get_as(Role::Admin, "/api/v1/sessions").await.json();
    assert_eq!(sessions["items"].as_array().unwrap().len(), 1, "{sessions}");
}

#[tokio::test]
async fn a_renamed_user_keeps_the_views() {
    let console = Console::start().await;
    let ann = add(&console, "ann", "analyst", PASSWORD).await;
    let session = cookie(&sign_in(&console.router, "203.0.113.7", "ann", PASSWORD).await);
    let view = json!({"name": "Mine", "query": "type:sqli"});
    assert_eq!(with_session(&console, &session, "POST", "/api/v1/views", &view).await.status, 201);
    ann.replace(&console, &json!({"name": "anna", "role": "analyst"})).await;
    let views = with_session(&console, &session, "GET", "/api/v1/views", &Value::Null).await.json();
    assert_eq!(views["items"][0]["owner"], "anna", "{views}");
}
