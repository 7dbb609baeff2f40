//! Pages of webhooks.

use super::{access::follow, submit};
use crate::harness::Console;
use console_api::actor::Role;
use serde_json::json;

#[tokio::test]
async fn webhooks_are_added_tested_retried_and_deleted() {
    let console = Console::start().await;
    // No server listens on this port.
    let form = [
        ("name", "<b>chat</b>"),
        ("url", "http://127.0.0.1:1/hook"),
        ("query", "type:sqli"),
        ("format", "slack"),
        ("attacks", "true"),
        ("enabled", "true"),
        ("revision", "1"),
    ];
    assert_eq!(submit(&console, Role::Analyst, "/webhooks", &form).await.status, 403);
    assert_eq!(console.get_as(Role::Analyst, "/webhooks").await.status, 403);
    let redirect = submit(&console, Role::Admin, "/webhooks", &form).await;
    let created = follow(&console, &redirect).await;
    assert!(created.text.contains("whsec_") && created.text.contains("&#60;b&#62;chat"), "{}", created.text);
    let list = console.get_as(Role::Admin, "/webhooks").await.text;
    assert!(list.contains("type:sqli") && list.contains("Slack") && !list.contains("whsec_"), "{list}");

    let id = console.get_as(Role::Admin, "/api/v1/webhooks").await.json()["items"][0]["id"].clone();
    let path = format!("/webhooks/{}", id.as_str().unwrap());
    let tested = submit(&console, Role::Admin, &format!("{path}/test"), &[]).await;
    assert!(tested.status == 200 && tested.text.contains("Test failed"), "{}", tested.text);
    let dead = console.get_as(Role::Admin, &format!("{path}?state=dead")).await.text;
    let delivery = dead.split("name=\"delivery\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let again = submit(&console, Role::Admin, &format!("{path}/again"), &[("delivery", delivery)]).await;
    assert_eq!((again.status.as_u16(), again.header("location")), (303, path.as_str()), "{}", again.text);
    assert!(console.get_as(Role::Admin, &format!("{path}?state=pending")).await.text.contains("\">pending<"));

    let off: Vec<_> = form.into_iter().filter(|(name, _)| *name != "enabled").collect();
    assert_eq!(submit(&console, Role::Admin, &path, &off).await.status, 303);
    assert!(console.get_as(Role::Admin, &path).await.text.contains(">disabled</b>"));
    let deleted = submit(&console, Role::Admin, &format!("{path}/delete"), &[("revision", "2")]).await;
    assert_eq!(deleted.status, 303, "{}", deleted.text);
    assert!(console.get_as(Role::Admin, "/webhooks").await.text.contains("No webhooks yet."));
}

#[tokio::test]
async fn a_webhook_gets_a_digest_a_rate_limit_and_a_new_secret() {
    let console = Console::start().await;
    let form = |limit: &'static str, revision: &'static str| {
        [
            ("name", "Ops"),
            ("url", "https://hooks.example.com/"),
            ("query", ""),
            ("format", "standard"),
            ("digest", "hour"),
            ("rate_limit", limit),
            ("rules", "true"),
            ("enabled", "true"),
            ("revision", revision),
        ]
    };
    let refused = submit(&console, Role::Admin, "/webhooks", &form("many", "1")).await;
    assert_eq!(refused.status, 400);
    assert!(
        refused.text.contains("must be a number") && refused.text.contains("value=\"many\""),
        "{}",
        refused.text
    );
    assert_eq!(submit(&console, Role::Admin, "/webhooks", &form("30", "1")).await.status, 303);
    let webhook = console.get_as(Role::Admin, "/api/v1/webhooks").await.json()["items"][0].clone();
    assert_eq!((&webhook["digest"], &webhook["rate_limit"]), (&json!("hour"), &json!(30)));
    assert_eq!(webhook["events"], json!(["rules"]));
    let path = format!("/webhooks/{}", webhook["id"].as_str().unwrap());
    let page = console.get_as(Role::Admin, &path).await.text;
    assert!(page.contains("Digest per hour, at most 30 messages per minute"), "{page}");
    assert!(page.contains("value=\"hour\" selected") && page.contains("value=\"30\""), "{page}");
    assert_eq!(submit(&console, Role::Admin, &path, &form("", "1")).await.status, 303);
    let webhook = console.get_as(Role::Admin, &format!("/api/v1{path}")).await.json();
    assert_eq!(webhook.get("rate_limit"), None);

    let rotation = [("revision", "2"), ("overlap_hours", "24")];
    let redirect = submit(&console, Role::Admin, &format!("{path}/secret"), &rotation).await;
    let rotated = follow(&console, &redirect).await.text;
    assert!(rotated.contains("whsec_") && rotated.contains("2026-01-02 12:00:00"), "{rotated}");
    let page = console.get_as(Role::Admin, &path).await.text;
    assert!(page.contains("signs until") && !page.contains("whsec_"), "{page}");
    assert_eq!(submit(&console, Role::Admin, &format!("{path}/secret"), &rotation).await.status, 412);
}
