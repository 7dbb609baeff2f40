//! Ruleset versions: list, compare, roll back.

use crate::{
    harness::{Answer, Console, send},
    rules::{admin, call},
};
use console_api::actor::Role;
use insta::assert_json_snapshot;
use serde_json::{Value, json};

fn mode(mode: &str) -> Value {
    json!({"scope": {"path": "/api/**"}, "effect": {"kind": "mode", "mode": mode}})
}

fn deny(network: &str) -> Value {
    json!({"list": "deny", "source": {"network": network}})
}

async fn change(console: &Console, method: &str, path: &str, revision: u64, body: &Value) -> Value {
    let tag = format!("\"{revision}\"");
    let answer = send(&console.router, call(Role::Admin, method, path, Some(&tag), body)).await;
    assert!(answer.status.is_success(), "{method} {path}: {}", answer.text);
    if answer.text.is_empty() { Value::Null } else { answer.json() }
}

async fn added(console: &Console, path: &str, body: &Value) -> String {
    let created = admin(console, "POST", path, body).await.json();
    format!("{path}/{}", created["id"].as_str().unwrap())
}

async fn activate(console: &Console, version: u64, current: u64) -> Answer {
    let path = format!("/api/v1/rulesets/{version}/activate");
    send(&console.router, call(Role::Admin, "POST", &path, Some(&format!("\"{current}\"")), &Value::Null))
        .await
}

/// The rules and entries of a version, without revisions and update times.
async fn content(console: &Console, version: u64) -> Value {
    let answer = console.get(&format!("/api/v1/rulesets/{version}")).await;
    assert_eq!(answer.status, 200, "{version}: {}", answer.text);
    let mut content = answer.json();
    content["version"].take();
    for kind in ["rules", "lists"] {
        for object in content[kind].as_array_mut().unwrap() {
            object["revision"].take();
            object["updated_at"].take();
        }
    }
    content
}

#[tokio::test]
async fn versions_record_their_changes() {
    let console = Console::start().await;
    let rule = added(&console, "/api/v1/rules", &mode("monitoring")).await;
    change(&console, "PUT", &rule, 1, &mode("block")).await;
    added(&console, "/api/v1/ip-lists", &deny("10.0.0.0/8")).await;
    change(&console, "DELETE", &rule, 2, &Value::Null).await;
    let answer = activate(&console, 1, 4).await;
    assert_eq!((answer.status.as_u16(), answer.header("etag")), (201, "\"5\""), "{}", answer.text);
    let versions = console.get("/api/v1/rulesets").await;
    assert_eq!(versions.header("etag"), "\"5\"");
    assert_json_snapshot!(versions.json());
    let first = console.get("/api/v1/rulesets?limit=2").await.json();
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = console.get(&format!("/api/v1/rulesets?limit=3&cursor={cursor}")).await.json();
    assert_eq!((&rest["items"][0]["version"], &rest["next_cursor"]), (&json!(3), &Value::Null));
}

#[tokio::test]
async fn a_rollback_restores_rules_and_notifies_nodes() {
    let console = Console::start().await;
    let rule = added(&console, "/api/v1/rules", &mode("monitoring")).await;
    let entry = added(&console, "/api/v1/ip-lists", &deny("10.0.0.0/8")).await;
    change(&console, "PUT", &rule, 1, &mode("block")).await;
    change(&console, "DELETE", &rule, 2, &Value::Null).await;
    change(&console, "DELETE", &entry, 1, &Value::Null).await;
    added(&console, "/api/v1/rules", &mode("off")).await;
    assert_eq!(activate(&console, 2, 6).await.status, 201);
    let back = console.get(&rule).await;
    // Revisions are never reused: a client with the first revision must not overwrite this one.
    assert_eq!((back.header("etag"), &back.json()["effect"]["mode"]), ("\"3\"", &json!("monitoring")));
    assert_eq!(console.get(&entry).await.header("etag"), "\"2\"");
    assert_eq!(console.get("/api/v1/rules").await.json()["items"].as_array().unwrap().len(), 1);
    let ruleset = console.get_as(Role::Node, "/api/v1/node/config").await.json();
    assert_eq!((&ruleset["version"], ruleset["rules"].as_array().unwrap().len()), (&json!(7), 1));
    assert_eq!(ruleset["rules"][0]["effect"]["mode"], json!("monitoring"));
    assert_eq!(ruleset["lists"].as_array().unwrap().len(), 1);
    assert_eq!(activate(&console, 6, 7).await.status, 201, "a rollback can be rolled back");
    assert_eq!(content(&console, 8).await, content(&console, 6).await);
}

#[tokio::test]
async fn every_version_can_be_read_and_activated() {
    let console = Console::start().await;
    let mut known = vec![content(&console, 0).await];
    let mut rules: Vec<(String, u64)> = Vec::new();
    let mut entries: Vec<(String, u64)> = Vec::new();
    // Pseudo-random additions, changes and deletions.
    for n in 0..24_u64 {
        let dice = n * 7 % 5;
        let networks = deny(&format!("10.{n}.0.0/16"));
        let modes = mode(["block", "monitoring", "off"][usize::try_from(n % 3).unwrap()]);
        let (objects, path, body) = if n % 2 == 0 {
            (&mut rules, "/api/v1/rules", modes)
        } else {
            (&mut entries, "/api/v1/ip-lists", networks)
        };
        match (dice, objects.pop()) {
            (0 | 1, Some((object, revision))) => {
                change(&console, "PUT", &object, revision, &body).await;
                objects.insert(0, (object, revision + 1));
            }
            (2, Some((object, revision))) => {
                drop(change(&console, "DELETE", &object, revision, &Value::Null).await);
            }
            (_, object) => {
                objects.extend(object);
                objects.push((added(&console, path, &body).await, 1));
            }
        }
        known.push(content(&console, n + 1).await);
    }
    for (version, content) in (0..).zip(&known) {
        assert_eq!(self::content(&console, version).await, *content, "{version}");
    }
    for (step, version) in (0..).zip([3, 17, 0, 24, 9]) {
        let answer = activate(&console, version, 24 + step).await;
        assert_eq!(answer.status, 201, "{version}: {}", answer.text);
        let expected = &known[usize::try_from(version).unwrap()];
        assert_eq!(content(&console, 25 + step).await, *expected, "{version}");
    }
}

#[tokio::test]
async fn the_difference_is_the_net_change() {
    let console = Console::start().await;
    let rule = added(&console, "/api/v1/rules", &mode("monitoring")).await;
    let deleted = added(&console, "/api/v1/rules", &mode("off")).await;
    change(&console, "PUT", &rule, 1, &mode("block")).await;
    change(&console, "PUT", &rule, 2, &mode("off")).await;
    change(&console, "DELETE", &deleted, 1, &Value::Null).await;
    let diff = async |query: &str| {
        let page = console.get(&format!("/api/v1/rulesets/{query}")).await.json();
        let summary = |item: &Value| {
            json!([item["kind"], item["before"]["effect"]["mode"], item["after"]["effect"]["mode"]])
        };
        let mut differences: Vec<_> =
            page["items"].as_array().unwrap().iter().map(|item| summary(item).to_string()).collect();
        differences.sort();
        differences.join(" ")
    };
    assert_eq!(diff("2/diff").await, r#"["rule","monitoring","off"] ["rule","off",null]"#);
    assert_eq!(diff("2/diff?to=3").await, r#"["rule","monitoring","block"]"#);
    assert_eq!(diff("0/diff").await, r#"["rule",null,"off"]"#);
    assert_eq!(diff("5/diff").await, "");
}

#[tokio::test]
async fn answers_404_for_an_unknown_version() {
    let console = Console::start().await;
    added(&console, "/api/v1/rules", &mode("block")).await;
    for path in ["2", "first", "2/diff", "1/diff?to=2"] {
        assert_eq!(console.get(&format!("/api/v1/rulesets/{path}")).await.status, 404, "{path}");
    }
    for path in ["1/diff?to=7", "7/diff"] {
        let answer = console.get(&format!("/api/v1/rulesets/{path}")).await.json();
        assert_eq!(answer["detail"], "there is no ruleset 7", "{path}");
    }
    assert_eq!(console.get("/api/v1/rulesets/1/diff?to=0").await.json()["parameter"], "to");
    assert_eq!(activate(&console, 2, 1).await.status, 404);
    assert_eq!(activate(&console, 0, 0).await.status, 412);
    assert_eq!(console.get("/api/v1/rulesets").await.header("etag"), "\"1\"", "nothing was changed");
}
