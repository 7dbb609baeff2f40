//! Searches with conditions on hits: lists, groups, statistics, pages and exports count the hits
//! that match, not all hits of the attacks that contain one.

use crate::harness::{Console, attack, hit, monitored, request_id, response, token_of, uuid, with};
use axum::{
    body::Body,
    http::{Request, header},
};
use console_api::actor::Role;
use serde_json::{Value, json};

const GUEST: &str = "198.51.100.9";

fn from_guest(record: Value) -> Value {
    with(record, &[("/attack/request/client_ip", json!(GUEST))])
}

/// A hit in a parameter of `/shop`.
fn in_shop(n: u32, minute: u32, payload: &str) -> Value {
    let hits = json!([hit(n, "ptrav", &json!([["get", "q"]]), payload)]);
    with(attack(n, minute), &[("/attack/hits", hits), ("/attack/request/path", json!("/shop"))])
}

/// One attack: six blocked hits of one source, and two monitored POST hits of another.
async fn shared_attack() -> Console {
    let console = Console::start().await;
    let of_guest = |n: u32, minute: u32| {
        let hit = from_guest(monitored(in_shop(n, minute, "/ETC/passwd.Ä")));
        with(hit, &[("/attack/request/method", json!("POST"))])
    };
    let mut records: Vec<Value> = (1..=6).map(|n| in_shop(n, n, "/etc/passwd")).collect();
    records.extend([of_guest(7, 7), of_guest(8, 20), response(7, 404, "viewer-response")]);
    console.ingest(&records).await;
    console
}

fn escaped(query: &str) -> String {
    form_urlencoded::byte_serialize(query.as_bytes()).collect()
}

/// Searches that select the two hits of the other source.
const OF_GUEST: [&str; 9] = [
    "ip:198.51.100.9",
    "ip:198.51.100.0/24 method:post",
    "-ip:203.0.113.0/24",
    "method:POST",
    "payload:passwd.ä",
    "passwd.Ä",
    "-method:get path:/shop",
    "type:xss OR ip:198.51.100.9",
    "-(type:ptrav -ip:198.51.100.9)",
];

#[tokio::test]
async fn the_list_counts_the_hits_that_match() {
    let console = shared_attack().await;
    for query in OF_GUEST {
        let list = console.get(&format!("/api/v1/attacks?q={}", escaped(query))).await.json();
        let found = &list["items"][0];
        let counts = [&found["hits"], &found["blocked"], &found["sources"]];
        assert_eq!(counts, [&json!(2), &json!(0), &json!(1)], "{query}: {list}");
        assert_eq!(found["payload"], "/ETC/passwd.Ä", "{query}");
    }
    for (query, hits) in [("response:404", 1), ("-response:404", 7), ("severity:high", 8), ("", 8)] {
        let list = console.get(&format!("/api/v1/attacks?q={query}")).await.json();
        assert_eq!(list["items"][0]["hits"], hits, "{query}");
    }
    for none in ["ip:198.51.100.9 method:get", "ip:203.0.113.7 payload:passwd.ä", "-ip:0.0.0.0/0"] {
        let list = console.get(&format!("/api/v1/attacks?q={}", escaped(none))).await.json();
        assert_eq!(list["items"], json!([]), "{none}: no single hit matches");
    }
}

#[tokio::test]
async fn a_time_range_limits_the_hits_that_match() {
    let console = shared_attack().await;
    let path = format!("ip={GUEST}&from=2026-01-01T10:10:00Z&to=2026-01-01T10:30:00Z");
    let list = console.get(&format!("/api/v1/attacks?{path}")).await.json();
    assert_eq!(list["items"][0]["hits"], 1, "{list}");
    let stats = console.get(&format!("/api/v1/attacks/stats?{path}")).await.json();
    assert_eq!((&stats["hits"], &stats["attacks"]), (&json!(1), &json!(1)), "{stats}");
}

#[tokio::test]
async fn groups_and_statistics_count_the_hits_that_match() {
    let console = shared_attack().await;
    for query in OF_GUEST {
        let query = escaped(query);
        for fields in ["ip", "type", "type,ip", "host,path"] {
            let groups = console.get(&format!("/api/v1/attacks?group_by={fields}&q={query}")).await.json();
            assert_eq!(groups["items"].as_array().unwrap().len(), 1, "{query}: {groups}");
            let group = &groups["items"][0];
            assert_eq!(
                (&group["hits"], &group["blocked"], &group["attacks"], &group["status"]),
                (&json!(2), &json!(0), &json!(1), &json!("monitoring")),
                "{query}: {groups}"
            );
        }
        let stats = console.get(&format!("/api/v1/attacks/stats?q={query}")).await.json();
        let points = stats["series"]["points"].as_array().unwrap();
        let charted: u64 = points.iter().map(|point| point["hits"].as_u64().unwrap()).sum();
        assert_eq!((&stats["hits"], charted), (&json!(2), 2), "{query}: {stats}");
        assert_eq!((&stats["blocked"], &stats["sources"]), (&json!(0), &json!(1)), "{query}");
        assert_eq!(stats["response_statuses"], json!({"404": 1}), "{query}");
        assert_eq!(stats["top"]["ip"][0]["group"]["ip"], GUEST, "{query}");
        assert_eq!(stats["top"]["path"][0]["hits"], 2, "{query}");
    }
}

#[tokio::test]
async fn groups_by_source_count_blocked_hits() {
    let console = shared_attack().await;
    let groups = console.get("/api/v1/attacks?group_by=ip").await.json();
    let counts: Vec<_> = groups["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| json!([group["group"]["ip"], group["hits"], group["blocked"], group["status"]]))
        .collect();
    assert_eq!(
        counts,
        [json!(["203.0.113.7", 6, 6, "blocked"]), json!([GUEST, 2, 0, "monitoring"])],
        "{groups}"
    );
    // A report that the request reached its origin changes the counter of its source.
    let entry = crate::harness::not_inspected(50, 1, "node_timeout");
    console.ingest(&[entry]).await;
    let groups = console.get("/api/v1/attacks?group_by=ip").await.json();
    assert_eq!(groups["items"][0]["blocked"], 5);
    let by_hits = console.get("/api/v1/attacks?q=ip:203.0.113.7").await.json();
    assert_eq!(by_hits["items"][0]["blocked"], 5);
}

#[tokio::test]
async fn an_opened_attack_shows_the_hits_that_match() {
    let console = shared_attack().await;
    let id = console.only_attack().await;
    for query in OF_GUEST {
        let query = escaped(query);
        let hits = console.get(&format!("/api/v1/attacks/{id}/hits?q={query}")).await.json();
        let sources: Vec<_> =
            hits["items"].as_array().unwrap().iter().map(|hit| hit["client_ip"].as_str().unwrap()).collect();
        assert_eq!(sources, [GUEST, GUEST], "{query}");
    }
    let all = console.get(&format!("/api/v1/attacks/{id}/hits")).await.json();
    assert_eq!(all["items"].as_array().unwrap().len(), 8);
}

#[tokio::test]
async fn the_page_of_an_attack_leads_only_to_hits_that_match() {
    let console = shared_attack().await;
    let id = console.only_attack().await;
    let page = async |path: &str| {
        let request =
            Request::get(path).header(header::AUTHORIZATION, format!("Bearer {}", token_of(Role::Analyst)));
        crate::harness::send(&console.router, request.body(Body::empty()).unwrap()).await.text
    };
    let list = page(&format!("/attacks?q=ip:{GUEST}&sort=-hits")).await;
    let link = format!("/attacks/{id}?q=ip%3A198.51.100.9");
    assert!(list.contains(&format!(r#"<a href="{link}&#38;sort=-hits" data-drawer>"#)), "{list}");
    let opened = page(&link).await;
    assert!(opened.contains("2 of 8 hits match the search."), "{opened}");
    assert!(!opened.contains("203.0.113.7"), "hits of another source: {opened}");
    for (n, is_shown) in [(1, false), (7, true), (8, true)] {
        assert_eq!(opened.contains(&format!("/hits/{}", uuid(n))), is_shown, "{n}");
    }
    assert!(page(&format!("/attacks/{id}")).await.contains("203.0.113.7"));
}

#[tokio::test]
async fn exports_and_orders_count_the_hits_that_match() {
    let console = shared_attack().await;
    let other = |n: u32| with(in_shop(n, 1, "/etc/hosts"), &[("/attack/request/path", json!("/other"))]);
    console.ingest(&[other(20), other(21), from_guest(other(22))]).await;
    let csv = console.get(&format!("/api/v1/attacks/export.csv?q=ip:{GUEST}")).await.text;
    let hits: Vec<_> = csv.lines().skip(1).map(|row| row.split(',').nth(8).unwrap()).collect();
    assert_eq!(hits.len(), 2, "{csv}");
    for (sort, expected) in [("-hits", [2, 1]), ("hits", [1, 2])] {
        let first = console.get(&format!("/api/v1/attacks?q=ip:{GUEST}&sort={sort}&limit=1")).await.json();
        let cursor = first["next_cursor"].as_str().unwrap();
        let next = console
            .get(&format!("/api/v1/attacks?q=ip:{GUEST}&sort={sort}&limit=1&cursor={cursor}"))
            .await
            .json();
        assert_eq!([&first["items"][0]["hits"], &next["items"][0]["hits"]], expected, "{sort}");
    }
}

#[tokio::test]
async fn a_search_for_a_request_counts_its_hits() {
    let console = shared_attack().await;
    for query in [format!("request_id:{}", request_id(7)), "edge_request_id:edge-7".to_owned()] {
        let list = console.get(&format!("/api/v1/attacks?q={query}")).await.json();
        assert_eq!(list["items"][0]["hits"], 1, "{query}: {list}");
    }
}
