use crate::harness::{Answer, Console, attack, hit, not_inspected, send, token_of, uuid, with};
use axum::{
    Router,
    body::Body,
    http::{Request, header},
};
use console_api::actor::Role;
use serde_json::json;

async fn browse(router: &Router, path: &str, cookie: &str) -> Answer {
    send(router, Request::get(path).header(header::COOKIE, cookie).body(Body::empty()).unwrap()).await
}

async fn sign_in(console: &Console, token: &str) -> Answer {
    let request = Request::post("/sign-in").header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let request = request.header("sec-fetch-site", "same-origin");
    send(&console.router, request.body(Body::from(format!("token={token}"))).unwrap()).await
}

/// The cookie of somebody signed in.
async fn cookie(console: &Console) -> String {
    let answer = sign_in(console, &token_of(Role::Analyst)).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/attacks"));
    answer.header("set-cookie").split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_stranger_is_sent_to_sign_in() {
    let console = Console::start().await;
    for path in ["/attacks", "/attacks?type=sqli", "/attacks/x", "/hits/x", "/not-inspected", "/elsewhere"] {
        let answer = browse(&console.router, path, "wallarm_session=made-up").await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/sign-in"), "{path}");
    }
}

#[tokio::test]
async fn a_session_lasts_half_a_day_or_until_signed_out() {
    let console = Console::start().await;
    let set = sign_in(&console, &token_of(Role::Analyst)).await;
    assert!(set.header("set-cookie").ends_with("Path=/; Max-Age=43200; HttpOnly; SameSite=Strict"));
    let cookie = cookie(&console).await;
    assert_eq!(browse(&console.router, "/attacks", &cookie).await.status, 200);
    assert_eq!(browse(&console.at("2026-01-01T23:59:59Z"), "/attacks", &cookie).await.status, 200);
    assert_eq!(browse(&console.at("2026-01-02T00:00:00Z"), "/attacks", &cookie).await.status, 303);
    let sign_out = |site| {
        let request =
            Request::post("/sign-out").header(header::COOKIE, &cookie).header("sec-fetch-site", site);
        send(&console.router, request.body(Body::empty()).unwrap())
    };
    assert_eq!(sign_out("cross-site").await.status, 303);
    assert_eq!(browse(&console.router, "/attacks", &cookie).await.status, 200);
    assert_eq!(sign_out("same-origin").await.status, 303);
    assert_eq!(browse(&console.router, "/attacks", &cookie).await.status, 303);
}

#[tokio::test]
async fn tokens_that_may_not_read_sign_nobody_in() {
    let console = Console::start().await;
    for token in ["", "wlc_nobody_knows_this_token", &token_of(Role::Node)] {
        let answer = sign_in(&console, token).await;
        assert_eq!((answer.status.as_u16(), answer.header("set-cookie")), (403, ""), "{token}");
    }
}

#[tokio::test]
async fn the_list_leads_to_the_attack_and_its_hit() {
    let console = Console::start().await;
    console.ingest(&[attack(1, 0), not_inspected(50, 9, "node_timeout")]).await;
    let cookie = cookie(&console).await;
    let list = browse(&console.router, "/attacks", &cookie).await;
    let id = console.only_attack().await;
    assert!(
        list.text.contains(&format!(r#"<a href="/attacks/{id}">Path traversal from 1 source in uri</a>"#))
    );
    assert!(list.text.contains(r#"<a href="/not-inspected">At least 1 request was not inspected.</a>"#));
    let detail = browse(&console.router, &format!("/attacks/{id}"), &cookie).await;
    assert!(detail.text.contains(&format!(r#"<a href="/hits/{}">"#, uuid(1))));
    let hit = browse(&console.router, &format!("/hits/{}", uuid(1)), &cookie).await;
    assert!(hit.text.contains("GET /shop/etc/passwd?q=1 HTTP/1.1\nuser-agent: curl/8.0\n"), "{}", hit.text);
    assert!(browse(&console.router, "/not-inspected", &cookie).await.text.contains("node_timeout"));
}

#[tokio::test]
async fn what_attackers_write_is_only_text() {
    const SCRIPT: &str = "<script>alert('1')</script>";
    let console = Console::start().await;
    let mut record = with(
        attack(1, 0),
        &[
            ("/attack/hits", json!([hit(1, "xss", &json!([["get", SCRIPT]]), SCRIPT)])),
            ("/attack/hits/0/findings/0/signature", json!(SCRIPT)),
            ("/attack/request/host", json!(SCRIPT)),
            ("/attack/request/path", json!(SCRIPT)),
            ("/attack/request/query", json!(SCRIPT)),
            ("/attack/request/method", json!(SCRIPT)),
            ("/attack/request/headers", json!([[SCRIPT, SCRIPT]])),
            ("/attack/request/connector/edge_request_id", json!(SCRIPT)),
            ("/attack/decision/reason", json!(SCRIPT)),
            ("/attack/decision/mode_source", json!(SCRIPT)),
        ],
    );
    record["attack"]["request"]["body"] = json!("PHNjcmlwdD4=");
    console.ingest(&[record]).await;
    let id = console.only_attack().await;
    let search = "/attacks?host=%22%3E%3Cscript%3E".to_owned();
    for path in ["/attacks".to_owned(), format!("/attacks/{id}"), format!("/hits/{}", uuid(1)), search] {
        let page = console.get(&path).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(!page.text.contains("<script"), "{path}: {}", page.text);
        assert!(page.text.contains("script"), "{path}");
    }
}

#[tokio::test]
async fn pages_are_guarded_by_their_headers() {
    let console = Console::start().await;
    for path in ["/attacks", "/sign-in", "/hits/x", "/nowhere"] {
        let page = console.get(path).await;
        assert!(page.header("content-security-policy").starts_with("default-src 'none'; style-src 'self'"));
        assert_eq!(page.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(page.header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(page.header("cache-control"), "no-store", "{path}");
        assert!(!page.text.contains(" style="), "{path}");
    }
    assert_eq!(console.get("/static/style.css").await.header("content-type"), "text/css; charset=utf-8");
}

#[tokio::test]
async fn an_empty_console_says_how_to_try_it() {
    let console = Console::start().await;
    assert!(console.get("/attacks").await.text.contains("/etc/passwd"));
    assert!(console.get("/attacks?host=x").await.text.contains("No attack matches."));
}

#[tokio::test]
async fn the_next_page_keeps_the_filter() {
    let console = Console::start().await;
    console.ingest(&[attack(1, 0), attack(2, 200)]).await;
    let page = console.get("/attacks?host=shop.example.com&limit=1").await.text;
    let link = page.split("rel=\"next\" href=\"").nth(1).unwrap().split('"').next().unwrap();
    let link = link.replace("&#38;", "&").replace("&amp;", "&");
    assert!(link.starts_with("/attacks?host=shop.example.com&limit=1&cursor="), "{link}");
    assert!(!console.get(&link).await.text.contains("rel=\"next\""));
}

#[tokio::test]
async fn a_mistake_is_shown_as_a_page() {
    let console = Console::start().await;
    let page = console.get("/attacks?colour=red").await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (400, "text/html; charset=utf-8"));
    assert!(page.text.contains("colour"));
    assert_eq!(console.get(&format!("/hits/{}", uuid(1))).await.status, 404);
}

#[tokio::test]
async fn the_front_door_leads_to_the_attacks() {
    let console = Console::start().await;
    let answer = console.get("/").await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/attacks"));
}
