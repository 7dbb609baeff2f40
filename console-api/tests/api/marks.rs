//! Marks of attacks: set, cleared and merged; hidden false positives.

use crate::{
    harness::{Answer, Console, attack, send, uuid, with},
    rules::call,
};
use console_api::actor::Role;
use insta::assert_json_snapshot;
use serde_json::{Value, json};

async fn mark(console: &Console, id: &str, tag: &str, body: &Value) -> Answer {
    let path = format!("/api/v1/attacks/{id}/mark");
    send(&console.router, call(Role::Analyst, "POST", &path, Some(tag), body)).await
}

/// Marks the current revision of an attack.
async fn mark_current(console: &Console, id: &str, value: &str) {
    let tag = console.get(&format!("/api/v1/attacks/{id}")).await.header("etag").to_owned();
    let answer = mark(console, id, &tag, &json!({"mark": value, "note": value})).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

fn elsewhere(n: u32) -> Value {
    with(attack(n, n), &[("/attack/request/host", json!("api.example.com"))])
}

async fn ids(console: &Console, query: &str) -> Vec<String> {
    let list = console.get(&format!("/api/v1/attacks?{query}")).await;
    assert_eq!(list.status, 200, "{}", list.text);
    let items = list.json()["items"].as_array().unwrap().clone();
    items.iter().map(|attack| attack["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn hides_false_positives_by_default() {
    let console = Console::start().await;
    console.ingest(&[attack(1, 0)]).await;
    let id = console.only_attack().await;
    console.ingest(&[elsewhere(2)]).await;
    let answer =
        mark(&console, &id, "\"0\"", &json!({"mark": "false_positive", "note": "our own scanner"})).await;
    assert_eq!((answer.status.as_u16(), answer.header("etag")), (200, "\"1\""), "{}", answer.text);
    assert_json_snapshot!(answer.json()["mark"]);
    assert!(!ids(&console, "").await.contains(&id));
    for (query, expected) in [
        ("mark=any", 2),
        ("mark=false_positive", 1),
        ("q=mark:false_positive,none", 2),
        ("q=-mark:false_positive", 1),
        ("q=mark:none", 1),
        ("mark=true_positive", 0),
        ("q=host:shop.example.com", 0),
        ("q=host:shop.example.com+mark:any", 1),
        ("request_id=00000000000000000000000000000001", 1),
    ] {
        assert_eq!(ids(&console, query).await.len(), expected, "{query}");
    }
    for path in ["stats", "export.ndjson"] {
        let (hidden, all) = (format!("/api/v1/attacks/{path}"), format!("/api/v1/attacks/{path}?mark=any"));
        assert_ne!(console.get(&hidden).await.text, console.get(&all).await.text, "{path}");
    }
    let detail = console.get(&format!("/api/v1/attacks/{id}")).await;
    assert_eq!(
        (detail.status.as_u16(), &detail.json()["hits"]),
        (200, &json!(1)),
        "a hidden attack is stored"
    );
    let answer = mark(&console, &id, "\"1\"", &json!({"mark": null})).await;
    assert_eq!((answer.json()["mark"].clone(), answer.header("etag")), (Value::Null, "\"2\""));
    assert!(ids(&console, "").await.contains(&id));
}

#[tokio::test]
async fn later_hits_share_the_mark() {
    let console = Console::start().await;
    console.ingest(&[attack(1, 0)]).await;
    let id = console.only_attack().await;
    mark_current(&console, &id, "false_positive").await;
    console.ingest(&[attack(2, 5)]).await;
    assert!(ids(&console, "").await.is_empty());
    let detail = console.get(&format!("/api/v1/attacks/{id}")).await.json();
    assert_eq!((&detail["hits"], &detail["mark"]["value"]), (&json!(2), &json!("false_positive")));
}

/// Two attacks with optional marks, merged by a late hit.
async fn after_merging(first: Option<&str>, second: Option<&str>) -> (Console, Value, Vec<String>) {
    let console = Console::start().await;
    console.ingest(&[attack(1, 0)]).await;
    console.ingest(&[attack(2, 90)]).await;
    let mut both = ids(&console, "sort=first_seen").await;
    assert_eq!(both.len(), 2);
    for (id, value) in both.iter().zip([first, second]) {
        if let Some(value) = value {
            mark_current(&console, id, value).await;
        }
    }
    console.ingest(&[attack(3, 45)]).await;
    let merged = console.get(&format!("/api/v1/attacks/{}", both[1])).await.json();
    assert_eq!(merged["hits"], 3);
    both.sort();
    (console, merged, both)
}

#[tokio::test]
async fn merged_attacks_keep_the_more_severe_mark() {
    let (fp, tp) = (Some("false_positive"), Some("true_positive"));
    for (first, second, stays) in [
        (None, None, None),
        (fp, None, fp),
        (None, fp, fp),
        (tp, None, tp),
        (fp, tp, tp),
        (tp, fp, tp),
        (fp, fp, fp),
    ] {
        let (_, merged, _) = after_merging(first, second).await;
        assert_eq!(merged["mark"]["value"], json!(stays), "{first:?} and {second:?}");
        assert_eq!(merged["mark"]["note"], json!(stays), "{first:?} and {second:?}");
    }
}

#[tokio::test]
async fn a_merge_invalidates_earlier_mark_revisions() {
    let (console, merged, both) = after_merging(Some("false_positive"), Some("true_positive")).await;
    let body = json!({"mark": "false_positive"});
    for id in &both {
        assert_eq!(mark(&console, id, "\"1\"", &body).await.status, 412);
    }
    let tag = format!("\"{}\"", merged["revision"]);
    let by_the_old_id = mark(&console, &both[1], &tag, &body).await;
    assert_eq!((by_the_old_id.status.as_u16(), &by_the_old_id.json()["id"]), (200, &merged["id"]));
}

#[tokio::test]
async fn rejects_an_invalid_mark() {
    let console = Console::start().await;
    console.ingest(&[attack(1, 0)]).await;
    let id = console.only_attack().await;
    for (body, named) in [
        (json!({}), "mark"),
        (json!({"mark": "positive"}), "positive"),
        (json!({"mark": null, "note": "n".repeat(2001)}), "note"),
    ] {
        let answer = mark(&console, &id, "\"0\"", &body).await;
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.json()["detail"].as_str().unwrap().contains(&format!("`{named}`")), "{}", answer.text);
    }
    assert_eq!(mark(&console, &uuid(7), "\"0\"", &json!({"mark": null})).await.status, 404);
    assert_eq!(console.get("/api/v1/attacks?mark=maybe").await.status, 400);
}
