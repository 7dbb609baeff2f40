//! Rules on the content of a hit's field, and the preview of the hits that would no longer be
//! attacks.

use crate::{
    harness::{Answer, Console, attack, hit, send, uuid, with},
    rules::call,
};
use console_api::actor::Role;
use decision::{Evaluator, GeoFields, Policy, RouteSettings};
use serde_json::{Value, json};
use shared::{InspectRequest, Mode, ruleset::Ruleset};

async fn declare(console: &Console, hit: u32, query: &str, body: &Value) -> Answer {
    let path = format!("/api/v1/hits/{}/content{query}", uuid(hit));
    send(&console.router, call(Role::Analyst, "POST", &path, None, body)).await
}

fn request(n: u32, path: &str, query: &str) -> InspectRequest {
    let request = json!({
        "request_id": format!("{n:032}"), "client_ip": "203.0.113.7", "method": "GET", "host": "shop.example.com:443",
        "path": path, "query": query,
    });
    serde_json::from_value(request).unwrap()
}

/// Records a request with one hit of the engine's findings of SQL injection.
async fn record(console: &Console, n: u32, request: &InspectRequest) {
    let findings = engine::Engine::new().inspect(request).findings;
    let findings: Vec<_> =
        findings.into_iter().filter(|finding| finding.attack_type.as_str() == "sqli").collect();
    assert!(!findings.is_empty(), "{request:?}");
    let hit = json!({"id": uuid(n), "type": "sqli", "point": findings[0].point, "findings": findings});
    let changes = [
        ("/attack/hits", json!([hit])),
        ("/attack/request/path", json!(request.path)),
        ("/attack/request/query", json!(request.query)),
        ("/attack/request/host", json!(request.host)),
    ];
    console.ingest(&[with(attack(n, 0), &changes)]).await;
}

#[tokio::test]
async fn a_rule_defaults_to_the_field_and_route_of_its_hit() {
    let console = Console::start().await;
    record(&console, 1, &request(1, "/search", "q=1'+or+'1'%3D'1")).await;
    let answer = declare(&console, 1, "", &json!({"content": "code"})).await;
    assert_eq!((answer.status.as_u16(), answer.header("etag")), (201, "\"1\""), "{}", answer.text);
    let rule = answer.json();
    assert_eq!(rule["scope"], json!({"host": "shop.example.com", "path": "/search", "method": "GET"}));
    let effect = json!({"kind": "content", "content": "code", "points": [[["get", "q"]]]});
    assert_eq!((&rule["effect"], &rule["comment"]), (&effect, &json!(format!("from hit {}", uuid(1)))));
    let path = format!("/api/v1/rules/{}", rule["id"].as_str().unwrap());
    assert_eq!(console.get(&path).await.json(), rule);
    let wide =
        json!({"content": "text", "points": [[["get"]]], "scope": {"path": "/s*"}, "comment": "notes"});
    let rule = declare(&console, 1, "", &wide).await.json();
    assert_eq!(rule["scope"], json!({"path": "/s*"}));
    assert_eq!(rule["comment"], "notes");
}

/// Nodes with the rule find no attack in the requests that the preview lists, and still find the
/// others.
#[tokio::test]
async fn the_preview_lists_the_requests_that_nodes_no_longer_treat_as_attacks() {
    let console = Console::start().await;
    let requests = [
        request(1, "/a/%2e/search", "q=1'+or+'1'%3D'1"),
        request(2, "/a/search", "q=1+union+select+password+from+users"),
        request(3, "/a/search", "r=1'+or+'1'%3D'1"),
        request(4, "/a/search/x", "q=1'+or+'1'%3D'1"),
        // The other field is an attack as well.
        request(5, "/a/search", "q=1'+or+'1'%3D'1&r=1'+or+'1'%3D'1"),
    ];
    for (n, request) in (1..).zip(&requests) {
        record(&console, n, request).await;
    }
    let body = json!({"content": "opaque"});
    let preview = declare(&console, 1, "?dry_run", &body).await;
    assert_eq!(preview.status, 200, "{}", preview.text);
    let preview = preview.json();
    let listed: Vec<_> = preview["items"].as_array().unwrap().iter().map(|hit| hit["id"].clone()).collect();
    assert_eq!(listed, [json!(uuid(2)), json!(uuid(1))]);
    assert_eq!((&preview["silenced"]["unmarked"], &preview["reduced"]), (&json!(2), &json!(1)));
    assert_eq!(preview["scanned"], json!({"hits": 5, "complete": true}));
    assert_eq!(console.get("/api/v1/rules").await.json()["items"], json!([]), "nothing is added");

    assert_eq!(declare(&console, 1, "", &body).await.status, 201);
    let ruleset = console.get_as(Role::Node, "/api/v1/node/config").await.json();
    let ruleset: Ruleset = serde_json::from_value(ruleset).unwrap();
    let policy = Policy::new(&ruleset.rules.items, &[], GeoFields::default());
    let (engine, settings) = (engine::Engine::new(), RouteSettings::of_mode(Mode::Block, "config"));
    let is_attack = |request: &InspectRequest| {
        let at = "2026-01-01T10:00:00Z".parse().unwrap();
        Evaluator::new(&engine, &policy).evaluate(request, &settings, at).ruling.would_block
    };
    assert_eq!(requests.each_ref().map(is_attack), [false, false, true, true, true]);
    let again = declare(&console, 1, "?dry_run", &body).await.json();
    assert_eq!((&again["silenced"]["hits"], &again["reduced"]), (&json!(0), &json!(0)), "the rule exists");
}

#[tokio::test]
async fn a_request_that_a_virtual_patch_blocks_stays_an_attack() {
    let console = Console::start().await;
    record(&console, 1, &request(1, "/search", "q=1'+or+'1'%3D'1")).await;
    let patch = json!({"effect": {"kind": "virtual_patch", "points": [[["get", "q"]]]}});
    let added = send(&console.router, call(Role::Analyst, "POST", "/api/v1/rules", None, &patch)).await;
    assert_eq!(added.status, 201, "{}", added.text);
    let preview = declare(&console, 1, "?dry_run", &json!({"content": "opaque"})).await.json();
    assert_eq!((&preview["silenced"]["hits"], &preview["reduced"]), (&json!(0), &json!(1)), "{preview}");
}

/// With 499 later hits, the two of the request are in different batches of the preview.
#[tokio::test]
async fn the_preview_counts_all_hits_of_a_request_that_is_no_longer_an_attack() {
    for later in [0, 499] {
        all_hits_of_a_request_count(later).await;
    }
}

async fn all_hits_of_a_request_count(later: u32) {
    let console = Console::start().await;
    let request = request(1, "/search", "q=1'+or+'1'%3D'1");
    record(&console, 1, &request).await;
    let other = hit(2, "xss", &json!([["get", "r"]]), "<b>");
    let changes = [
        ("/attack/hits", json!([other])),
        ("/attack/request/path", json!(request.path)),
        ("/attack/request/query", json!(request.query)),
    ];
    console.ingest(&[with(attack(1, 0), &changes)]).await;
    let others: Vec<_> = (3..3 + later).map(|n| attack(n, 1)).collect();
    console.ingest(&others).await;
    let preview = declare(&console, 1, "?dry_run", &json!({"content": "opaque"})).await.json();
    assert_eq!(
        (&preview["silenced"]["hits"], &preview["scanned"]["hits"]),
        (&json!(2), &json!(2 + later)),
        "{preview}"
    );
}

#[tokio::test]
async fn rejects_an_invalid_rule_on_content() {
    let console = Console::start().await;
    console.ingest(&[attack(1, 0)]).await;
    for (query, body, named) in [
        ("", json!({"content": "poem"}), "poem"),
        ("", json!({}), "content"),
        ("", json!({"content": "code", "finding": 1}), "finding"),
        ("", json!({"content": "code", "points": []}), "effect.points"),
        ("", json!({"content": "code", "scope": {"path": "x"}}), "scope.path"),
        ("?dry_run=perhaps", json!({"content": "code"}), "dry_run"),
    ] {
        let answer = declare(&console, 1, query, &body).await;
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.json()["detail"].as_str().unwrap().contains(&format!("`{named}`")), "{}", answer.text);
    }
}

#[tokio::test]
async fn ignores_hits_outside_of_fields() {
    let console = Console::start().await;
    let denied = hit(1, "blocked_source", &json!([["remote_addr"]]), "");
    console.ingest(&[with(attack(1, 0), &[("/attack/hits", json!([denied]))])]).await;
    let preview = declare(&console, 1, "?dry_run", &json!({"content": "text"})).await.json();
    assert_eq!((&preview["silenced"]["hits"], &preview["scanned"]["hits"]), (&json!(0), &json!(1)));
}
