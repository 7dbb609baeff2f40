//! Facets: country, network, user agent and others as fields to search and to group by.

use crate::harness::{Console, attack, monitored, not_inspected, send, token_of, uuid, with};
use axum::{
    body::Body,
    http::{Request, header},
};
use console_api::actor::Role;
use serde_json::{Value, json};

const RULE: &str = "00000000-0000-7000-8000-000000000777";

/// A hit of a known origin: two of three come from Germany.
fn located(n: u32, country: &str, asn: u32, agent: &str) -> Value {
    let mut record = with(
        attack(n, n),
        &[
            ("/attack/request/headers", json!([["user-agent", agent]])),
            ("/attack/request/client_ip", json!(format!("198.51.100.{n}"))),
        ],
    );
    record["attack"]["location"] = json!({"country": country, "asn": asn});
    record["attack"]["request"]["http_version"] = json!("2.0");
    record["attack"]["decision"]["decided_by"] = json!({"rule": {"id": RULE, "revision": 1}});
    record
}

/// One attack of four hits: the last one of a node without databases.
async fn console() -> Console {
    let console = Console::start().await;
    let without_location = monitored(attack(4, 4));
    console
        .ingest(&[
            located(1, "DE", 64500, "curl/8.0"),
            located(2, "DE", 64501, "sqlmap/1.8"),
            monitored(located(3, "FR", 64502, "Mozilla/5.0 (X11) Gecko/20100101 Firefox/127.0")),
            without_location,
        ])
        .await;
    console
}

fn escaped(query: &str) -> String {
    form_urlencoded::byte_serialize(query.as_bytes()).collect()
}

async fn groups(console: &Console, path: &str) -> Vec<Value> {
    let list = console.get(path).await.json();
    let items = list["items"].as_array().unwrap_or_else(|| panic!("{path}: {list}"));
    items.iter().map(|group| json!([group["group"], group["hits"], group["blocked"]])).collect()
}

#[tokio::test]
async fn a_condition_on_a_facet_counts_the_hits_that_match() {
    let console = console().await;
    let node = uuid(900);
    for (query, hits) in [
        ("country:DE", 2),
        ("country:de,fr", 3),
        ("country:unknown", 1),
        ("-country:DE", 2),
        ("network:AS64500", 1),
        ("network:64501,64502", 2),
        ("user_agent:sqlmap", 1),
        ("user_agent:curl", 2),
        ("http_version:2.0", 3),
        ("connector:cloudfront", 4),
        (&format!("node:{node}"), 4),
        (&format!("rule:{RULE}"), 3),
        ("rule:unknown", 1),
        ("signature:ptrav-sample", 4),
        ("severity:high", 4),
        ("score:>=1", 4),
        ("action:blocked", 2),
        ("action:passed", 2),
        ("action:passed country:FR", 1),
    ] {
        let escaped = escaped(query);
        let list = console.get(&format!("/api/v1/attacks?q={escaped}")).await.json();
        assert_eq!(list["items"][0]["hits"], hits, "{query}: {list}");
        let stats = console.get(&format!("/api/v1/attacks/stats?q={escaped}")).await.json();
        assert_eq!(stats["hits"], hits, "{query}: {stats}");
    }
    for none in
        ["country:US", "network:1", "severity:low", "score:>90", "action:suspicious", "connector:other"]
    {
        let list = console.get(&format!("/api/v1/attacks?q={}", escaped(none))).await.json();
        assert_eq!(list["items"], json!([]), "{none}");
    }
    for wrong in ["country:XX", "network:big", "user_agent:mosaic", "action:maybe", "node:1", "severity:huge"]
    {
        assert_eq!(console.get(&format!("/api/v1/attacks?q={wrong}")).await.status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn groups_of_a_facet_count_all_hits_also_those_without_a_value() {
    let console = console().await;
    let expected = [
        json!([{"country": "DE"}, 2, 2]),
        json!([{"country": "unknown"}, 1, 0]),
        json!([{"country": "FR"}, 1, 0]),
    ];
    assert_eq!(groups(&console, "/api/v1/attacks?group_by=country").await, expected);
    // The same numbers from counters by attack and from hits.
    assert_eq!(groups(&console, "/api/v1/attacks?group_by=country&q=method:GET").await, expected);
    for facet in [
        "network",
        "user_agent",
        "http_version",
        "connector",
        "node",
        "rule",
        "signature",
        "severity",
        "score",
        "seen_by",
    ] {
        let path = format!("/api/v1/attacks?group_by={facet}");
        let counted = groups(&console, &path).await;
        assert_eq!(counted, groups(&console, &format!("{path}&q=method:GET")).await, "{facet}");
        let hits: u64 = counted.iter().map(|group| group[1].as_u64().unwrap()).sum();
        assert_eq!(hits, 4, "{facet}: {counted:?}");
    }
    let pairs = groups(&console, "/api/v1/attacks?group_by=type,country").await;
    assert_eq!(pairs[0], json!([{"type": "ptrav", "country": "DE"}, 2, 2]));
    let pairs = groups(&console, "/api/v1/attacks?group_by=country,user_agent").await;
    assert_eq!(pairs.len(), 4, "{pairs:?}");
    let first = console.get("/api/v1/attacks?group_by=country&limit=1").await.json();
    let cursor = first["next_cursor"].as_str().unwrap();
    let next = groups(&console, &format!("/api/v1/attacks?group_by=country&limit=1&cursor={cursor}")).await;
    assert_eq!(next, [expected[1].clone()]);
}

#[tokio::test]
async fn statistics_have_the_most_frequent_countries_networks_and_agents() {
    let console = console().await;
    for query in ["", "?q=method:GET"] {
        let top = console.get(&format!("/api/v1/attacks/stats{query}")).await.json()["top"].clone();
        assert_eq!(
            (&top["country"][0]["group"], &top["country"][0]["hits"]),
            (&json!({"country": "DE"}), &json!(2))
        );
        assert_eq!(top["network"].as_array().unwrap().len(), 4, "{top}");
        assert_eq!(top["user_agent"][0]["group"], json!({"user_agent": "curl"}), "{top}");
    }
}

#[tokio::test]
async fn a_hit_has_its_facets() {
    let console = console().await;
    let hit = console.get(&format!("/api/v1/hits/{}", uuid(1))).await.json();
    let facets: Vec<_> = [
        "country",
        "network",
        "user_agent",
        "http_version",
        "connector",
        "node",
        "rule",
        "signature",
        "score",
    ]
    .map(|facet| hit[facet].clone())
    .into();
    let expected =
        json!(["DE", "AS64500", "curl", "2.0", "cloudfront", uuid(900), RULE, "ptrav-sample", hit["score"]]);
    assert_eq!(json!(facets), expected, "{hit}");
    assert!(hit["score"].as_i64().unwrap() > 0, "{hit}");
    let other = console.get(&format!("/api/v1/hits/{}", uuid(4))).await.json();
    assert_eq!((&other["country"], &other["network"]), (&json!(null), &json!(null)));
}

#[tokio::test]
async fn counters_of_facets_follow_decisions() {
    let console = console().await;
    console.ingest(&[not_inspected(50, 1, "node_timeout")]).await;
    let blocked = groups(&console, "/api/v1/attacks?group_by=country").await;
    assert_eq!(blocked[0], json!([{"country": "DE"}, 2, 1]), "a block that had no effect");
}

#[tokio::test]
async fn the_rule_of_a_hit_follows_the_decision() {
    let console = Console::start().await;
    console.ingest(&[monitored(attack(1, 1)), located(2, "DE", 1, "curl/8.0")]).await;
    console.ingest(&[located(1, "DE", 1, "curl/8.0")]).await;
    let expected = [json!([{"rule": RULE}, 2, 2])];
    assert_eq!(groups(&console, "/api/v1/attacks?group_by=rule").await, expected);
    assert_eq!(groups(&console, "/api/v1/attacks?group_by=rule&q=method:GET").await, expected);
}

#[tokio::test]
async fn a_late_hit_merges_the_counters_of_two_attacks() {
    let console = Console::start().await;
    let at = |n: u32, minute: u32| {
        let record = located(n, if n == 1 { "DE" } else { "FR" }, 1, "curl/8.0");
        let time = attack(n, minute)["attack"]["request"]["at"].clone();
        with(record, &[("/attack/request/at", time)])
    };
    console.ingest(&[at(1, 0), at(2, 100)]).await;
    assert_eq!(console.get("/api/v1/attacks").await.json()["items"].as_array().unwrap().len(), 2);
    console.ingest(&[at(3, 50)]).await;
    console.only_attack().await;
    let expected = [json!([{"country": "FR"}, 2, 2]), json!([{"country": "DE"}, 1, 1])];
    assert_eq!(groups(&console, "/api/v1/attacks?group_by=country").await, expected);
}

#[tokio::test]
async fn the_page_of_a_hit_blocks_its_address_network_or_country() {
    let console = console().await;
    let call = async |n: u32, form: &str| {
        let request = Request::post(format!("/hits/{}/block-source", uuid(n)))
            .header(header::AUTHORIZATION, format!("Bearer {}", token_of(Role::Analyst)))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        send(&console.router, request.body(Body::from(form.to_owned())).unwrap()).await.status
    };
    for what in ["what=country&for=24", "what=network&for=24", "what=ip&for=24"] {
        assert_eq!(call(1, what).await, 303, "{what}");
    }
    let entries = console.get("/api/v1/ip-lists").await.json();
    let sources: Vec<_> =
        entries["items"].as_array().unwrap().iter().map(|entry| entry["source"].clone()).collect();
    let expected = [json!({"country": "DE"}), json!({"asn": 64500})];
    assert!(sources.len() == 3 && expected.iter().all(|source| sources.contains(source)), "{sources:?}");
    assert_eq!(call(4, "what=country&for=24").await, 400, "its country is not known");
}
