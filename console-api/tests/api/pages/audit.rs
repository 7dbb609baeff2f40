//! The page of the audit log: filters, names, and undo.

use super::submit;
use crate::harness::{Answer, Console, attack, send};
use axum::{
    body::Body,
    http::{Request, header},
};
use console_api::actor::Role;
use serde_json::{Value, json};

async fn audit(console: &Console, query: &str) -> String {
    let page = console.get_as(Role::Admin, &format!("/audit?{query}")).await;
    assert_eq!(page.status, 200, "{}", page.text);
    page.text
}

/// Undoes the latest line about an object.
async fn undo(console: &Console, role: Role, object: &str) -> Answer {
    let log = console.get_as(Role::Admin, &format!("/api/v1/audit?object={object}")).await.json();
    let path = format!("/audit/{}/undo", log["items"][0]["id"].as_str().unwrap());
    if role == Role::Admin {
        assert!(audit(console, "").await.contains(&path), "it is offered");
    }
    submit(console, role, &path, &[]).await
}

async fn only(console: &Console, list: &str) -> Value {
    let items = console.get_as(Role::Admin, &format!("/api/v1/{list}")).await.json()["items"].clone();
    assert_eq!(items.as_array().unwrap().len(), 1, "{items}");
    items[0].clone()
}

const ANN: [(&str, &str); 3] = [("name", "ann"), ("role", "analyst"), ("password", "correct horse battery")];

#[tokio::test]
async fn lines_name_objects_and_changes_and_are_filtered() {
    let console = Console::start().await;
    console.ingest(&[attack(1, 0)]).await;
    let id = console.only_attack().await;
    let mark = [("mark", "false_positive"), ("note", ""), ("revision", "0")];
    submit(&console, Role::Analyst, &format!("/attacks/{id}/mark"), &mark).await;
    let rule = [("kind", "mode"), ("mode", "off"), ("path", "/reports")];
    submit(&console, Role::Analyst, "/rules", &rule).await;
    submit(&console, Role::Admin, "/users", &ANN).await;
    let user = only(&console, "users").await["id"].as_str().unwrap().to_owned();
    let admin = [("name", "ann"), ("role", "admin"), ("password", ""), ("revision", "1")];
    assert_eq!(submit(&console, Role::Admin, &format!("/users/{user}"), &admin).await.status, 303);
    let credentials = json!({"user": "mallory", "password": "wrong horse battery"}).to_string();
    let request = Request::post("/api/v1/sessions").header(header::CONTENT_TYPE, "application/json");
    send(&console.router, request.body(Body::from(credentials)).unwrap()).await;

    let all = audit(&console, "").await;
    for shown in [
        "“Use mode off for requests to /reports”",
        "Path traversal at shop.example.com/shop",
        "none → false positive",
        "changed user",
        "role: analyst → admin",
        "<del>-   &#34;role&#34;: &#34;analyst&#34;",
        "<ins>+   &#34;role&#34;: &#34;admin&#34;",
    ] {
        assert!(all.contains(shown), "{shown}: {all}");
    }
    assert!(!all.contains("mallory"), "sign-ins stand apart: {all}");
    let sign_ins = audit(&console, "sign_ins=true").await;
    assert!(sign_ins.contains("failed to sign in as") && sign_ins.contains("mallory"), "{sign_ins}");
    assert!(!sign_ins.contains("“ann”"), "{sign_ins}");
    for (query, rows) in [
        ("object=user", 2),
        (&format!("object=user:{user}&action=change"), 1),
        ("object=rule", 1),
        ("actor=test", 4),
        ("actor=stranger", 0),
        ("from=-24h", 4),
        ("from=2026-01-02", 0),
    ] {
        let page = audit(&console, query).await;
        assert_eq!(page.matches("data-label=\"What\"").count(), rows, "{query}: {page}");
    }
    let next = audit(&console, "actor=test&limit=1").await;
    assert!(next.contains("/audit?actor=test&#38;limit=1&#38;cursor="), "{next}");
    let api = console.get_as(Role::Admin, "/api/v1/audit?sign_ins=true").await.json();
    assert_eq!(api["items"].as_array().unwrap().len(), 1, "{api}");
}

#[tokio::test]
async fn changes_of_a_user_are_undone_by_administrators() {
    let console = Console::start().await;
    submit(&console, Role::Admin, "/users", &ANN).await;
    let user = only(&console, "users").await["id"].as_str().unwrap().to_owned();
    let admin = [("name", "anna"), ("role", "admin"), ("password", ""), ("revision", "1")];
    submit(&console, Role::Admin, &format!("/users/{user}"), &admin).await;
    assert_eq!(undo(&console, Role::Analyst, "user").await.status, 403);
    assert_eq!(undo(&console, Role::Admin, "user").await.status, 303);
    let ann = only(&console, "users").await;
    assert_eq!((&ann["name"], &ann["role"]), (&json!("ann"), &json!("analyst")));

    let deleted = submit(&console, Role::Admin, &format!("/users/{user}/delete"), &[("revision", "3")]).await;
    assert_eq!(deleted.status, 303, "{}", deleted.text);
    assert_eq!(undo(&console, Role::Admin, "user").await.status, 303);
    let ann = only(&console, "users").await;
    assert_eq!((&ann["id"], &ann["name"]), (&json!(user), &json!("ann")));
    let credentials = json!({"user": "ann", "password": "correct horse battery"}).to_string();
    let request = Request::post("/api/v1/sessions").header(header::CONTENT_TYPE, "application/json");
    let refused = send(&console.router, request.body(Body::from(credentials)).unwrap()).await;
    assert_eq!(refused.status, 401, "the old password is not valid");
    // The line of the restored user: undoing it deletes the user.
    assert_eq!(undo(&console, Role::Admin, "user").await.status, 303);
    assert_eq!(console.get_as(Role::Admin, "/api/v1/users").await.json()["items"], json!([]));
}

#[tokio::test]
async fn a_deleted_view_comes_back_where_it_was_deleted() {
    let console = Console::start().await;
    let view = [
        ("name", "Mine"),
        ("query", "type:sqli"),
        ("group_by", ""),
        ("sort", ""),
        ("from", "-7d"),
        ("to", ""),
    ];
    submit(&console, Role::Analyst, "/views", &view).await;
    let before = console.get_as(Role::Analyst, "/api/v1/views").await.json()["items"][0].clone();
    let path = format!("/views/{}", before["id"].as_str().unwrap());
    let renamed = [("name", "Ours"), ("shared", "true"), ("revision", "1")];
    submit(&console, Role::Analyst, &path, &renamed).await;
    assert_eq!(undo(&console, Role::Analyst, "view").await.status, 303);
    let restored = console.get_as(Role::Analyst, "/api/v1/views").await.json()["items"][0].clone();
    assert_eq!((&restored["name"], &restored["shared"]), (&json!("Mine"), &json!(false)));

    let deleted = submit(&console, Role::Analyst, &format!("{path}/delete"), &[("revision", "3")]).await;
    let page = console.get_as(Role::Analyst, deleted.header("location")).await.text;
    let undo =
        format!("/audit/{}", page.split("action=\"/audit/").nth(1).unwrap().split('"').next().unwrap());
    let undone = submit(&console, Role::Analyst, &undo, &[("back", "/views")]).await;
    assert_eq!((undone.status.as_u16(), undone.header("location")), (303, "/views"), "{}", undone.text);
    let restored = console.get_as(Role::Analyst, "/api/v1/views").await.json()["items"][0].clone();
    for field in ["id", "name", "query", "from", "owner", "owner_id", "created_at"] {
        assert_eq!(restored[field], before[field], "{field}");
    }
    assert_eq!(submit(&console, Role::Analyst, &undo, &[]).await.status, 303, "as it was before");
}

#[tokio::test]
async fn changes_of_a_webhook_are_undone() {
    let console = Console::start().await;
    let form = |name: &'static str| {
        [
            ("name", name),
            ("url", "http://127.0.0.1:1/hook"),
            ("query", "type:sqli"),
            ("format", "slack"),
            ("attacks", "true"),
            ("enabled", "true"),
            ("revision", "1"),
        ]
    };
    submit(&console, Role::Admin, "/webhooks", &form("chat")).await;
    let hook = only(&console, "webhooks").await;
    let path = format!("/webhooks/{}", hook["id"].as_str().unwrap());
    assert_eq!(submit(&console, Role::Admin, &path, &form("other")).await.status, 303);
    assert_eq!(undo(&console, Role::Admin, "webhook").await.status, 303);
    let restored = only(&console, "webhooks").await;
    for field in ["name", "url", "query", "format", "events", "enabled"] {
        assert_eq!(restored[field], hook[field], "{field}");
    }
    submit(&console, Role::Admin, &format!("{path}/delete"), &[("revision", "3")]).await;
    let log = console.get_as(Role::Admin, "/api/v1/audit?object=webhook&action=delete").await.json();
    let line = log["items"][0]["id"].as_str().unwrap();
    assert!(!audit(&console, "").await.contains(line), "its secret is gone");
}
