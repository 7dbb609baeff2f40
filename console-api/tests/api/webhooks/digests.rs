//! Digests and rate limits of webhooks.

use super::{Call, Receiver, add, at, deliveries, first_delivery, round};
use crate::{
    harness::{Console, attack, now, send, with},
    rules::{admin, call},
};
use console_api::{
    actor::Role,
    store::{About, Claim, Collected, NewDelivery},
};
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A record of an attack of its own.
fn on_host(n: u32) -> Value {
    with(attack(n, 0), &[("/attack/request/host", json!(format!("{n}.example.com")))])
}

fn kinds(calls: &[Call]) -> Vec<String> {
    calls.iter().map(|call| call.json()["type"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_attacks_of_a_minute_are_one_message() {
    let console = Console::start().await;
    let (receiver, url) = Receiver::start(&[]).await;
    let (id, secret) = add(&console, &json!({"name": "Ops", "url": url, "digest": "minute"})).await;
    console.ingest(&[on_host(1), on_host(2), on_host(3)]).await;
    round(&console, 0).await;
    round(&console, 59).await;
    assert_eq!(receiver.calls().len(), 0, "the minute has not ended");
    round(&console, 60).await;
    round(&console, 61).await;
    // A notified attack grows.
    console.ingest(&[with(attack(9, 1), &[("/attack/request/host", json!("1.example.com"))])]).await;
    round(&console, 62).await;
    round(&console, 200).await;
    let calls = receiver.calls();
    assert_eq!(kinds(&calls), ["attacks.digest"]);
    calls[0].is_signed_with(&secret);
    let data = &calls[0].json()["data"];
    let counts = ["attacks", "hits", "blocked"].map(|name| data[name].as_u64().unwrap());
    assert_eq!(counts, [3, 3, 3], "{data}");
    assert_eq!(
        (&data["from"], &data["to"]),
        (&json!("2026-01-01T12:00:00Z"), &json!("2026-01-01T12:01:00Z"))
    );
    assert_eq!(data["types"][0]["type"], "ptrav", "{data}");
    assert_eq!(data["sources"], json!([{"ip": "203.0.113.7", "hits": 3}]), "{data}");
    assert_eq!((data["hosts"].as_array().unwrap().len(), data["largest"].as_array().unwrap().len()), (3, 3));
    assert_eq!(deliveries(&console, &id, "").await[0]["event"], "attacks.digest");
}

#[tokio::test]
async fn an_hourly_digest_is_sent_once_after_the_hour_also_across_restarts() {
    let console = Console::start().await;
    let (receiver, url) = Receiver::start(&[]).await;
    add(&console, &json!({"name": "Ops", "url": url, "digest": "hour"})).await;
    console.ingest(&[on_host(1)]).await;
    round(&console, 0).await;
    let console = console.restart().await;
    console.ingest(&[on_host(2)]).await;
    round(&console, 3599).await;
    assert_eq!(receiver.calls().len(), 0, "the hour has not ended");
    let console = console.restart().await;
    let (one, other) = (at(&console, 3600), at(&console, 3600));
    let (one, other) = tokio::join!(one.round(), other.round());
    one.and(other).unwrap();
    round(&console, 3601).await;
    round(&console, 7200).await;
    let calls = receiver.calls();
    assert_eq!(kinds(&calls), ["attacks.digest"], "two dispatchers send one digest");
    assert_eq!(calls[0].json()["data"]["attacks"], 2);
}

#[tokio::test]
async fn attacks_that_merged_since_are_one_in_a_digest() {
    let console = Console::start().await;
    let (receiver, url) = Receiver::start(&[]).await;
    add(&console, &json!({"name": "Ops", "url": url, "digest": "minute"})).await;
    console.ingest(&[attack(1, 0), attack(2, 100)]).await;
    round(&console, 0).await;
    console.ingest(&[attack(3, 50)]).await;
    console.only_attack().await;
    round(&console, 60).await;
    let data = &receiver.calls()[0].json()["data"];
    assert_eq!((&data["attacks"], &data["hits"]), (&json!(1), &json!(3)), "{data}");
}

#[tokio::test]
async fn attacks_beyond_the_rate_limit_are_sent_together() {
    let console = Console::start().await;
    let (receiver, url) = Receiver::start(&[]).await;
    add(&console, &json!({"name": "Ops", "url": url, "rate_limit": 2})).await;
    console.ingest(&(1..=5).map(on_host).collect::<Vec<_>>()).await;
    for seconds in [0, 1, 59] {
        round(&console, seconds).await;
    }
    assert_eq!(kinds(&receiver.calls()), ["attack.matched"; 2]);
    console.ingest(&[on_host(6)]).await;
    round(&console, 60).await;
    round(&console, 61).await;
    let calls = receiver.calls();
    assert_eq!(kinds(&calls[2..]), ["attacks.digest", "attack.matched"]);
    let digest = calls[2].json();
    let listed = digest["data"]["largest"].as_array().unwrap().iter();
    let mut hosts: BTreeSet<String> = listed.map(host).collect();
    assert_eq!((hosts.len(), &digest["data"]["attacks"]), (3, &json!(3)), "{digest}");
    hosts.extend([&calls[0], &calls[1], &calls[3]].map(|call| host(&call.json()["data"])));
    assert_eq!(hosts.len(), 6, "each attack is sent once");
}

fn host(attack: &Value) -> String {
    attack["host"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn messages_beyond_the_rate_limit_wait() {
    let console = Console::start().await;
    let (receiver, url) = Receiver::start(&[]).await;
    let webhook = json!({"name": "Ops", "url": url, "events": ["rules"], "rate_limit": 2});
    let (id, _) = add(&console, &webhook).await;
    let rule = json!({"effect": {"kind": "mode", "mode": "block"}});
    for _ in 0..5 {
        assert_eq!(admin(&console, "POST", "/api/v1/rules", &rule).await.status, 201);
    }
    for (seconds, sent) in [(0, 2), (30, 2), (60, 4), (61, 4), (120, 5)] {
        round(&console, seconds).await;
        assert_eq!(receiver.calls().len(), sent, "{seconds}");
    }
    assert!(deliveries(&console, &id, "?state=pending").await.is_empty());
}

#[tokio::test]
async fn a_digest_waits_while_the_receiver_is_down() {
    let console = Console::start().await;
    let (receiver, url) = Receiver::start(&[500, 500, 500]).await;
    let (id, _) = add(&console, &json!({"name": "Ops", "url": url, "rate_limit": 1})).await;
    console.ingest(&[on_host(1), on_host(2)]).await;
    round(&console, 0).await;
    console.ingest(&[on_host(3)]).await;
    round(&console, 70).await;
    round(&console, 130).await;
    assert_eq!(deliveries(&console, &id, "").await.len(), 1, "no digest is queued behind a failing delivery");
    round(&console, 10_000).await;
    round(&console, 10_060).await;
    round(&console, 10_120).await;
    let calls = receiver.calls();
    assert_eq!(kinds(&calls[calls.len() - 2..]), ["attack.matched", "attacks.digest"]);
    assert_eq!(calls.last().unwrap().json()["data"]["attacks"], 2);
}

#[tokio::test]
async fn rejects_a_rate_limit_out_of_range() {
    let console = Console::start().await;
    for limit in [0, 1001] {
        let webhook = json!({"name": "Ops", "url": "https://hooks.example.com/", "rate_limit": limit});
        let refused = admin(&console, "POST", "/api/v1/webhooks", &webhook).await;
        assert_eq!((refused.status.as_u16(), &refused.json()["parameter"]), (400, &json!("rate_limit")));
    }
}

#[tokio::test]
async fn old_attacks_of_digests_are_deleted_unless_they_wait_or_are_ongoing() {
    let console = Console::start().await;
    let (_, url) = Receiver::start(&[]).await;
    add(&console, &json!({"name": "Ops", "url": url, "digest": "minute"})).await;
    console.ingest(&[attack(1, 90)]).await;
    round(&console, -3600).await;
    let rows = "select count(*) from digest_attacks";
    let delete = async |before: &str| console.store.delete_deliveries(before.parse().unwrap()).await.unwrap();
    delete("2026-01-02T00:00:00Z").await;
    assert_eq!(console.count(rows).await, 1, "its digest is not made yet");
    round(&console, 0).await;
    delete("2026-01-01T11:15:00Z").await;
    assert_eq!(console.count(rows).await, 1, "it would be sent again");
    delete("2026-01-02T00:00:00Z").await;
    assert_eq!(console.count(rows).await, 0);
}

/// Two consoles read an attack at the same time: the first one has room for a message of its own, the
/// other one collects it, or the other way round.
#[tokio::test]
async fn consoles_that_match_an_attack_at_a_time_notify_of_it_once() {
    let console = Console::start().await;
    let (_, url) = Receiver::start(&[]).await;
    let (id, _) = add(&console, &json!({"name": "Ops", "url": url})).await;
    let webhook = id.parse().unwrap();
    console.ingest(&[on_host(1), on_host(2)]).await;
    let attacks = console.get("/api/v1/attacks").await.json();
    let [one, other] = [0, 1].map(|n| attacks["items"][n]["id"].as_str().unwrap().parse().unwrap());
    let single = |attack| NewDelivery { webhook, about: About::Attack(attack), body: "{}".to_owned() };
    let collected = |attack| Collected { webhook, attack };
    let (first, second) = (&console.store, console.database.open().await.unwrap());
    let [read, also_read] = [first.grown_attacks(10).await.unwrap(), second.grown_attacks(10).await.unwrap()];
    first.queue_deliveries((vec![single(one)], vec![collected(other)]), &read, now()).await.unwrap();
    // Each grew again before the other console stores what it made of it.
    console.ingest(&[with(attack(3, 1), &[("/attack/request/host", json!("1.example.com"))])]).await;
    second.queue_deliveries((vec![single(other)], vec![collected(one)]), &also_read, now()).await.unwrap();
    let singles = "select count(*) from webhook_deliveries";
    let waiting = "select count(*) from digest_attacks";
    assert_eq!((console.count(singles).await, console.count(waiting).await), (1, 1));
    second.close().await;
}

#[tokio::test]
async fn consoles_that_run_at_a_time_send_each_attack_once() {
    let console = Console::start().await;
    let (receiver, url) = Receiver::start(&[]).await;
    add(&console, &json!({"name": "Ops", "url": url, "rate_limit": 3})).await;
    console.ingest(&(1..=8).map(on_host).collect::<Vec<_>>()).await;
    let other = console.database.open().await.unwrap();
    for seconds in [0, 60, 120, 180] {
        let mut second = at(&console, seconds);
        second.store = other.clone();
        let first = at(&console, seconds);
        let (first, second) = tokio::join!(first.round(), second.round());
        first.and(second).unwrap();
    }
    let mut hosts: Vec<String> = Vec::new();
    for call in receiver.calls() {
        let data = &call.json()["data"];
        match data["largest"].as_array() {
            Some(attacks) => hosts.extend(attacks.iter().map(host)),
            None => hosts.push(host(data)),
        }
    }
    hosts.sort();
    let expected: Vec<String> = (1..=8).map(|n| format!("{n}.example.com")).collect();
    assert_eq!(hosts, expected);
    other.close().await;
}

#[tokio::test]
async fn a_claim_that_fails_takes_no_message_of_the_rate_limit() {
    let console = Console::start().await;
    let (receiver, url) = Receiver::start(&[]).await;
    let webhook = json!({"name": "Ops", "url": url, "events": ["rules"], "rate_limit": 2});
    let (id, _) = add(&console, &webhook).await;
    let rule = json!({"effect": {"kind": "mode", "mode": "block"}});
    assert_eq!(admin(&console, "POST", "/api/v1/rules", &rule).await.status, 201);
    round(&console, 0).await;
    let (webhook, sent) = first_delivery(&console, &id).await;
    for _ in 0..5 {
        assert_eq!(console.store.claim_delivery((&webhook, &sent), now()).await.unwrap(), Claim::NotDue);
    }
    assert_eq!(admin(&console, "POST", "/api/v1/rules", &rule).await.status, 201);
    round(&console, 1).await;
    assert_eq!(receiver.calls().len(), 2, "the second message of this minute");
    assert_eq!(admin(&console, "POST", "/api/v1/rules", &rule).await.status, 201);
    round(&console, 2).await;
    assert_eq!(receiver.calls().len(), 2, "a third one waits");
}

#[tokio::test]
async fn a_webhook_is_deleted_while_a_delivery_is_claimed() {
    let console = Console::start().await;
    let (_, url) = Receiver::start(&[500; 5]).await;
    for n in 1..=5 {
        let webhook = json!({"name": "Ops", "url": url, "rate_limit": 5});
        let (id, _) = add(&console, &webhook).await;
        console.ingest(&[on_host(n)]).await;
        round(&console, 0).await;
        let (webhook, waiting) = first_delivery(&console, &id).await;
        let later = now() + SignedDuration::from_secs(10);
        let claim = async || console.store.claim_delivery((&webhook, &waiting), later).await.unwrap();
        let path = format!("/api/v1/webhooks/{id}");
        let delete = call(Role::Admin, "DELETE", &path, Some("\"1\""), &Value::Null);
        let (claimed, deleted) = tokio::join!(claim(), send(&console.router, delete));
        assert!(matches!(claimed, Claim::Attempt(2) | Claim::NotDue), "{claimed:?}");
        assert_eq!(deleted.status, 204, "{}", deleted.text);
        assert_eq!(claim().await, Claim::NotDue, "the webhook is deleted");
    }
}
