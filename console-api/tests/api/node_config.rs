//! The ruleset for nodes, with long polling.

use crate::{
    harness::{Answer, Console, send, token_of},
    rules::{admin, call},
};
use axum::{
    body::Body,
    http::{Request, header},
};
use console_api::actor::Role;
use serde_json::json;
use shared::{
    Mode, NODE_CONFIG_PATH,
    ruleset::{Effect, Ruleset},
};
use std::time::{Duration, Instant};

async fn fetch(console: &Console, query: &str, known: Option<&str>) -> Answer {
    send(&console.router, fetch_request(query, known)).await
}

fn fetch_request(query: &str, known: Option<&str>) -> Request<Body> {
    let request = Request::get(format!("{NODE_CONFIG_PATH}{query}"))
        .header(header::AUTHORIZATION, format!("Bearer {}", token_of(Role::Node)));
    let request = known.into_iter().fold(request, |request, tag| request.header(header::IF_NONE_MATCH, tag));
    request.body(Body::empty()).unwrap()
}

fn ruleset(answer: &Answer) -> Ruleset {
    assert_eq!(answer.status, 200, "{}", answer.text);
    let ruleset: Ruleset = serde_json::from_str(&answer.text).unwrap();
    assert_eq!(answer.header("etag"), Ruleset::etag(ruleset.id));
    ruleset
}

#[tokio::test]
async fn a_ruleset_has_rules_in_order_and_unexpired_entries() {
    let console = Console::start().await;
    let first = ruleset(&fetch(&console, "", None).await);
    assert_eq!((first.version, first.rules.items.len()), (0, 0));
    for mode in ["block", "monitoring"] {
        admin(&console, "POST", "/api/v1/rules", &json!({"effect": {"kind": "mode", "mode": mode}})).await;
    }
    for expires_at in [json!(null), json!("2026-01-01T12:30:00Z")] {
        let entry = json!({"list": "deny", "source": {"network": "10.0.0.1"}, "expires_at": expires_at});
        assert_eq!(admin(&console, "POST", "/api/v1/ip-lists", &entry).await.status, 201);
    }
    let full = ruleset(&fetch(&console, "", None).await);
    let modes: Vec<_> = full.rules.items.iter().map(|rule| rule.effect.clone()).collect();
    assert_eq!(modes, [Mode::Block, Mode::Monitoring].map(|mode| Effect::Mode { mode }));
    assert_eq!((full.version, full.lists.items.len()), (4, 2));
    let later = send(&console.at("2026-01-01T12:30:00Z"), fetch_request("", None)).await;
    assert_eq!(ruleset(&later).lists.items.len(), 1);
}

#[tokio::test]
async fn waits_for_a_change_of_a_known_ruleset() {
    let console = Console::start().await;
    let known = fetch(&console, "", None).await.header("etag").to_owned();
    let same = fetch(&console, "", Some(&known)).await;
    assert_eq!((same.status.as_u16(), same.header("etag"), same.text.as_str()), (304, known.as_str(), ""));

    let start = Instant::now();
    assert_eq!(fetch(&console, "?wait=1", Some(&known)).await.status, 304);
    assert!(start.elapsed() >= Duration::from_secs(1), "waited only {:?}", start.elapsed());

    let entry = json!({"list": "deny", "source": {"network": "10.0.0.1"}});
    let change = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        admin(&console, "POST", "/api/v1/ip-lists", &entry).await
    };
    let start = Instant::now();
    let (answer, changed) = tokio::join!(fetch(&console, "?wait=60", Some(&known)), change);
    assert_eq!(changed.status, 201);
    assert_eq!(ruleset(&answer).lists.items.len(), 1);
    assert!(start.elapsed() < Duration::from_secs(20), "returned after {:?}", start.elapsed());
}

#[tokio::test]
async fn a_failed_change_creates_no_version() {
    let console = Console::start().await;
    let known = fetch(&console, "", None).await.header("etag").to_owned();
    let unknown = "/api/v1/ip-lists/00000000-0000-7000-8000-000000000001";
    let delete = call(Role::Admin, "DELETE", unknown, Some("\"1\""), &json!(null));
    assert_eq!(send(&console.router, delete).await.status, 404);
    assert_eq!(admin(&console, "POST", "/api/v1/rules", &json!({})).await.status, 400);
    assert_eq!(fetch(&console, "", Some(&known)).await.status, 304);
}

#[tokio::test]
async fn requires_a_node_token_and_limits_the_wait() {
    let console = Console::start().await;
    assert_eq!(console.get_as(Role::Admin, NODE_CONFIG_PATH).await.status, 403);
    for query in ["?wait=61", "?wait=-1", "?wait=x", "?weight=1"] {
        assert_eq!(fetch(&console, query, None).await.status, 400, "{query}");
    }
}
