//! The caller's own account: password and sessions.

use crate::{
    harness::{Answer, Console, send},
    sessions::{PASSWORD, cookie, sign_in},
    users::add,
};
use axum::{
    Router,
    body::Body,
    http::{Request, header},
};
use console_api::actor::Role;
use serde_json::{Value, json};
use std::time::Duration;

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const NEW: &str = "staple of the correct horse";

/// A call from a page of the console.
async fn call(router: &Router, method: &str, path: &str, cookie: &str, body: &Value) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::COOKIE, cookie)
        .header("sec-fetch-site", "same-origin")
        .header(header::CONTENT_TYPE, "application/json");
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    send(router, request.body(body).unwrap()).await
}

/// A form from a page of the console.
async fn submit(console: &Console, path: &str, cookie: &str, fields: &[(&str, &str)]) -> Answer {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let request = Request::post(path)
        .header(header::COOKIE, cookie)
        .header("sec-fetch-site", "same-origin")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    send(&console.router, request.body(Body::from(body)).unwrap()).await
}

async fn user(console: &Console) -> [String; 2] {
    add(console, "ann", "analyst", PASSWORD).await;
    let open = async || cookie(&sign_in(&console.router, "203.0.113.7", "ann", PASSWORD).await);
    [open().await, open().await]
}

#[tokio::test]
async fn users_change_their_own_password_with_the_present_one() {
    let console = Console::start().await;
    let [here, elsewhere] = user(&console).await;
    let change = |current: &str, password: &str| json!({"current": current, "password": password});
    let put =
        async |change: &Value| call(&console.router, "PUT", "/api/v1/account/password", &here, change).await;
    let wrong = put(&change("wrong horse battery", NEW)).await;
    assert_eq!(
        (wrong.status.as_u16(), &wrong.json()["parameter"]),
        (400, &json!("current")),
        "{}",
        wrong.text
    );
    assert_eq!(put(&change(PASSWORD, "short")).await.status, 400);
    assert_eq!(call(&console.router, "GET", "/api/v1/account", &elsewhere, &Value::Null).await.status, 200);
    assert_eq!(put(&change(PASSWORD, NEW)).await.status, 204);
    for (cookie, status) in [(&here, 200), (&elsewhere, 401)] {
        let account = call(&console.router, "GET", "/api/v1/account", cookie, &Value::Null).await;
        assert_eq!(account.status, status, "{}", account.text);
    }
    for (password, status) in [(PASSWORD, 401), (NEW, 201)] {
        assert_eq!(sign_in(&console.router, "203.0.113.7", "ann", password).await.status, status);
    }
    let log = console.get_as(Role::Admin, "/api/v1/audit?object=user&action=change").await;
    assert_eq!(log.json()["items"][0]["actor"], "ann", "{}", log.text);
    assert!(!log.text.contains(NEW) && !log.text.contains("argon2"), "{}", log.text);
    let by_token = console.get_as(Role::Admin, "/api/v1/account").await.json();
    assert_eq!((&by_token["is_user"], &by_token["sessions"]), (&json!(false), &json!([])));
}

#[tokio::test]
async fn guesses_of_the_present_password_are_limited() {
    let console = Console::start().await;
    let [here, _] = user(&console).await;
    let guess = json!({"current": "wrong horse battery", "password": NEW});
    let mut statuses = Vec::new();
    for _ in 0..20 {
        let answer = call(&console.router, "PUT", "/api/v1/account/password", &here, &guess).await;
        statuses.push(answer.status.as_u16());
    }
    assert_eq!((statuses[0], statuses[19]), (400, 429), "{statuses:?}");
}

#[tokio::test]
async fn the_page_changes_the_password_and_shows_errors_beside_fields() {
    let console = Console::start().await;
    let [here, _] = user(&console).await;
    let wrong =
        submit(&console, "/account/password", &here, &[("current", "wrong horse"), ("password", NEW)]).await;
    assert_eq!(wrong.status, 400, "{}", wrong.text);
    assert!(wrong.text.contains("id=\"error-current\"") && !wrong.text.contains(NEW), "{}", wrong.text);
    let short =
        submit(&console, "/account/password", &here, &[("current", PASSWORD), ("password", "short")]).await;
    assert!(short.text.contains("id=\"error-password\""), "{}", short.text);
    let changed =
        submit(&console, "/account/password", &here, &[("current", PASSWORD), ("password", NEW)]).await;
    assert_eq!(
        (changed.status.as_u16(), changed.header("location")),
        (303, "/settings?password_changed"),
        "{}",
        changed.text
    );
    let page = call(&console.router, "GET", "/settings?password_changed", &here, &Value::Null).await.text;
    assert!(page.contains("Password changed."), "{page}");
    let by_token = console.get("/settings").await.text;
    assert!(!by_token.contains("name=\"current\""), "a token has no password: {by_token}");
}

#[tokio::test]
async fn sessions_show_browser_address_and_activity() {
    let console = Console::start().await;
    add(&console, "ann", "analyst", PASSWORD).await;
    let body = json!({"user": "ann", "password": PASSWORD}).to_string();
    let request = Request::post("/api/v1/sessions")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, FIREFOX);
    let opened = send(&console.router, request.body(Body::from(body)).unwrap()).await;
    let own = cookie(&opened);
    let account =
        async |router: &Router| call(router, "GET", "/api/v1/account", &own, &Value::Null).await.json();
    let session = account(&console.router).await["sessions"][0].clone();
    assert_eq!(
        (&session["browser"], &session["ip"], &session["last_active_at"]),
        (&json!("Firefox on Linux"), &json!("127.0.0.1"), &json!("2026-01-01T12:00:00Z"))
    );
    let later = console.at("2026-01-01T12:30:00Z");
    account(&later).await;
    // Recorded beside the call.
    for _ in 0..100 {
        if account(&later).await["sessions"][0]["last_active_at"] == "2026-01-01T12:30:00Z" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let page = call(&later, "GET", "/settings", &own, &Value::Null).await.text;
    for shown in ["Firefox on Linux", "127.0.0.1", "2026-01-01 12:30:00", "this browser"] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    let all = console.get_as(Role::Admin, "/sessions").await.text;
    assert!(all.contains("Firefox on Linux") && all.contains("2026-01-01 12:30:00"), "{all}");
    let sign_ins = console.get_as(Role::Admin, "/audit?sign_ins=true").await.text;
    assert!(sign_ins.contains("analyst, 127.0.0.1, Firefox on Linux"), "{sign_ins}");
}

#[tokio::test]
async fn users_end_only_their_own_sessions() {
    let console = Console::start().await;
    let [here, elsewhere] = user(&console).await;
    add(&console, "bob", "analyst", PASSWORD).await;
    let bob = cookie(&sign_in(&console.router, "203.0.113.8", "bob", PASSWORD).await);
    let sessions = |cookie: String| {
        let router = console.router.clone();
        async move {
            let account = call(&router, "GET", "/api/v1/account", &cookie, &Value::Null).await;
            let account = if account.status == 200 { account.json() } else { json!({"sessions": []}) };
            let ids = account["sessions"].as_array().unwrap().iter();
            ids.map(|session| session["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        }
    };
    let (own, others) = (sessions(here.clone()).await, sessions(bob.clone()).await);
    assert_eq!((own.len(), others.len()), (2, 1));
    let foreign = format!("/api/v1/account/sessions/{}", others[0]);
    assert_eq!(call(&console.router, "DELETE", &foreign, &here, &Value::Null).await.status, 404);
    // The newest is that of the other browser.
    let ended = submit(&console, &format!("/account/sessions/{}/end", own[0]), &here, &[]).await;
    assert_eq!((ended.status.as_u16(), ended.header("location")), (303, "/settings"), "{}", ended.text);
    assert_eq!(sessions(elsewhere).await, Vec::<String>::new());
    assert_eq!((sessions(here).await.len(), sessions(bob).await.len()), (1, 1));
}
