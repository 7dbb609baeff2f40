//! Attacks: grouping of hits, lists, filters and groups.

use crate::harness::{
    Console, attack, hit, monitored, not_inspected, response, token_of, uuid, with, without_cursor,
};
use axum::{
    body::Body,
    http::{Request, header},
};
use console_api::actor::Role;
use http_body_util::BodyExt as _;
use insta::assert_json_snapshot;
use serde_json::{Value, json};
use std::{collections::BTreeSet, time::Duration};
use tower::ServiceExt as _;
use uuid::Uuid;

fn from_ip(record: Value, ip: &str) -> Value {
    with(record, &[("/attack/request/client_ip", json!(ip))])
}

#[tokio::test]
async fn groups_hits_of_one_kind_into_one_attack() {
    let console = Console::start().await;
    let passwd = from_ip(monitored(attack(3, 50)), "2001:db8::1");
    console.ingest(&[attack(1, 0), attack(2, 20), passwd, response(3, 404, "viewer-response")]).await;
    assert_json_snapshot!("list", console.body("/api/v1/attacks").await);
    let id = console.only_attack().await;
    assert_json_snapshot!("detail", console.body(&format!("/api/v1/attacks/{id}")).await);
    let hits = console.body(&format!("/api/v1/attacks/{id}/hits?limit=1")).await;
    assert_json_snapshot!("hits", without_cursor(hits));
}

#[tokio::test]
async fn a_gap_of_an_hour_ends_an_attack() {
    let console = Console::start().await;
    console.ingest(&[attack(1, 0), attack(2, 60), attack(3, 121)]).await;
    let list = console.body("/api/v1/attacks").await;
    let hits: Vec<_> =
        list["items"].as_array().unwrap().iter().map(|attack| attack["hits"].clone()).collect();
    assert_eq!(hits, [1, 2]);
}

#[tokio::test]
async fn a_late_hit_merges_two_attacks_into_the_older() {
    let console = Console::start().await;
    let id_at = async |index: usize| {
        console.get("/api/v1/attacks").await.json()["items"][index]["id"].as_str().unwrap().to_owned()
    };
    console.ingest(&[attack(1, 100)]).await;
    let older = id_at(0).await;
    console.ingest(&[from_ip(attack(2, 0), "198.51.100.1")]).await;
    let newer = id_at(1).await;
    console.ingest(&[attack(3, 50)]).await;
    let survivor = console.get(&format!("/api/v1/attacks/{newer}")).await.json();
    assert_eq!(survivor["id"], *older);
    assert_eq!((&survivor["hits"], &survivor["sources"]), (&json!(3), &json!(2)));
    assert_eq!(survivor["first_seen"], "2026-01-01T10:00:00Z");
    assert_eq!(console.only_attack().await, older);
    let hits = console.get(&format!("/api/v1/attacks/{newer}/hits")).await.json();
    assert_eq!(hits["items"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn filters_narrow_the_list() {
    let console = Console::start().await;
    let sqli = with(
        monitored(attack(2, 150)),
        &[
            ("/attack/hits", json!([hit(2, "sqli", &json!([["get", "q"]]), "' or 1=1")])),
            ("/attack/request/host", json!("API.example.com")),
            ("/attack/request/path", json!("/login")),
            ("/attack/request/client_ip", json!("2001:db8::1")),
        ],
    );
    console.ingest(&[attack(1, 0), sqli]).await;
    for query in [
        "type=sqli",
        "host=api.example.COM",
        "path=/login",
        "ip=2001:DB8:0::1",
        "status=monitoring",
        "parameter=get%20%3E%20q",
        "from=2026-01-01T11:00:00Z",
        "type=sqli&host=api.example.com&status=monitoring&to=",
    ] {
        let list = console.body(&format!("/api/v1/attacks?{query}")).await;
        let types: Vec<_> = list["items"].as_array().unwrap().iter().map(|attack| &attack["type"]).collect();
        assert_eq!(types, ["sqli"], "{query}");
    }
    let before = console.body("/api/v1/attacks?to=2026-01-01T11:00:00Z").await;
    assert_eq!(before["items"][0]["type"], "ptrav");
    assert_eq!(console.body("/api/v1/attacks?type=sqli&status=blocked").await["items"], json!([]));
}

/// Attacks with different values in every field of the search language.
async fn two_attacks() -> Console {
    let console = Console::start().await;
    let sqli = with(
        monitored(attack(2, 150)),
        &[
            ("/attack/hits", json!([hit(2, "sqli", &json!([["get", "q"]]), "' or 100%=100% \u{0} Ä")])),
            ("/attack/request/method", json!("POST")),
            ("/attack/request/host", json!("api.example.com")),
            ("/attack/request/path", json!("/v1/log_in")),
            ("/attack/request/client_ip", json!("2001:db8::1")),
        ],
    );
    console.ingest(&[attack(1, 0), attack(3, 5), sqli, response(2, 404, "viewer-response")]).await;
    console
}

#[tokio::test]
async fn search_conditions_select_matching_attacks() {
    let console = two_attacks().await;
    let types = async |query: &str| -> Vec<String> {
        let query: String = form_urlencoded::byte_serialize(query.as_bytes()).collect();
        let list = console.body(&format!("/api/v1/attacks?q={query}")).await;
        list["items"].as_array().unwrap().iter().map(|a| a["type"].as_str().unwrap().to_owned()).collect()
    };
    for query in [
        "type:sqli,xss",
        "-type:ptrav",
        "host:api.*",
        "host:API.example.com",
        "path:/v1/log_in",
        "path:/V?/*",
        "ip:2001:db8::/32",
        "-ip:0.0.0.0/0",
        "method:post",
        "response:4xx",
        "hits:<2",
        "blocked:0",
        "status:monitoring",
        "first_seen:>2026-01-01T11:00:00Z",
        "last_seen:-1h",
        "payload:\"100%=\"",
        "payload:\"' OR*\"",
        "parameter:\"get > q\"",
        "parameter:*q",
        "\"or 100%\"",
        "log_in",
        "request_id:00000000000000000000000000000002",
        "00000000000000000000000000000002",
        "type:sqli (host:nowhere OR method:POST)",
        "-(type:ptrav OR type:xss)",
        "type:sqli -payload:passwd -request_id:00000000000000000000000000000001",
    ] {
        assert_eq!(types(query).await, ["sqli"], "{query}");
    }
    for query in [
        "path:/v1/logXin",
        "payload:\"100_=\"",
        "host:a?i.example.com.",
        "-hits:>0",
        "log%in",
        "response:5xx",
    ] {
        assert_eq!(types(query).await, [""; 0], "{query}");
    }
    assert_eq!(types("").await, ["sqli", "ptrav"]);
    assert_eq!(types("hits:>=1 sources:1").await, ["sqli", "ptrav"]);
}

#[tokio::test]
async fn reports_the_column_of_a_query_error() {
    let console = Console::start().await;
    let answer = console.get("/api/v1/attacks?q=type:sqli%20hosst:a").await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.json()["parameter"], "q");
    assert_eq!(
        answer.json()["detail"],
        "column 11: `hosst` is not a field, did you mean `host`?; put quotes around a text with a colon"
    );
}

#[tokio::test]
async fn sorts_attacks_and_binds_cursors_to_their_order() {
    let console = two_attacks().await;
    let first = async |sort: &str| console.body(&format!("/api/v1/attacks?limit=1&sort={sort}")).await;
    for (sort, type_) in
        [("-last_seen", "sqli"), ("first_seen", "ptrav"), ("-hits", "ptrav"), ("blocked", "sqli")]
    {
        assert_eq!(first(sort).await["items"][0]["type"], type_, "{sort}");
    }
    let by_sources = console.body("/api/v1/attacks?sort=-sources").await;
    assert_eq!(by_sources["items"].as_array().unwrap().len(), 2);
    let cursor = first("hits").await["next_cursor"].as_str().unwrap().to_owned();
    let rest = console.body(&format!("/api/v1/attacks?sort=hits&cursor={cursor}")).await;
    assert_eq!((&rest["items"][0]["type"], &rest["next_cursor"]), (&json!("ptrav"), &json!(null)));
    let other = console.get(&format!("/api/v1/attacks?sort=-hits&cursor={cursor}")).await;
    assert_eq!((other.status.as_u16(), &other.json()["parameter"]), (400, &json!("cursor")));
    assert_eq!(console.get("/api/v1/attacks?sort=size").await.json()["parameter"], "sort");
}

#[tokio::test]
async fn groups_attacks_by_fields() {
    let console = two_attacks().await;
    assert_json_snapshot!("groups", console.body("/api/v1/attacks?group_by=type,host").await);
    let by_source = console.body("/api/v1/attacks?group_by=ip&limit=1").await;
    assert_eq!(by_source["items"][0]["hits"], 2);
    let cursor = by_source["next_cursor"].as_str().unwrap();
    let next = console.body(&format!("/api/v1/attacks?group_by=ip&cursor={cursor}")).await;
    assert_eq!(
        (&next["items"][0]["group"]["ip"], &next["next_cursor"]),
        (&json!("2001:db8::1"), &json!(null))
    );
    assert_eq!(console.body("/api/v1/attacks?group_by=path&q=type:sqli").await["items"][0]["attacks"], 1);
    assert_eq!(console.get("/api/v1/attacks?group_by=size").await.json()["parameter"], "group_by");
}

#[tokio::test]
async fn stats_cover_the_attacks_of_the_query() {
    let console = two_attacks().await;
    let stats = console.body("/api/v1/attacks/stats").await;
    let mut shown = stats.clone();
    shown["series"]["points"] = json!("see below");
    assert_json_snapshot!("stats", shown);
    let points = |stats: &Value| -> Vec<(String, i64, i64)> {
        let points = stats["series"]["points"].as_array().unwrap().iter();
        let number = |value: &Value| value.as_i64().unwrap();
        points
            .filter(|point| point["hits"] != 0)
            .map(|p| (p["at"].as_str().unwrap().to_owned(), number(&p["hits"]), number(&p["blocked"])))
            .collect()
    };
    let expected = [("10:00", 1, 1), ("10:05", 1, 1), ("12:30", 1, 0)];
    assert_eq!(
        points(&stats),
        expected.map(|(time, hits, blocked)| (format!("2026-01-01T{time}:00Z"), hits, blocked))
    );
    let sqli = console.body("/api/v1/attacks/stats?q=type:sqli&from=2026-01-01T12:00:00Z").await;
    assert_eq!(
        (&sqli["attacks"], &sqli["sources"], &sqli["series"]["interval_seconds"]),
        (&json!(1), &json!(1), &json!(60))
    );
    assert_eq!(points(&sqli), [("2026-01-01T12:30:00Z".to_owned(), 1, 0)]);
    let none = console.body("/api/v1/attacks/stats?host=nowhere").await;
    assert_eq!((&none["hits"], &none["top"]["ip"]), (&json!(0), &json!([])));
}

#[tokio::test]
async fn finds_payloads_in_merged_attacks() {
    let console = Console::start().await;
    let with_payload = |n: u32, minutes: u32, payload: &str| {
        with(attack(n, minutes), &[("/attack/hits/0/findings/0/payload", json!(payload))])
    };
    let long = format!("{}fin", "é".repeat(497));
    for record in [
        with_payload(1, 0, "first"),
        with_payload(2, 100, &long),
        with_payload(3, 0, "first"),
        with_payload(4, 50, "Between"),
    ] {
        console.ingest(&[record]).await;
    }
    for (query, expected) in
        [("first", 1), ("between", 1), ("payload:*fin", 1), ("payload:first", 1), ("second", 0)]
    {
        let list = console.body(&format!("/api/v1/attacks?q={query}")).await;
        assert_eq!(list["items"].as_array().unwrap().len(), expected, "{query}");
    }
}

#[tokio::test]
async fn stats_exclude_filtered_attacks() {
    let console = two_attacks().await;
    let stats = async |query: &str| console.body(&format!("/api/v1/attacks/stats?{query}")).await;
    assert_eq!(stats("q=-type:ptrav").await, stats("q=type:sqli").await);
    assert_eq!(stats("q=-(type:sqli+OR+path:*)").await["top"]["ip"], json!([]));
    assert_eq!(stats("q=-host:nowhere").await, stats("").await);
}

#[tokio::test]
async fn the_series_follows_merges_and_enforcement() {
    let console = Console::start().await;
    console.ingest(&[attack(1, 100)]).await;
    console.ingest(&[attack(2, 0)]).await;
    console.ingest(&[attack(3, 50)]).await;
    console.ingest(&[not_inspected(7, 3, "node_timeout")]).await;
    let series = console.body("/api/v1/attacks/stats").await["series"]["points"].clone();
    let sum =
        |name: &str| -> i64 { series.as_array().unwrap().iter().map(|p| p[name].as_i64().unwrap()).sum() };
    assert_eq!((sum("hits"), sum("blocked")), (3, 2));
}

#[tokio::test]
async fn streams_attacks_that_start_or_grow() {
    let console = Console::start().await;
    let minutes = 118;
    console.ingest(&[attack(1, minutes)]).await;
    let request = Request::get("/api/v1/attacks/stream?q=type:ptrav")
        .header(header::AUTHORIZATION, format!("Bearer {}", token_of(Role::ReadOnly)));
    let response = console.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut body = response.into_body();
    let sqli = with(
        attack(2, minutes),
        &[("/attack/hits", json!([hit(2, "sqli", &json!([["get", "q"]]), "' or 1=1")]))],
    );
    console.ingest(&[attack(3, minutes + 1), sqli]).await;
    let event = tokio::time::timeout(Duration::from_mins(1), body.frame()).await.unwrap().unwrap().unwrap();
    let event = String::from_utf8(event.into_data().unwrap().to_vec()).unwrap();
    let data = event.strip_prefix("event: attack\ndata: ").unwrap().trim_end();
    let attack: Value = serde_json::from_str(data).unwrap();
    assert_eq!((&attack["type"], &attack["hits"]), (&json!("ptrav"), &json!(2)));
}

#[tokio::test]
async fn streams_attacks_that_started_after_the_list() {
    let console = Console::start().await;
    console.ingest(&[attack(1, 118)]).await;
    let since = Uuid::now_v7();
    let other = with(attack(2, 118), &[("/attack/request/host", json!("other.example.com"))]);
    console.ingest(&[other]).await;
    let request = Request::get(format!("/api/v1/attacks/stream?since={since}"))
        .header(header::AUTHORIZATION, format!("Bearer {}", token_of(Role::ReadOnly)));
    let response = console.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let mut body = response.into_body();
    let event = tokio::time::timeout(Duration::from_mins(1), body.frame()).await.unwrap().unwrap().unwrap();
    let event = String::from_utf8(event.into_data().unwrap().to_vec()).unwrap();
    assert_eq!(
        (event.matches("event: attack").count(), event.contains("other.example.com")),
        (1, true),
        "{event}"
    );
}

#[tokio::test]
async fn the_schema_lists_the_search_fields() {
    let console = Console::start().await;
    assert_json_snapshot!("schema", console.body("/api/v1/attacks/schema").await);
}

#[tokio::test]
async fn exports_contain_every_matching_attack() {
    let console = Console::start().await;
    let records: Vec<_> = (0..1203)
        .map(|n| with(attack(n + 1, 0), &[("/attack/request/host", json!(format!("=host-{n}")))]))
        .collect();
    for batch in records.chunks(400) {
        console.ingest(batch).await;
    }
    let csv = console.get("/api/v1/attacks/export.csv?q=-host:*7").await;
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(csv.header("content-disposition"), "attachment; filename=\"attacks.csv\"");
    let (header, rows) = csv.text.split_once("\r\n").unwrap();
    let columns = "id,type,title,status,host,path,parameter,payload,hits,blocked,sources,first_seen,last_seen,mark,suspicious,seen_by";
    assert_eq!(header, columns, "consumers read columns by their positions: add new ones at the end");
    let hosts: BTreeSet<_> = rows.lines().map(|row| row.split(',').nth(4).unwrap()).collect();
    let expected: BTreeSet<_> = (0..1203).filter(|n| n % 10 != 7).map(|n| format!("'=host-{n}")).collect();
    assert!(hosts.iter().eq(expected.iter()), "{} of {}", hosts.len(), expected.len());
    let ndjson = console.get("/api/v1/attacks/export.ndjson").await;
    let lines: Vec<Value> = ndjson.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let hosts: BTreeSet<_> = lines.iter().map(|line| line["host"].to_string()).collect();
    assert_eq!((lines.len(), hosts.len()), (1203, 1203));
    assert_eq!(console.get("/api/v1/attacks/export.csv?q=x:y").await.status, 400);
}

#[tokio::test]
async fn paging_returns_each_attack_once() {
    let console = Console::start().await;
    // Pairs of attacks have equal times: the id is the tie-breaker.
    let records: Vec<_> = (0..25)
        .map(|n| {
            with(attack(n + 1, n / 2), &[("/attack/request/host", json!(format!("host-{n}.example.com")))])
        })
        .collect();
    console.ingest(&records).await;
    let (mut hosts, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = console.get(&format!("/api/v1/attacks?limit=7&cursor={cursor}")).await.json();
        hosts.extend(page["items"].as_array().unwrap().iter().map(|attack| attack["host"].to_string()));
        pages += 1;
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = next.to_owned();
    }
    assert_eq!((pages, hosts.len(), hosts.iter().collect::<BTreeSet<_>>().len()), (4, 25, 25));
}

#[tokio::test]
async fn paging_returns_each_hit_of_an_attack_once() {
    let console = Console::start().await;
    let records: Vec<_> = (0..9).map(|n| attack(n + 1, n / 4)).collect();
    console.ingest(&records).await;
    let id = console.only_attack().await;
    let (mut ids, mut cursor) = (BTreeSet::new(), String::new());
    for expected in [3, 6, 9] {
        let page = console.get(&format!("/api/v1/attacks/{id}/hits?limit=3&cursor={cursor}")).await.json();
        ids.extend(page["items"].as_array().unwrap().iter().map(|hit| hit["id"].to_string()));
        assert_eq!(ids.len(), expected);
        cursor = page["next_cursor"].as_str().unwrap_or_default().to_owned();
    }
    assert_eq!(cursor, "");
}

#[tokio::test]
async fn names_an_invalid_parameter() {
    let console = Console::start().await;
    for (query, name) in [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=many", "limit"),
        ("cursor=nonsense", "cursor"),
        ("status=angry", "status"),
        ("ip=300.1.1.1", "ip"),
        ("from=yesterday", "from"),
        ("type=SQL%20injection", "type"),
        ("colour=red", "colour"),
        ("host=a&host=b", "host"),
    ] {
        let answer = console.get(&format!("/api/v1/attacks?{query}")).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["parameter"]), (400, &json!(name)), "{query}");
    }
    assert_json_snapshot!("bad_parameter", console.get("/api/v1/attacks?colour=red").await.json());
}

#[tokio::test]
async fn answers_404_for_an_unknown_attack() {
    let console = Console::start().await;
    for path in [uuid(1), "seven".to_owned(), format!("{}/hits", uuid(1))] {
        assert_eq!(console.get(&format!("/api/v1/attacks/{path}")).await.status, 404, "{path}");
    }
}

/// The lookup depends on the database, and on the number of literal characters in a row.
#[tokio::test]
async fn finds_attacks_by_any_part_of_a_payload() {
    const PAYLOADS: [&str; 7] = [
        "1' OR 1=1 -- or",
        "%2e%2e/etc_passwd",
        "100% \\\\etc\\_x",
        "<ŠCRIPT>İ🦀é",
        "aaaaab",
        "{\"$ne\":[*?]}",
        "aa",
    ];
    let console = Console::start().await;
    let records = (1..).zip(PAYLOADS).map(|(n, payload)| {
        let path = ("/attack/request/path", json!(format!("/{n}")));
        with(attack(n, n), &[path, ("/attack/hits/0/findings/0/payload", json!(payload))])
    });
    console.ingest(&records.collect::<Vec<_>>()).await;
    for part in PAYLOADS.iter().flat_map(|payload| parts(payload)).collect::<BTreeSet<_>>() {
        let quoted: String = part.chars().flat_map(|character| ['\\', character]).collect();
        let query: String =
            form_urlencoded::byte_serialize(format!("payload:\"{quoted}\"").as_bytes()).collect();
        let list = console.body(&format!("/api/v1/attacks?q={query}")).await;
        let found =
            list["items"].as_array().unwrap().iter().map(|attack| attack["payload"].as_str().unwrap());
        let expected = PAYLOADS.into_iter().filter(|it| it.to_lowercase().contains(&part.to_lowercase()));
        assert_eq!(found.collect::<BTreeSet<_>>(), expected.collect(), "{part}");
    }
}

/// The parts of a text with at most six characters.
fn parts(text: &str) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    (1..=6).flat_map(|length| characters.windows(length)).map(|part| part.iter().collect()).collect()
}

#[tokio::test]
async fn every_field_is_searchable_after_a_restart() {
    let console = Console::start().await;
    let put = with(
        attack(2, 1),
        &[("/attack/request/method", json!("PUT")), ("/attack/request/path", json!("/other"))],
    );
    console.ingest(&[attack(1, 0), put]).await;
    let console = console.restart().await;
    for (query, expected) in [
        ("type:ptrav", 2),
        ("host:SHOP.*", 2),
        ("path:/other", 1),
        ("parameter:uri", 2),
        ("payload:passwd", 2),
        ("method:put", 1),
        ("severity:high", 2),
        ("severity:low", 0),
        ("other", 1),
    ] {
        let list = console.get(&format!("/api/v1/attacks?q={query}")).await.json();
        assert_eq!(list["items"].as_array().unwrap().len(), expected, "{query}: {list}");
    }
}
