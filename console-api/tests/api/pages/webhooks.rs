//! Pages of webhooks.

use super::{access::follow, submit};
use crate::harness::Console;
use console_api::actor::Role;

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
