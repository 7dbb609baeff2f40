//! Invisible characters on pages.

use super::{browse, cookie, submit};
use crate::harness::{Console, attack, hit, token_of, uuid, with};
use axum::{
    body::Body,
    http::{Request, header},
};
use console_api::actor::Role;
use serde_json::json;

const HIDDEN: &str = "a\u{202e}b\u{200b}c";
const CHIPS: &str = "a<span class=\"chip\" data-code=\"U+202E\">\u{202e}</span>b\
                     <span class=\"chip\" data-code=\"U+200B\">\u{200b}</span>c";

#[tokio::test]
async fn visitors_cannot_hide_text_by_invisible_characters() {
    let console = Console::start().await;
    let hits = json!([hit(1, "sqli", &json!([["get", HIDDEN]]), HIDDEN)]);
    let record = with(
        attack(1, 0),
        &[
            ("/attack/hits", hits),
            ("/attack/request/host", json!(HIDDEN)),
            ("/attack/request/path", json!(format!("/{HIDDEN}"))),
            ("/attack/request/headers", json!([["x-name", HIDDEN]])),
        ],
    );
    console.ingest(&[record]).await;
    let cookie = cookie(&console).await;
    let id = console.only_attack().await;
    for path in [
        "/attacks".to_owned(),
        "/attacks/charts".to_owned(),
        "/attacks?group_by=host,path".to_owned(),
        format!("/attacks/{id}"),
        format!("/hits/{}", uuid(1)),
    ] {
        let page = browse(&console.router, &path, &cookie).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(page.text.contains(CHIPS), "{path}: {}", page.text);
        let shown = page.text.replace(CHIPS, "");
        let texts = shown.split('<').filter_map(|part| part.split_once('>')).map(|(_, text)| text);
        assert!(!texts.collect::<String>().contains(['\u{202e}', '\u{200b}']), "{path}: {}", page.text);
    }
}

#[tokio::test]
async fn names_show_their_invisible_characters() {
    let console = Console::start().await;
    let token = [("name", HIDDEN), ("role", "read_only"), ("for", "0")];
    assert_eq!(submit(&console, Role::Admin, "/tokens", &token).await.status, 303);
    let rule = [
        ("host", ""),
        ("path", ""),
        ("method", ""),
        ("effect", r#"{"kind": "mode", "mode": "block"}"#),
        ("comment", HIDDEN),
    ];
    assert_eq!(submit(&console, Role::Admin, "/rules", &rule).await.status, 303);
    for path in ["/tokens", "/rules"] {
        let request =
            Request::get(path).header(header::AUTHORIZATION, format!("Bearer {}", token_of(Role::Admin)));
        let page = crate::harness::send(&console.router, request.body(Body::empty()).unwrap()).await;
        assert!(page.text.contains(CHIPS), "{path}: {}", page.text);
    }
}
