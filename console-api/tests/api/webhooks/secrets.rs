//! Rotation of the secrets of webhooks.

use super::{Receiver, add, at, round};
use crate::{
    harness::{Answer, Console, attack, send, with},
    rules::{admin, call},
};
use console_api::actor::Role;
use jiff::SignedDuration;
use serde_json::{Value, json};

async fn rotate(console: &Console, id: &str, revision: u32, body: &Value) -> Answer {
    let tag = format!("\"{revision}\"");
    let path = format!("/api/v1/webhooks/{id}/secret");
    send(&console.router, call(Role::Admin, "POST", &path, Some(&tag), body)).await
}

fn on_host(n: u32) -> Value {
    with(attack(n, 0), &[("/attack/request/host", json!(format!("{n}.example.com")))])
}

#[tokio::test]
async fn a_rotated_secret_overlaps_with_the_previous_one() {
    let console = Console::start().await;
    let (receiver, url) = Receiver::start(&[]).await;
    let (id, first) = add(&console, &json!({"name": "Ops", "url": url})).await;
    let rotated = rotate(&console, &id, 1, &json!({})).await;
    assert_eq!((rotated.status.as_u16(), rotated.header("etag")), (200, "\"2\""), "{}", rotated.text);
    let rotated = rotated.json();
    assert_eq!(rotated["previous_secret_until"], "2026-01-02T12:00:00Z");
    let second = rotated["secret"].as_str().unwrap();
    assert_ne!(second, first);
    console.ingest(&[on_host(1)]).await;
    round(&console, 0).await;
    let console = console.restart().await;
    console.ingest(&[on_host(2)]).await;
    round(&console, 24 * 3600).await;
    let calls = receiver.calls();
    assert_eq!(calls.len(), 2);
    let expected = format!("{} {}", calls[0].signature_of(second), calls[0].signature_of(&first));
    assert_eq!(calls[0].header("webhook-signature"), expected);
    calls[1].is_signed_with(second);
}

#[tokio::test]
async fn a_rotation_without_overlap_ends_the_previous_secret() {
    let console = Console::start().await;
    let (receiver, url) = Receiver::start(&[]).await;
    let (id, _) = add(&console, &json!({"name": "Ops", "url": url})).await;
    let rotated = rotate(&console, &id, 1, &json!({"overlap_hours": 0})).await.json();
    console.ingest(&[on_host(1)]).await;
    round(&console, 0).await;
    receiver.calls()[0].is_signed_with(rotated["secret"].as_str().unwrap());
    assert_eq!(console.count("select count(*) from webhooks where previous_secret is not null").await, 0);
}

#[tokio::test]
async fn a_second_rotation_keeps_the_latest_previous_secret() {
    let console = Console::start().await;
    let (receiver, url) = Receiver::start(&[]).await;
    let (id, _) = add(&console, &json!({"name": "Ops", "url": url})).await;
    let secret = async |revision| {
        rotate(&console, &id, revision, &json!({"overlap_hours": 1})).await.json()["secret"].clone()
    };
    let (second, third) = (secret(1).await, secret(2).await);
    assert_eq!(rotate(&console, &id, 2, &json!({})).await.status, 412);
    console.ingest(&[on_host(1)]).await;
    round(&console, 0).await;
    let call = &receiver.calls()[0];
    let [second, third] = [second, third].map(|secret| call.signature_of(secret.as_str().unwrap()));
    assert_eq!(call.header("webhook-signature"), format!("{third} {second}"));
}

#[tokio::test]
async fn previous_secrets_are_encrypted_rotated_with_the_key_and_deleted_after_their_end() {
    let console = Console::start().await;
    let (receiver, url) = Receiver::start(&[]).await;
    let (id, first) = add(&console, &json!({"name": "Ops", "url": url})).await;
    let second = rotate(&console, &id, 1, &json!({"overlap_hours": 1})).await.json()["secret"].clone();
    let sealed = "select count(*) from webhooks where previous_secret like 'sealed:v1:%'";
    assert_eq!(console.count(sealed).await, 1);

    let keys = console.database.keys();
    let rotation = console.database.locked().await.rotate_key(&keys).await.unwrap();
    // Two secrets and the URL; three URLs in the audit log.
    assert_eq!((rotation.encrypted, rotation.unreadable), (6, 0));
    console.ingest(&[on_host(1)]).await;
    round(&console, 0).await;
    let call = &receiver.calls()[0];
    let expected = [second.as_str().unwrap(), &first].map(|secret| call.signature_of(secret)).join(" ");
    assert_eq!(call.header("webhook-signature"), expected);

    let now = at(&console, 0).clock.now();
    let delete = async |hours| {
        console.store.delete_previous_secrets(now + SignedDuration::from_hours(hours)).await.unwrap();
    };
    delete(0).await;
    assert_eq!(console.count(sealed).await, 1);
    delete(1).await;
    assert_eq!(console.count(sealed).await, 0);
}

#[tokio::test]
async fn a_rotation_is_in_the_audit_log_without_secrets_and_cannot_be_undone() {
    let console = Console::start().await;
    let (id, _) = add(&console, &json!({"name": "Ops", "url": "https://hooks.example.com/"})).await;
    assert_eq!(rotate(&console, &id, 1, &json!({})).await.status, 200);
    let audit = console.get_as(Role::Admin, "/api/v1/audit?limit=1").await;
    let line = &audit.json()["items"][0];
    assert_eq!(
        (&line["action"], &line["kind"], &line["object"]),
        (&json!("change"), &json!("webhook"), &json!(id))
    );
    assert!(!audit.text.contains("whsec") && !audit.text.contains("sealed:"), "{}", audit.text);
    let page = console.get_as(Role::Admin, "/audit?limit=1").await.text;
    assert!(
        page.contains("new secret; the previous one is valid until") && !page.contains("/undo"),
        "{page}"
    );
    let too_long = admin(&console, "POST", &format!("/api/v1/webhooks/{id}/secret"), &json!({})).await;
    assert_eq!(too_long.status, 428, "{}", too_long.text);
}
