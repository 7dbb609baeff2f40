//! Coverage: counts of nodes are added once, and read by distribution, behavior and day.

use crate::{
    harness::{Console, attack, monitored, request_id, uuid, with},
    webhooks::{Call, Receiver, add, round},
};
use console_api::actor::Role;
use serde_json::{Value, json};

/// Counts of a journal. The requests of a count are those of all its parts.
fn record(source: u32, sequence: u64, counts: &Value) -> Value {
    json!({"coverage": {"source": uuid(source), "sequence": sequence, "counts": counts}})
}

fn count(distribution: &str, behavior: &str, day: &str, edge: u64, cached: u64) -> Value {
    json!({"distribution_id": distribution, "behavior": behavior, "day": day, "requests": edge + cached,
           "edge": edge, "cached": cached, "cache_hits": cached})
}

async fn console() -> Console {
    let console = Console::start().await;
    let counts = json!([
        count("E1", "*", "2026-01-01", 3, 1),
        count("E1", "/api/*", "2026-01-01", 2, 0),
        count("E1", "*", "2025-12-31", 1, 0),
        count("E2", "*", "2026-01-01", 5, 5),
        {"distribution_id": "E2", "behavior": "unknown", "requests": 2, "bypassed": 1, "no_function": 1, "log_attacks": 1},
    ]);
    console.ingest(&[record(1, 1, &counts)]).await;
    console
}

/// Distribution, behavior, day and requests of each row.
async fn rows(console: &Console, query: &str) -> Vec<Value> {
    let list = console.body(&format!("/api/v1/coverage?{query}")).await;
    let items = list["items"].as_array().unwrap_or_else(|| panic!("{query}: {list}"));
    items
        .iter()
        .map(|row| json!([row["day"], row["distribution"], row["behavior"], row["requests"]]))
        .collect()
}

#[tokio::test]
async fn rows_are_summed_up_by_behavior_day_or_distribution() {
    let console = console().await;
    let expected = [
        json!(["2026-01-01", "E1", "*", 4]),
        json!(["2026-01-01", "E1", "/api/*", 2]),
        json!(["2026-01-01", "E2", "*", 10]),
        json!(["2025-12-31", "E1", "*", 1]),
        json!(["other", "E2", "unknown", 2]),
    ];
    assert_eq!(rows(&console, "").await, expected);
    let of_distribution = [json!([null, "E1", null, 7]), json!([null, "E2", null, 12])];
    assert_eq!(rows(&console, "group=distribution").await, of_distribution);
    let of_behavior = [json!([null, "E1", "*", 5]), json!([null, "E1", "/api/*", 2])];
    assert_eq!(rows(&console, "group=behavior&distribution=E1").await, of_behavior);
    let of_day = [json!(["2026-01-01", "E1", null, 6]), json!(["2025-12-31", "E1", null, 1])];
    assert_eq!(rows(&console, "group=day&distribution=E1").await, of_day);
    assert_eq!(rows(&console, "from=2026-01-01").await, expected[..3]);
    assert_eq!(rows(&console, "to=2026-01-01").await, expected[3..], "the end is exclusive");
    let list = console.body("/api/v1/coverage").await;
    let total = &list["total"];
    assert_eq!((&total["requests"], &total["log_attacks"]), (&json!(19), &json!(1)), "{total}");
    assert_eq!((&total["inspected_percent"], &total["edge_percent"]), (&json!(94.74), &json!(57.89)));
    for wrong in ["group=host", "from=never", "limit=0", "behavior=x"] {
        assert_eq!(console.get(&format!("/api/v1/coverage?{wrong}")).await.status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn pages_follow_each_other_in_every_grouping() {
    let console = console().await;
    for group in ["", "group=behavior", "group=day", "group=distribution"] {
        let (all, mut read, mut cursor) = (rows(&console, group).await, Vec::new(), String::new());
        loop {
            let query = format!("{group}&limit=1{cursor}");
            read.extend(rows(&console, &query).await);
            let list = console.body(&format!("/api/v1/coverage?{query}")).await;
            let Some(next) = list["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(read, all, "{group}");
    }
}

#[tokio::test]
async fn repeated_counts_are_added_once_also_after_a_restart() {
    let console = console().await;
    let counts = json!([count("E1", "*", "2026-01-01", 1, 0)]);
    console.ingest(&[record(1, 1, &counts), record(1, 2, &counts), record(1, 2, &counts)]).await;
    console.ingest(&[record(2, 1, &counts)]).await;
    let console = console.restart().await;
    console.ingest(&[record(1, 2, &counts), record(2, 1, &counts)]).await;
    assert_eq!(rows(&console, "from=2026-01-01&group=behavior&distribution=E1").await[0][3], 6);
}

#[tokio::test]
async fn behaviors_beyond_the_limit_are_one_row() {
    let console = Console::start().await;
    for batch in 0..3_u64 {
        let counts: Vec<_> =
            (0..200).map(|n| count("E1", &format!("/{batch}-{n}/*"), "2026-01-01", 1, 0)).collect();
        console.ingest(&[record(1, batch + 1, &json!(counts))]).await;
    }
    let other = console.body("/api/v1/coverage?limit=200").await;
    assert_eq!(other["total"]["requests"], 600);
    assert_eq!(console.count("select count(*) from coverage").await, 401);
    assert_eq!(
        console.count("select count(*) from coverage where behavior = 'other' and requests = 200").await,
        1
    );
}

#[tokio::test]
async fn invalid_counts_are_rejected_alone() {
    let console = Console::start().await;
    let good = json!([count("E1", "*", "2026-01-01", 1, 0)]);
    let wrong = [
        json!([count("", "*", "2026-01-01", 1, 0)]),
        json!([count("E1", "a\u{1}", "2026-01-01", 1, 0)]),
        json!([count("E1", &"x".repeat(256), "2026-01-01", 1, 0)]),
        json!([count("E1", "*", "2036-01-01", 1, 0)]),
        json!([count("E1", "*", "1999-12-31", 1, 0)]),
        json!([{"distribution_id": "E1", "behavior": "*", "requests": 1, "edge": 2}]),
        json!([count("E1", "*", "2026-01-01", 2_000_000_000, 0)]),
    ];
    let mut records: Vec<_> = wrong.iter().zip(1..).map(|(counts, n)| record(1, n, counts)).collect();
    records.push(record(1, 0, &good));
    records.push(record(2, 1, &good));
    let batch = json!({"node": {"id": uuid(900), "version": "1"}, "records": records});
    let reply = console.post_batch(batch.to_string()).await.json();
    assert_eq!((reply["rejected"].as_array().unwrap().len(), &reply["stored"]), (8, &json!(1)), "{reply}");
    assert_eq!(rows(&console, "").await.len(), 1);
}

#[tokio::test]
async fn metrics_have_the_requests_of_the_day() {
    let console = console().await;
    let text = console.get("/metrics").await.text;
    for (inspected_by, requests) in [("function", 5), ("log", 1), ("none", 0)] {
        let line = format!(
            "wallarm_console_coverage_requests{{distribution=\"E1\",inspected_by=\"{inspected_by}\"}} {requests}\n"
        );
        assert!(text.contains(&line), "{line} is not in\n{text}");
    }
}

#[tokio::test]
async fn a_webhook_is_notified_once_when_coverage_falls() {
    let console = Console::start().await;
    let (receiver, url) = Receiver::start(&[]).await;
    add(&console, &json!({"name": "Ops", "url": url, "events": ["coverage"]})).await;
    let of_day = |day: &str, edge, no_function| {
        json!([{"distribution_id": "E1", "behavior": "*", "day": day, "requests": edge + no_function,
                "edge": edge, "no_function": no_function}])
    };
    console
        .ingest(&[record(1, 1, &of_day("2025-12-31", 1000, 0)), record(1, 2, &of_day("2026-01-01", 95, 5))])
        .await;
    round(&console, 0).await;
    assert_eq!(receiver.calls().len(), 0, "five points are within the margin");
    console.ingest(&[record(1, 3, &of_day("2026-01-01", 5, 95))]).await;
    for seconds in [1, 2] {
        round(&console, seconds).await;
    }
    // It stays low at 8%, then recovers and falls again on the same day.
    console.ingest(&[record(1, 4, &of_day("2026-01-01", 9800, 0))]).await;
    round(&console, 3).await;
    console.ingest(&[record(1, 5, &of_day("2026-01-01", 0, 90_000))]).await;
    round(&console, 4).await;
    let calls: Vec<Value> = receiver.calls().iter().map(Call::json).collect();
    assert_eq!(calls.len(), 1, "{calls:?}");
    assert_eq!(calls[0]["type"], "coverage.fell");
    let data = &calls[0]["data"];
    assert_eq!(
        [&data["distribution"], &data["day"], &data["share"], &data["percent"], &data["before_percent"]],
        [&json!("E1"), &json!("2026-01-01"), &json!("edge"), &json!(50.0), &json!(100.0)]
    );
}

#[tokio::test]
async fn a_fall_of_coverage_waits_for_a_webhook_that_is_notified_of_it() {
    let console = Console::start().await;
    let (receiver, url) = Receiver::start(&[]).await;
    add(&console, &json!({"name": "Attacks", "url": url})).await;
    let fallen = json!({"distribution_id": "E1", "behavior": "*", "day": "2026-01-01", "requests": 1000,
                        "no_function": 1000});
    let counts = json!([count("E1", "*", "2025-12-31", 1000, 0), fallen]);
    console.ingest(&[record(1, 1, &counts)]).await;
    round(&console, 0).await;
    let alerts = "select count(*) from coverage_alerts";
    assert_eq!((console.count(alerts).await, receiver.calls().len()), (0, 0));
    add(&console, &json!({"name": "Ops", "url": url, "events": ["coverage"]})).await;
    round(&console, 60).await;
    assert_eq!((console.count(alerts).await, receiver.calls().len()), (1, 1));
}

/// An attack that only a log has, and how CloudFront answered.
fn logged(n: u32, result: &str) -> [Value; 2] {
    let record = with(monitored(attack(n, n)), &[("/attack/decision/delivery", json!("log"))]);
    let record = with(
        record,
        &[(
            "/attack/request/connector",
            json!({"kind": "cloudfront-log", "version": "1", "distribution_id": "E1"}),
        )],
    );
    let answer = json!({"result_type": result, "path_pattern": "/api/*", "edge_location": "FRA56-P1"});
    [record, json!({"response": {"request_id": request_id(n), "status": 200, "logged": answer}})]
}

#[tokio::test]
async fn hits_and_attacks_are_found_by_what_saw_them() {
    let console = Console::start().await;
    console.ingest(&[attack(1, 1)]).await;
    console.ingest(&logged(2, "Hit")).await;
    for (query, hits) in
        [("seen_by:log", 1), ("seen_by:edge", 1), ("seen_by:edge,log", 2), ("seen_by:unknown", 0)]
    {
        let list = console.body(&format!("/api/v1/requests?q={query}")).await;
        assert_eq!(list["items"].as_array().unwrap().len(), hits, "{query}: {list}");
    }
    let attacks = console.body("/api/v1/attacks").await;
    assert_eq!(attacks["items"][0]["seen_by"], json!(["edge", "log"]), "{attacks}");
    let groups = console.body("/api/v1/attacks?group_by=seen_by").await;
    assert_eq!(groups["items"].as_array().unwrap().len(), 2, "{groups}");
    let csv = console.get("/api/v1/requests/export.csv?q=seen_by:log").await.text;
    assert!(csv.lines().nth(1).unwrap().ends_with(",log"), "{csv}");
    let hit = console.body(&format!("/api/v1/hits/{}", uuid(2))).await;
    assert_eq!((&hit["seen_by"], &hit["logged"]["result_type"]), (&json!("log"), &json!("Hit")), "{hit}");
}

#[tokio::test]
async fn the_answer_of_a_log_waits_for_its_request() {
    let console = Console::start().await;
    // In bulk, and after another report of the same request.
    let status = |n: u32| json!({"response": {"request_id": request_id(n), "status": 200}});
    for (n, before) in [(1, Vec::new()), (2, vec![status(2)])] {
        let [request, answer] = logged(n, "Hit");
        console.ingest(&before).await;
        console.ingest(std::slice::from_ref(&answer)).await;
        assert_eq!(console.ingest(&[answer]).await["duplicate"], 1);
        console.ingest(&[request]).await;
        let hit = console.body(&format!("/api/v1/hits/{}", uuid(n))).await;
        assert_eq!(
            (&hit["logged"]["result_type"], &hit["response_status"]),
            (&json!("Hit"), &json!(200)),
            "{hit}"
        );
    }
}

#[tokio::test]
async fn a_request_that_a_function_reports_later_is_seen_by_the_edge() {
    let console = Console::start().await;
    console.ingest(&logged(1, "Miss")).await;
    console.ingest(&[attack(1, 1)]).await;
    let hit = console.body(&format!("/api/v1/hits/{}", uuid(1))).await;
    assert_eq!(hit["seen_by"], "edge", "{hit}");
    for (query, hits) in [("", 1), ("&q=seen_by:edge", 1)] {
        let groups = console.body(&format!("/api/v1/attacks?group_by=seen_by{query}")).await;
        let groups = groups["items"].as_array().unwrap();
        assert_eq!((groups.len(), &groups[0]["hits"]), (1, &json!(hits)), "{groups:?}");
    }
}

#[tokio::test]
async fn a_hit_of_a_log_says_what_would_have_stopped_it() {
    let console = Console::start().await;
    let page = async |n: u32| console.get_as(Role::Analyst, &format!("/hits/{}", uuid(n))).await.text;
    console.ingest(&logged(1, "Hit")).await;
    let cached = page(1).await;
    assert!(
        cached.contains("associate the request function with viewer-request of the cache behavior /api/*")
    );
    assert!(!cached.contains("name=\"what\" value=\"type\""), "no rule is enough");
    console.ingest(&logged(2, "Miss")).await;
    let unknown = page(2).await;
    assert!(!unknown.contains("What would have stopped it"), "the behavior has no row: {unknown}");
    console.ingest(&[record(1, 1, &json!([count("E1", "/api/*", "2026-01-01", 0, 1)]))]).await;
    assert!(page(2).await.contains("No function sent a request of the cache behavior /api/*"));
    console.ingest(&[record(1, 2, &json!([count("E1", "/api/*", "2026-01-01", 1, 0)]))]).await;
    let page = page(2).await;
    assert!(
        page.contains("name=\"what\" value=\"type\"") && page.contains("name=\"what\" value=\"ip\""),
        "{page}"
    );
}

#[tokio::test]
async fn the_page_shows_shares_without_scripts() {
    let console = console().await;
    let page = console.get("/coverage").await.text;
    let link = "href=\"/requests?q=seen_by%3Alog\"";
    for text in ["* (default)", "unknown", "other (earlier)", "94.74%", "answered by the cache: 5", link] {
        assert!(page.contains(text), "{text} is not in\n{page}");
    }
    assert!(
        console.get("/coverage?group=distribution&from=-7d").await.text.contains("class=\"raw\">E2</td>")
    );
}

#[tokio::test]
async fn the_page_tells_an_empty_selection_from_missing_logs() {
    let (missing, none) = ("Configure <code>logs</code>", "No requests match.");
    let empty = Console::start().await.get("/coverage").await.text;
    assert!(empty.contains(missing) && !empty.contains(none), "{empty}");
    let console = console().await;
    for filter in ["distribution=E9", "from=2026-01-01&to=2026-01-01"] {
        let page = console.get(&format!("/coverage?{filter}")).await.text;
        assert!(page.contains(none) && !page.contains(missing), "{filter}: {page}");
    }
}

#[tokio::test]
async fn the_link_to_attacks_of_logs_keeps_the_distribution_and_the_days() {
    let console = console().await;
    console.ingest(&logged(1, "Hit")).await;
    let counts = json!([{"distribution_id": "E1", "behavior": "/api/*", "day": "2026-01-01", "requests": 1,
                         "cached": 1, "log_attacks": 1}]);
    console.ingest(&[record(2, 1, &counts)]).await;
    let page = console.get("/coverage?distribution=E1&from=2026-01-01T10:00:00Z&to=2026-01-02").await.text;
    let link = "/requests?q=seen_by%3Alog+connector%3AE1&from=2026-01-01&to=2026-01-02";
    assert!(page.contains(&link.replace('&', "&#38;")), "{page}");
    for (search, hits) in [(link.to_owned(), 1), (link.replace("E1", "E2"), 0)] {
        let list = console.body(&format!("/api/v1{search}")).await;
        assert_eq!(list["items"].as_array().unwrap().len(), hits, "{search}: {list}");
    }
}

#[tokio::test]
async fn a_command_that_has_ended_is_not_unreachable() {
    let console = Console::start().await;
    let node = json!({"id": uuid(950), "version": "1", "is_command": true});
    let batch = json!({"node": node, "records": [record(1, 1, &json!([]))]});
    assert_eq!(console.post_batch(batch.to_string()).await.status, 200);
    let later = console.at("2026-01-02T12:00:00Z");
    let nodes = crate::nodes::read(&later, "/api/v1/nodes").await;
    assert!(nodes.contains("\"is_command\":true") && !nodes.contains("unreachable"), "{nodes}");
    assert!(!crate::nodes::read(&later, "/attacks").await.contains("<b>Unreachable:</b>"));
}
