//! Users and their passwords.

use crate::{
    harness::{Answer, Console, send},
    rules::{admin, call},
};
use console_api::actor::Role;
use serde_json::{Value, json};

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
