//! The audit log.

use crate::{
    harness::{Console, send},
    rules::{admin, call},
};
use axum::{
    body::Body,
    http::{Request, header},
};
use console_api::{actor::Role, clock::Clock, retention::Retention};
use insta::assert_json_snapshot;
use serde_json::{Value, json};
use sqlx::Executor as _;

#[tokio::test]
async fn the_audit_log_records_before_and_after() {
    let console = Console::start().await;
    let mode = |mode: &str| json!({"scope": {"path": "/api/**"}, "effect": {"kind": "mode", "mode": mode}});
    let rule = admin(&console, "POST", "/api/v1/rules", &mode("monitoring")).await.json();
    let id = rule["id"].as_str().unwrap();
    let path = format!("/api/v1/rules/{id}");
    for (method, tag, body) in [("PUT", "\"1\"", mode("block")), ("DELETE", "\"2\"", Value::Null)] {
        let request = call(Role::Analyst, method, &path, Some(tag), &body);
        assert!(send(&console.router, request).await.status.is_success());
    }
    let log = console.get_as(Role::Admin, "/api/v1/audit").await;
    let mut log: Value = serde_json::from_str(&log.text.replace(id, "[rule]")).unwrap();
    for line in log["items"].as_array_mut().unwrap() {
        line["id"] = json!("[id]");
        assert!(line["actor_id"].is_string(), "{line}");
        line["actor_id"] = json!("[id]");
    }
    assert_json_snapshot!(log);
}

#[tokio::test]
async fn filters_and_pages_the_audit_log() {
    let console = Console::start().await;
    let mode = json!({"effect": {"kind": "mode", "mode": "block"}});
    let entry = json!({"list": "deny", "source": {"asn": 64500}});
    let rule = admin(&console, "POST", "/api/v1/rules", &mode).await.json();
    admin(&console, "POST", "/api/v1/ip-lists", &entry).await;
    let id = rule["id"].as_str().unwrap();
    let request = call(Role::Admin, "DELETE", &format!("/api/v1/rules/{id}"), Some("\"1\""), &Value::Null);
    send(&console.at("2026-01-02T12:00:00Z"), request).await;
    let search = async |query: &str| {
        let page = console.get_as(Role::Admin, &format!("/api/v1/audit?{query}")).await.json();
        let lines = page["items"].as_array().unwrap().clone();
        let summary = |line: &Value| format!("{} {}", line["action"], line["kind"]).replace('"', "");
        (lines.iter().map(summary).collect::<Vec<_>>().join(", "), page["next_cursor"].clone())
    };
    for (query, lines) in [
        ("", "delete rule, create ip_list_entry, create rule"),
        ("action=create", "create ip_list_entry, create rule"),
        ("object=rule", "delete rule, create rule"),
        (&format!("object=rule:{id}&action=delete"), "delete rule"),
        ("object=rule:other", ""),
        ("actor=test&object=ip_list_entry", "create ip_list_entry"),
        ("actor=unknown", ""),
        ("from=2026-01-02", "delete rule"),
        ("to=2026-01-02", "create ip_list_entry, create rule"),
    ] {
        assert_eq!(search(query).await.0, lines, "{query}");
    }
    let (first, cursor) = search("limit=2").await;
    assert_eq!(first, "delete rule, create ip_list_entry");
    let (rest, end) = search(&format!("limit=2&cursor={}", cursor.as_str().unwrap())).await;
    assert_eq!((rest.as_str(), end), ("create rule", Value::Null));
}

#[tokio::test]
async fn only_administrators_read_the_audit_log() {
    let console = Console::start().await;
    for role in [Role::Analyst, Role::ReadOnly, Role::Node] {
        assert_eq!(console.get_as(role, "/api/v1/audit").await.status, 403, "{role:?}");
    }
    let anonymous = Request::get("/api/v1/audit").body(Body::empty()).unwrap();
    assert_eq!(send(&console.router, anonymous).await.status, 401);
    for (query, name) in
        [("object=tree", "object"), ("action=paint", "action"), ("from=soon", "from"), ("who=me", "who")]
    {
        let answer = console.get_as(Role::Admin, &format!("/api/v1/audit?{query}")).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["parameter"]), (400, &json!(name)), "{query}");
    }
}

#[tokio::test]
async fn refused_sign_ins_are_deleted_after_thirty_days() {
    let console = Console::start().await;
    let credentials = json!({"user": "mallory", "password": "wrong horse battery"});
    let request = Request::post("/api/v1/sessions").header(header::CONTENT_TYPE, "application/json");
    send(&console.router, request.body(Body::from(credentials.to_string())).unwrap()).await;
    let lines =
        async || console.get_as(Role::Admin, "/api/v1/audit?action=refuse").await.json()["items"].clone();
    let apply = async |now: &str| {
        let clock = Clock::At(now.parse().unwrap());
        Retention::default().apply(&console.store, clock).await.unwrap();
    };
    apply("2026-01-31T11:59:59Z").await;
    assert_eq!(lines().await.as_array().unwrap().len(), 1);
    apply("2026-01-31T12:00:01Z").await;
    assert_eq!(lines().await, json!([]));
}

#[tokio::test]
async fn only_the_latest_ten_thousand_refused_sign_ins_are_kept() {
    let console = Console::start().await;
    let lines = "insert into audit (id, at, actor, action, kind, object) \
        with recursive n (x) as (select 1 union all select x + 1 from n where x < 10050) \
        select '00000000-0000-7000-8000-' || cast(100000000000 + x as text), 1767268800000, 'eve', 'refuse', 'session', \
        'eve' from n";
    console.database.connect().await.execute(lines).await.unwrap();
    let clock = Clock::At("2026-01-01T12:00:00Z".parse().unwrap());
    Retention::default().apply(&console.store, clock).await.unwrap();
    assert_eq!(console.count("select count(*) from audit").await, 10_000);
    assert_eq!(console.count("select count(*) from audit where id like '%000050'").await, 0);
    assert_eq!(console.count("select count(*) from audit where id like '%000051'").await, 1);
}
