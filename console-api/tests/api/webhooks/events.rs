//! Events about the ruleset, and links and countries in messages.

use super::{Call, Receiver, add, at, round};
use crate::{
    harness::{Console, attack, now, send, with},
    rules::{admin, call},
};
use console_api::{
    actor::Role,
    notification::PublicUrl,
    store::{About, NewDelivery},
    webhook::Webhook,
};
use serde_json::{Value, json};

#[tokio::test]
async fn notifies_of_each_version_of_the_ruleset_once() {
    let console = Console::start().await;
    let entry = json!({"list": "deny", "source": {"network": "10.0.0.0/8"}});
    assert_eq!(admin(&console, "POST", "/api/v1/ip-lists", &entry).await.status, 201);
    round(&console, 0).await;
    let (receiver, url) = Receiver::start(&[]).await;
    add(&console, &json!({"name": "Ops", "url": url, "events": ["rules"]})).await;
    let rule = json!({"effect": {"kind": "virtual_patch", "points": [[["get", "id"]]]}});
    let created = admin(&console, "POST", "/api/v1/rules", &rule).await.json();
    let path = format!("/api/v1/rules/{}", created["id"].as_str().unwrap());
    assert_eq!(
        send(&console.router, call(Role::Admin, "DELETE", &path, Some("\"1\""), &Value::Null)).await.status,
        204
    );
    let rollback = call(Role::Analyst, "POST", "/api/v1/rulesets/0/activate", Some("\"3\""), &Value::Null);
    let rolled_back = send(&console.router, rollback).await;
    assert_eq!(rolled_back.status, 201, "{}", rolled_back.text);
    round(&console, 1).await;
    let console = console.restart().await;
    round(&console, 2).await;
    let events: Vec<Value> = receiver.calls().iter().map(Call::json).collect();
    assert!(events.iter().all(|event| event["type"] == "rules.changed"), "{events:?}");
    let field = |name: &str| events.iter().map(|event| event["data"][name].clone()).collect::<Vec<_>>();
    assert_eq!(field("version"), [2, 3, 4]);
    assert_eq!(field("kinds"), [json!(["virtual_patch"]), json!(["virtual_patch"]), json!(["deny"])]);
    assert_eq!(
        (field("created"), field("deleted")),
        (vec![json!(1), json!(0), json!(0)], vec![json!(0), json!(1), json!(1)])
    );
    assert_eq!(
        (field("actor"), field("activated")),
        (vec![json!("test"); 3], vec![Value::Null, Value::Null, json!(0)])
    );
}

#[tokio::test]
async fn an_event_reaches_the_others_when_a_webhook_is_deleted_meanwhile() {
    let console = Console::start().await;
    let (_, url) = Receiver::start(&[]).await;
    let webhook = json!({"name": "Ops", "url": url, "events": ["rules"]});
    let (deleted, kept) = (add(&console, &webhook).await.0, add(&console, &webhook).await.0);
    let read = console.store.enabled_webhooks().await.unwrap();
    assert_eq!(read.len(), 2);
    let deletion =
        call(Role::Admin, "DELETE", &format!("/api/v1/webhooks/{deleted}"), Some("\"1\""), &Value::Null);
    assert_eq!(send(&console.router, deletion).await.status, 204);
    let entry = json!({"list": "deny", "source": {"network": "10.0.0.0/8"}});
    assert_eq!(admin(&console, "POST", "/api/v1/ip-lists", &entry).await.status, 201);
    let event = console.store.new_events(now()).await.unwrap().remove(0);
    let delivery = |webhook: &Webhook| NewDelivery {
        webhook: webhook.id,
        about: About::Event(event.kind()),
        body: "{}".to_owned(),
    };
    let deliveries: Vec<_> = read.iter().map(delivery).collect();
    console.store.queue_event(&event, &deliveries, now()).await.unwrap();
    assert_eq!(super::deliveries(&console, &kept, "").await.len(), 1);
    let test = console.store.begin_test(read[0].id, "{}", now()).await.unwrap();
    assert_eq!((read[0].id.to_string(), test), (deleted, None), "a test of it is not sent");
}

#[tokio::test]
async fn a_message_has_countries_and_a_link() {
    let console = Console::start().await;
    let (receiver, url) = Receiver::start(&[]).await;
    add(&console, &json!({"name": "Ops", "url": url})).await;
    let mut records = [attack(1, 0), attack(2, 1), attack(3, 2)];
    for (record, country) in records.iter_mut().zip(["DE", "US", "US"]) {
        record["attack"]["location"] = json!({"country": country, "asn": 64500});
    }
    console.ingest(&records).await;
    let mut dispatcher = at(&console, 0);
    dispatcher.public_url = PublicUrl(Some("https://waf.example.com".to_owned()));
    dispatcher.round().await.unwrap();
    let data = &receiver.calls()[0].json()["data"];
    assert_eq!(data["hits"], 3);
    assert_eq!(data["countries"], json!([{"country": "US", "hits": 2}, {"country": "DE", "hits": 1}]));
    let link = format!("https://waf.example.com/attacks/{}", data["id"].as_str().unwrap());
    assert_eq!(data["url"], link);
}

#[tokio::test]
async fn the_link_of_a_digest_finds_its_attacks() {
    let console = Console::start().await;
    let (receiver, url) = Receiver::start(&[]).await;
    add(&console, &json!({"name": "Ops", "url": url, "query": "type:ptrav", "digest": "minute"})).await;
    let other = [("/attack/request/host", json!("other.example.com"))];
    // Reported two hours late.
    console.ingest(&[attack(1, 0), with(attack(2, 0), &other)]).await;
    round(&console, 0).await;
    let mut dispatcher = at(&console, 60);
    dispatcher.public_url = PublicUrl(Some("https://waf.example.com".to_owned()));
    dispatcher.round().await.unwrap();
    let data = receiver.calls()[0].json()["data"].clone();
    let search = data["url"].as_str().unwrap().strip_prefix("https://waf.example.com").unwrap();
    let found = console.get(&format!("/api/v1{search}")).await.json();
    assert_eq!(found["items"].as_array().unwrap().len(), 2, "{search}");
    assert_eq!(console.get(search).await.status, 200);
}
