//! Exclusions from hits, and the preview of the hits that they would suppress.

use crate::{
    harness::{Answer, Console, attack, hit, send, uuid, with},
    rules::{admin, call},
};
use console_api::actor::Role;
use insta::assert_json_snapshot;
use serde_json::{Value, json};
use shared::InspectRequest;

/// A hit of two signatures at a query parameter.
fn search(n: u32, minute: u32) -> Value {
    let mut hit = hit(n, "sqli", &json!([["get", "q"]]), "1' or 1=1");
    let mut other = hit["findings"][0].clone();
    other["signature"] = json!("sqli-other");
    other["class"] = json!({"subtype": "sql-tautology", "confidence": "high"});
    hit["findings"].as_array_mut().unwrap().push(other);
    with(attack(n, minute), &[("/attack/hits", json!([hit])), ("/attack/request/path", json!("/search"))])
}

async fn exclude(console: &Console, hit: u32, query: &str, body: &Value) -> Answer {
    let path = format!("/api/v1/hits/{}/exclusion{query}", uuid(hit));
    send(&console.router, call(Role::Analyst, "POST", &path, None, body)).await
}

#[tokio::test]
async fn an_exclusion_defaults_to_the_point_and_route_of_its_hit() {
    let console = Console::start().await;
    console.ingest(&[search(1, 0), attack(2, 0)]).await;
    let mut rules = Vec::new();
    for (hit, body) in [
        (1, json!({"width": "signature"})),
        (1, json!({"width": "signature", "finding": 1})),
        (1, json!({"width": "subtype", "finding": 1, "points": [[["get"]]]})),
        (1, json!({"width": "type", "points": [], "scope": {"path": "/s*"}, "comment": "the search"})),
        (2, json!({"width": "all"})),
    ] {
        let answer = exclude(&console, hit, "", &body).await;
        assert_eq!((answer.status.as_u16(), answer.header("etag")), (201, "\"1\""), "{}", answer.text);
        let rule = answer.json();
        assert_eq!(
            console.get(&format!("/api/v1/rules/{}", rule["id"].as_str().unwrap())).await.json(),
            rule
        );
        rules.push(json!({"scope": rule["scope"], "effect": rule["effect"], "comment": rule["comment"]}));
    }
    assert_json_snapshot!(rules);
}

#[tokio::test]
async fn a_dry_run_lists_suppressed_hits_and_changes_nothing() {
    let console = Console::start().await;
    let other_path = with(search(4, 0), &[("/attack/request/path", json!("/find"))]);
    let other_point = with(
        search(5, 0),
        &[
            ("/attack/hits/0/point", json!([["get", "r"]])),
            ("/attack/hits/0/findings/0/point", json!([["get", "r"]])),
        ],
    );
    console
        .ingest(&[search(1, 0), search(2, 1), search(3, 150), other_path, other_point, attack(6, 0)])
        .await;
    let list = console.get("/api/v1/attacks?q=request_id:00000000000000000000000000000003").await.json();
    let path = format!("/api/v1/attacks/{}/mark", list["items"][0]["id"].as_str().unwrap());
    let mark = call(Role::Analyst, "POST", &path, Some("\"0\""), &json!({"mark": "true_positive"}));
    assert_eq!(send(&console.router, mark).await.status, 200);
    let preview = exclude(&console, 1, "?dry_run", &json!({"width": "type"})).await;
    assert_eq!(preview.status, 200, "{}", preview.text);
    let preview = preview.json();
    let counts = json!({
        "rule": preview["rule"], "scanned": preview["scanned"], "silenced": preview["silenced"], "reduced": preview["reduced"],
    });
    assert_json_snapshot!(counts);
    let ids = |preview: &Value| -> Vec<Value> {
        preview["items"].as_array().unwrap().iter().map(|hit| hit["id"].clone()).collect()
    };
    assert_eq!(ids(&preview), [uuid(3), uuid(2), uuid(1)]);
    let first = exclude(&console, 1, "?dry_run=true&limit=2", &json!({"width": "type"})).await.json();
    assert_eq!(ids(&first), [uuid(3), uuid(2)]);
    let query = format!("?dry_run=1&limit=2&cursor={}", first["next_cursor"].as_str().unwrap());
    let rest = exclude(&console, 1, &query, &json!({"width": "type"})).await.json();
    assert_eq!((ids(&rest), &rest["silenced"]["hits"]), (vec![json!(uuid(1))], &json!(3)));
    assert_eq!(console.get("/api/v1/rules").await.json()["items"], json!([]));
}

#[tokio::test]
async fn a_hit_with_other_findings_is_reduced_not_suppressed() {
    let console = Console::start().await;
    console.ingest(&[search(1, 0)]).await;
    let preview = exclude(&console, 1, "?dry_run", &json!({"width": "signature"})).await.json();
    assert_eq!((&preview["silenced"]["hits"], &preview["reduced"]), (&json!(0), &json!(1)));
}

#[tokio::test]
async fn does_not_suppress_hits_of_ip_lists() {
    let console = Console::start().await;
    let denied = hit(1, "blocked_source", &json!([["remote_addr"]]), "");
    console.ingest(&[with(attack(1, 0), &[("/attack/hits", json!([denied]))])]).await;
    for width in ["all", "type"] {
        let body = json!({"width": width, "points": []});
        let preview = exclude(&console, 1, "?dry_run", &body).await.json();
        assert_eq!(
            (&preview["silenced"]["hits"], &preview["scanned"]["hits"]),
            (&json!(0), &json!(1)),
            "{width}"
        );
    }
}

#[tokio::test]
async fn rejects_an_invalid_exclusion() {
    let console = Console::start().await;
    console.ingest(&[attack(1, 0)]).await;
    for (query, body, named) in [
        ("", json!({"width": "wide"}), "wide"),
        ("", json!({}), "width"),
        ("", json!({"width": "type", "finding": 1}), "finding"),
        ("", json!({"width": "type", "points": [[]]}), "effect.points"),
        ("", json!({"width": "type", "scope": {"path": "x"}}), "scope.path"),
        ("?dry_run=perhaps", json!({"width": "type"}), "dry_run"),
        ("?limit=3", json!({"width": "type"}), "limit"),
    ] {
        let answer = exclude(&console, 1, query, &body).await;
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.json()["detail"].as_str().unwrap().contains(&format!("`{named}`")), "{}", answer.text);
    }
}

/// Nodes with the rule find nothing in the requests that the preview lists.
#[tokio::test]
async fn nodes_suppress_what_the_preview_lists() {
    let console = Console::start().await;
    let engine = engine::Engine::new();
    let request = |n: u32, path: &str, query: &str| -> InspectRequest {
        let address = json!({
            "request_id": format!("{n:032}"), "client_ip": "203.0.113.7", "method": "GET", "host": "shop.example.com:443",
            "path": path, "query": query,
        });
        serde_json::from_value(address).unwrap()
    };
    let requests = [
        request(1, "/a/%2e/search", "q=1'+or+'1'%3D'1"),
        request(2, "/a/search", "q=1+union+select+password+from+users"),
        request(3, "/a/search", "r=1'+or+'1'%3D'1"),
        request(4, "/a/search/x", "q=1'+or+'1'%3D'1"),
    ];
    for (n, request) in (1..).zip(&requests) {
        let findings = engine.inspect(request).findings;
        let found: Vec<_> =
            findings.into_iter().filter(|finding| finding.attack_type.as_str() == "sqli").collect();
        assert!(!found.is_empty(), "{request:?}");
        let hit = json!({"id": uuid(n), "type": "sqli", "point": found[0].point, "findings": found});
        let record = with(
            attack(n, 0),
            &[
                ("/attack/hits", json!([hit])),
                ("/attack/request/path", json!(request.path)),
                ("/attack/request/query", json!(request.query)),
                ("/attack/request/host", json!(request.host)),
            ],
        );
        console.ingest(&[record]).await;
    }
    let body = json!({"width": "type"});
    let preview = exclude(&console, 1, "?dry_run", &body).await.json();
    let listed: Vec<_> = preview["items"].as_array().unwrap().iter().map(|hit| hit["id"].clone()).collect();
    assert_eq!(exclude(&console, 1, "", &body).await.status, 201);
    let ruleset = console.get_as(Role::Node, "/api/v1/node/config").await.json();
    let ruleset: shared::ruleset::Ruleset = serde_json::from_value(ruleset).unwrap();
    let (book, wrong) = engine::rules::RuleBook::compile(&ruleset.rules.items);
    assert_eq!(wrong, []);
    let mut suppressed = Vec::new();
    for (n, request) in (1..).zip(&requests) {
        let rules = book.select_for(&request.host, &request.path, &request.method, None);
        if engine.inspect_with_rules(request, &rules).findings.is_empty() {
            suppressed.insert(0, json!(uuid(n)));
        }
    }
    assert_eq!(listed, suppressed);
    assert_eq!(suppressed, [json!(uuid(2)), json!(uuid(1))]);
    assert_eq!(
        admin(&console, "GET", "/api/v1/rules", &Value::Null).await.json()["items"].as_array().unwrap().len(),
        1
    );
}
