//! Sessions: sign-in, expiry, and protection against cross-site calls.

use crate::{
    harness::{Answer, Console, send},
    rules::admin,
    users::add,
};
use axum::{
    Router,
    body::Body,
    http::{Request, header},
};
use console_api::{actor::Role, clock::Clock, retention::Retention};
use serde_json::json;

pub(crate) const PASSWORD: &str = "correct horse battery";

pub(crate) async fn sign_in(router: &Router, source: &str, user: &str, password: &str) -> Answer {
    let request = Request::post("/api/v1/sessions").header(header::CONTENT_TYPE, "application/json");
    let body = json!({"user": user, "password": password}).to_string();
    send(router, request.header("x-forwarded-for", source).body(Body::from(body)).unwrap()).await
}

pub(crate) fn cookie(answer: &Answer) -> String {
    answer.header("set-cookie").split(';').next().unwrap().to_owned()
}

/// A call with a cookie and further headers.
async fn call(router: &Router, method: &str, path: &str, cookie: &str, headers: &[(&str, &str)]) -> Answer {
    let request = Request::builder().method(method).uri(path).header(header::COOKIE, cookie);
    let request =
        request.header(header::CONTENT_TYPE, "application/json").header(header::HOST, "console.example.com");
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let body = json!({"list": "deny", "source": {"asn": 64500}}).to_string();
    send(router, request.body(Body::from(body)).unwrap()).await
}

#[tokio::test]
async fn a_password_opens_a_session_that_expires() {
    let console = Console::start().await;
    add(&console, "ann", "analyst", PASSWORD).await;
    let answer = sign_in(&console.router, "203.0.113.7", "ann", PASSWORD).await;
    assert_eq!(
        (answer.status.as_u16(), answer.json()["role"].as_str()),
        (201, Some("analyst")),
        "{}",
        answer.text
    );
    assert!(answer.header("set-cookie").ends_with("Path=/; Max-Age=43200; HttpOnly; SameSite=Strict"));
    assert!(!answer.text.contains("wlc_"), "{}", answer.text);
    let read = async |router: Router| {
        call(&router, "GET", "/api/v1/attacks", &cookie(&answer), &[]).await.status.as_u16()
    };
    assert_eq!(read(console.router.clone()).await, 200);
    assert_eq!(read(console.at("2026-01-01T23:59:59Z")).await, 200);
    assert_eq!(read(console.at("2026-01-02T00:00:00Z")).await, 401);
    let sessions = console.get_as(Role::Admin, "/api/v1/sessions").await.json();
    assert_eq!(sessions["items"][0]["name"], "ann");
}

#[tokio::test]
async fn rejects_cross_site_changes_by_session() {
    let console = Console::start().await;
    add(&console, "ann", "analyst", PASSWORD).await;
    let cookie = cookie(&sign_in(&console.router, "203.0.113.7", "ann", PASSWORD).await);
    let post = async |headers: &[(&str, &str)]| {
        call(&console.router, "POST", "/api/v1/ip-lists", &cookie, headers).await.status.as_u16()
    };
    assert_eq!(post(&[]).await, 403);
    assert_eq!(post(&[("sec-fetch-site", "cross-site")]).await, 403);
    assert_eq!(post(&[("sec-fetch-site", "same-site")]).await, 403);
    assert_eq!(post(&[("origin", "https://elsewhere.example.com")]).await, 403);
    assert_eq!(post(&[("origin", "null")]).await, 403);
    let own = ("origin", "https://console.example.com");
    assert_eq!(post(&[own]).await, 403, "another scheme");
    assert_eq!(post(&[own, ("x-forwarded-proto", "https")]).await, 201);
    assert_eq!(post(&[("sec-fetch-site", "same-origin")]).await, 201);
}

#[tokio::test]
async fn owner_and_admin_can_end_a_session() {
    let console = Console::start().await;
    let user = add(&console, "ann", "analyst", PASSWORD).await;
    let read = async |cookie: &str| {
        call(&console.router, "GET", "/api/v1/attacks", cookie, &[]).await.status.as_u16()
    };
    let close = async |cookie: &str, site| {
        let headers = [("sec-fetch-site", site)];
        call(&console.router, "DELETE", "/api/v1/sessions/current", cookie, &headers).await.status.as_u16()
    };
    let first = cookie(&sign_in(&console.router, "203.0.113.7", "ann", PASSWORD).await);
    assert_eq!((close(&first, "cross-site").await, read(&first).await), (403, 200));
    assert_eq!((close(&first, "same-origin").await, read(&first).await), (204, 401));

    let second = sign_in(&console.router, "203.0.113.7", "ann", PASSWORD).await;
    let path = format!("/api/v1/sessions/{}", second.json()["id"].as_str().unwrap());
    assert_eq!(admin(&console, "DELETE", &path, &json!(null)).await.status, 204);
    assert_eq!(read(&cookie(&second)).await, 401);

    let third = cookie(&sign_in(&console.router, "203.0.113.7", "ann", PASSWORD).await);
    user.replace(&console, &json!({"name": "ann", "role": "read_only", "password": "another horse battery"}))
        .await;
    assert_eq!(read(&third).await, 401);
}

#[tokio::test]
async fn audits_a_wrong_password_without_the_password() {
    let console = Console::start().await;
    add(&console, "ann", "analyst", PASSWORD).await;
    for (user, password) in
        [("ann", "wrong horse battery"), ("nobody", PASSWORD), ("ann\0", PASSWORD), ("", "")]
    {
        let answer = sign_in(&console.router, "203.0.113.7", user, password).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("set-cookie")),
            (401, ""),
            "{user}: {}",
            answer.text
        );
        assert_eq!(answer.json()["detail"], "wrong user name or password");
    }
    let log = console.get_as(Role::Admin, "/api/v1/audit?action=refuse").await;
    let names: Vec<_> =
        log.json()["items"].as_array().unwrap().iter().map(|line| line["object"].clone()).collect();
    assert_eq!(names, ["", "ann\0", "nobody", "ann"]);
    assert_eq!(log.json()["items"][0]["after"]["source"], "203.0.113.7");
    assert!(!log.text.contains("horse"), "{}", log.text);
}

#[tokio::test]
async fn throttles_sign_in_attempts_with_retry_after() {
    let console = Console::start().await;
    add(&console, "ann", "analyst", PASSWORD).await;
    for _ in 0..5 {
        assert_eq!(sign_in(&console.router, "203.0.113.7", "ann", "wrong horse battery").await.status, 401);
    }
    let refused = sign_in(&console.router, "203.0.113.7", "ann", PASSWORD).await;
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (429, "1"), "{}", refused.text);
    assert_eq!(refused.header("content-type"), "application/problem+json");
    assert_eq!(sign_in(&console.router, "198.51.100.1", "ann", PASSWORD).await.status, 201);
}

#[tokio::test]
async fn a_session_ends_with_the_token_it_came_from() {
    let console = Console::start().await;
    let wanted = json!({"name": "report", "role": "read_only", "expires_at": "2026-01-01T13:00:00Z"});
    let token = admin(&console, "POST", "/api/v1/tokens", &wanted).await.json();
    let form = format!("token={}", token["token"].as_str().unwrap());
    let request = Request::post("/sign-in")
        .header(header::HOST, "console.example.com")
        .header("sec-fetch-site", "same-origin")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let cookie = cookie(&send(&console.router, request.body(Body::from(form)).unwrap()).await);
    let read =
        async |router: &Router| call(router, "GET", "/api/v1/attacks", &cookie, &[]).await.status.as_u16();
    assert_eq!(read(&console.at("2026-01-01T12:59:59Z")).await, 200);
    assert_eq!(read(&console.at("2026-01-01T13:00:00Z")).await, 401);
}

#[tokio::test]
async fn a_known_network_is_not_delayed_by_others_after_a_restart() {
    let console = Console::start().await;
    add(&console, "ann", "analyst", PASSWORD).await;
    assert_eq!(sign_in(&console.router, "203.0.113.7", "ann", PASSWORD).await.status, 201);
    let console = console.restart().await;
    for n in 0..20 {
        let source = format!("2001:db8:0:{n:x}::1");
        assert_eq!(sign_in(&console.router, &source, "ann", "wrong horse battery").await.status, 401);
    }
    assert_eq!(sign_in(&console.router, "198.51.100.1", "ann", PASSWORD).await.status, 429);
    assert_eq!(sign_in(&console.router, "203.0.113.7", "ann", PASSWORD).await.status, 201);
}

#[tokio::test]
async fn known_networks_are_few_and_forgotten_after_thirty_days() {
    let console = Console::start().await;
    add(&console, "ann", "analyst", PASSWORD).await;
    let is_known = async |source: &str, at: &str| {
        console.store.is_known_network("ann", source.parse().unwrap(), at.parse().unwrap()).await.unwrap()
    };
    let (start, month) = ("2026-01-01T12:00:00Z", "2026-01-31T12:00:00Z");
    for n in 0..34 {
        let router = console.at(&format!("2026-01-01T12:00:{n:02}Z"));
        assert_eq!(sign_in(&router, &format!("203.0.113.{n}"), "ann", PASSWORD).await.status, 201);
    }
    assert!(!is_known("203.0.113.1", start).await && is_known("203.0.113.2", start).await);
    assert!(!is_known("203.0.113.0", month).await && is_known("203.0.113.33", month).await);
    Retention::default().apply(&console.store, Clock::At(month.parse().unwrap())).await.unwrap();
    let kept = console.count("select count(*) from known_networks").await;
    assert_eq!(kept, 32);
    Retention::default()
        .apply(&console.store, Clock::At("2026-02-01T12:00:00Z".parse().unwrap()))
        .await
        .unwrap();
    assert_eq!(console.count("select count(*) from known_networks").await, 0);
}
