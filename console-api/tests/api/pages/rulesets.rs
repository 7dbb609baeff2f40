//! Pages of ruleset versions and replays.

use super::submit;
use crate::harness::{Console, attack};
use console_api::actor::Role;
use serde_json::json;
use std::time::Duration;

async fn with_two_versions() -> Console {
    let console = Console::start().await;
    console.ingest(&[attack(1, 0)]).await;
    for path in ["/one", "/two"] {
        let rule = [
            ("host", ""),
            ("path", path),
            ("method", ""),
            ("effect", r#"{"kind": "mode", "mode": "off"}"#),
            ("comment", "<i>"),
        ];
        assert_eq!(submit(&console, Role::Analyst, "/rules", &rule).await.status, 303);
    }
    console
}

#[tokio::test]
async fn compares_versions_in_either_order() {
    let console = with_two_versions().await;
    let list = console.get("/rulesets").await.text;
    assert!(list.contains("Version 2 is active.") && list.contains("1 added"), "{list}");
    let forth = console.get("/rulesets/compare?from=1&to=2").await.text;
    assert!(forth.contains("<ins>+   &#34;comment&#34;: &#34;&#60;i&#62;&#34;"), "{forth}");
    assert!(forth.contains("/two") && !forth.contains("/one") && forth.contains("Rule added"), "{forth}");
    let back = console.get("/rulesets/compare?from=2&to=1").await.text;
    assert!(back.contains("<del>") && !back.contains("<ins>") && back.contains("Rule deleted"), "{back}");
    assert_eq!(console.get("/rulesets/compare?to=2").await.status, 400);
    assert_eq!(console.get("/rulesets/compare?from=1&to=9").await.status, 404);
}

#[tokio::test]
async fn previews_and_performs_a_rollback() {
    let console = with_two_versions().await;
    let page = console.get_as(Role::Analyst, "/rulesets/1").await.text;
    assert!(page.contains("Rule deleted") && page.contains("Roll back to version 1"), "{page}");
    assert!(!console.get("/rulesets/1").await.text.contains("Roll back to version 1"));
    let form = [("current", "2")];
    assert_eq!(submit(&console, Role::ReadOnly, "/rulesets/1/activate", &form).await.status, 403);
    let stale = submit(&console, Role::Analyst, "/rulesets/1/activate", &[("current", "1")]).await;
    assert_eq!(stale.status, 412, "{}", stale.text);
    assert_eq!(submit(&console, Role::Analyst, "/rulesets/1/activate", &form).await.status, 303);
    assert!(console.get("/rulesets").await.text.contains("rollback to version 1:"));
    let rules = console.get("/api/v1/rules").await.json();
    assert_eq!(rules["items"].as_array().unwrap().len(), 1);

    let log = console.get_as(Role::Admin, "/api/v1/audit?object=ruleset").await.json();
    let undo = format!("/audit/{}/undo", log["items"][0]["id"].as_str().unwrap());
    assert_eq!(submit(&console, Role::Analyst, &undo, &[]).await.status, 303);
    let rules = console.get("/api/v1/rules").await.json();
    assert_eq!(rules["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn starts_a_replay_and_follows_it_to_the_end() {
    let console = with_two_versions().await;
    let form = [
        ("ruleset", "1"),
        ("remove", ""),
        ("effect", r#"{"kind": "ignore", "findings": {"type": "ptrav"}}"#),
        ("host", "shop.example.com"),
        ("path", ""),
        ("query", "type:ptrav"),
        ("from", "-30d"),
    ];
    assert_eq!(submit(&console, Role::ReadOnly, "/replays", &form).await.status, 403);
    let started = submit(&console, Role::Analyst, "/replays", &form).await;
    assert_eq!(started.status, 303, "{}", started.text);
    let page = loop {
        let page = console.get(started.header("location")).await.text;
        if !page.contains("data-follow") {
            break page;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert!(page.contains("version 1, plus 1 rule") && page.contains("Lost: 1"), "{page}");
    assert!(page.contains("ptrav blocked") && page.contains(">passes<"), "{page}");
    let draft = console.get("/api/v1/replays").await.json()["items"][0]["draft"].clone();
    assert_eq!(draft["recorded"], json!({"query": "type:ptrav", "from": "-30d", "to": null}));
    let id = console.get("/api/v1/rules").await.json()["items"][0]["id"].as_str().unwrap().to_owned();
    let form = console.get_as(Role::Analyst, &format!("/replays?remove={id}&ruleset=1")).await.text;
    assert!(form.contains(&format!("<option value=\"{id}\" selected>Use mode")), "{form}");
}
