//! Views: saved searches.

use crate::{
    harness::{Answer, Console, now, send, uuid},
    rules::call,
};
use axum::http::header;
use console_api::{actor::Role, store::TokenSource, token::Token};
use insta::assert_json_snapshot;
use serde_json::{Value, json};

/// Sends a call with a token of another name than those of the harness.
async fn as_jo(console: &Console, method: &str, path: &str, body: &Value) -> Answer {
    let token = Token::parse("wlc_the_token_of_jo_in_the_tests").unwrap();
    console.store.add_token(&token, Role::Analyst, "jo", TokenSource::Command, now()).await.unwrap();
    let mut request = call(Role::Analyst, method, path, Some("\"1\""), body);
    let bearer = format!("Bearer {}", token.reveal());
    request.headers_mut().insert(header::AUTHORIZATION, bearer.parse().unwrap());
    send(&console.router, request).await
}

async fn as_analyst(console: &Console, method: &str, path: &str, tag: &str, body: &Value) -> Answer {
    send(&console.router, call(Role::Analyst, method, path, Some(tag), body)).await
}

fn search() -> Value {
    json!({"name": "Injections", "query": "type:sqli,nosqli", "group_by": "type,host", "sort": "-hits", "from": "-24h"})
}

#[tokio::test]
async fn stores_changes_and_deletes_a_view() {
    let console = Console::start().await;
    let created = as_analyst(&console, "POST", "/api/v1/views", "", &search()).await;
    assert_eq!((created.status.as_u16(), created.header("etag")), (201, "\"1\""), "{}", created.text);
    let path = format!("/api/v1/views/{}", created.json()["id"].as_str().unwrap());
    let change = json!({"name": "All injections", "from": "", "shared": true});
    let changed = as_analyst(&console, "PATCH", &path, "\"1\"", &change).await;
    assert_eq!((changed.status.as_u16(), changed.header("etag")), (200, "\"2\""), "{}", changed.text);
    let mut view = console.get(&path).await.json();
    assert_eq!(view, changed.json());
    for id in ["id", "owner_id"] {
        assert!(view[id].is_string(), "{view}");
        view[id] = json!("[id]");
    }
    assert_json_snapshot!(view);
    assert_eq!(as_analyst(&console, "DELETE", &path, "\"2\"", &Value::Null).await.status, 204);
    assert_eq!(console.get(&path).await.status, 404);
}

#[tokio::test]
async fn private_views_are_hidden_and_shared_ones_are_edited_by_their_owner() {
    let console = Console::start().await;
    let mut paths = Vec::new();
    for shared in [false, true] {
        let mut view = search();
        view["shared"] = json!(shared);
        let created = as_jo(&console, "POST", "/api/v1/views", &view).await.json();
        assert_eq!(created["owner"], json!("jo"));
        paths.push(format!("/api/v1/views/{}", created["id"].as_str().unwrap()));
    }
    let count = |list: Answer| list.json()["items"].as_array().unwrap().len();
    assert_eq!(count(as_jo(&console, "GET", "/api/v1/views", &Value::Null).await), 2);
    assert_eq!(count(console.get("/api/v1/views").await), 1);
    assert_eq!(console.get(&paths[0]).await.status, 404);
    let rename = json!({"name": "Mine"});
    assert_eq!(as_analyst(&console, "PATCH", &paths[0], "\"1\"", &rename).await.status, 404);
    assert_eq!(as_analyst(&console, "PATCH", &paths[1], "\"1\"", &rename).await.status, 403);
    assert_eq!(as_analyst(&console, "DELETE", &paths[1], "\"1\"", &Value::Null).await.status, 403);
    let admin = call(Role::Admin, "DELETE", &paths[1], Some("\"1\""), &Value::Null);
    assert_eq!(send(&console.router, admin).await.status, 204);
    assert_eq!(as_jo(&console, "DELETE", &paths[0], &Value::Null).await.status, 204);
}

#[tokio::test]
async fn rejects_an_invalid_view() {
    let console = Console::start().await;
    for (change, named) in [
        (json!({"name": ""}), "name"),
        (json!({"name": "n".repeat(101)}), "name"),
        (json!({"query": "hosst:a"}), "query"),
        (json!({"group_by": "size"}), "group_by"),
        (json!({"sort": "size"}), "sort"),
        (json!({"from": "soon"}), "from"),
        (json!({"to": "late"}), "to"),
        (json!({"color": "red"}), "color"),
    ] {
        let mut view = search();
        view.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let answer = as_analyst(&console, "POST", "/api/v1/views", "", &view).await;
        assert_eq!(answer.status, 400, "{change}");
        assert!(answer.json()["detail"].as_str().unwrap().contains(&format!("`{named}`")), "{}", answer.text);
    }
    assert_eq!(console.get(&format!("/api/v1/views/{}", uuid(7))).await.status, 404);
}
