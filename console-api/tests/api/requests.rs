//! Requests: the list of hits of all attacks, with its groups, statistics, exports and page.

use crate::harness::{Console, attack, hit, monitored, response, send, token_of, uuid, with};
use crate::suspicious::suspicious;
use axum::{
    body::Body,
    http::{Request, header},
};
use console_api::actor::Role;
use serde_json::{Value, json};

/// Six hits in three attacks, one a minute; the last one is suspicious, the one before it passed.
async fn console() -> Console {
    let console = Console::start().await;
    let xss = |n: u32| {
        let hits = json!([hit(n, "xss", &json!([["get", "q"]]), "<script>")]);
        with(attack(n, n), &[("/attack/hits", hits), ("/attack/request/path", json!("/search"))])
    };
    let mut located = attack(1, 1);
    located["attack"]["location"] = json!({"country": "DE", "asn": 64500});
    let post = with(xss(3), &[("/attack/request/method", json!("POST"))]);
    let guest = with(monitored(xss(5)), &[("/attack/request/client_ip", json!("198.51.100.9"))]);
    let records =
        [located, attack(2, 2), post, xss(4), guest, suspicious(xss(6)), response(5, 404, "viewer-response")];
    console.ingest(&records).await;
    console
}

async fn ids(console: &Console, path: &str) -> Vec<u32> {
    let list = console.get(path).await.json();
    let items = list["items"].as_array().unwrap_or_else(|| panic!("{path}: {list}"));
    let number = |hit: &Value| hit["id"].as_str().unwrap()[24..].parse().unwrap();
    items.iter().map(number).collect()
}

async fn page(console: &Console, path: &str) -> String {
    let request =
        Request::get(path).header(header::AUTHORIZATION, format!("Bearer {}", token_of(Role::Analyst)));
    send(&console.router, request.body(Body::empty()).unwrap()).await.text
}

#[tokio::test]
async fn a_search_lists_the_hits_that_match_the_latest_first() {
    let console = console().await;
    for (query, expected) in [
        ("", &[5, 4, 3, 2, 1][..]),
        ("?action=any", &[6, 5, 4, 3, 2, 1]),
        ("?action=suspicious", &[6]),
        ("?action=passed", &[5]),
        ("?q=type:xss", &[5, 4, 3]),
        ("?q=type:xss+action:blocked", &[4, 3]),
        ("?q=ip:198.51.100.9", &[5]),
        ("?q=-ip:198.51.100.9", &[4, 3, 2, 1]),
        ("?q=method:POST+OR+country:DE", &[3, 1]),
        ("?q=response:4xx", &[5]),
        ("?q=path:/sea*", &[5, 4, 3]),
        ("?q=script", &[5, 4, 3]),
        ("?q=nowhere", &[]),
        ("?from=2026-01-01T10:02:00Z&to=2026-01-01T10:04:00Z", &[3, 2]),
        ("?q=type:xss&from=2026-01-01T10:04:00Z", &[5, 4]),
    ] {
        assert_eq!(ids(&console, &format!("/api/v1/requests{query}")).await, expected, "{query}");
    }
    assert_eq!(console.get("/api/v1/requests?sort=-hits").await.status, 400, "one order");
}

#[tokio::test]
async fn a_hit_of_a_false_positive_is_left_out() {
    let console = console().await;
    let attack = console.get("/api/v1/attacks?q=type:ptrav").await.json();
    let id = attack["items"][0]["id"].as_str().unwrap().to_owned();
    let mark = Request::post(format!("/api/v1/attacks/{id}/mark"))
        .header(header::AUTHORIZATION, format!("Bearer {}", token_of(Role::Analyst)))
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::IF_MATCH, "\"0\"");
    let body = json!({"mark": "false_positive"}).to_string();
    assert_eq!(send(&console.router, mark.body(Body::from(body)).unwrap()).await.status, 200);
    assert_eq!(ids(&console, "/api/v1/requests").await, [5, 4, 3]);
    assert_eq!(ids(&console, "/api/v1/requests?mark=false_positive").await, [2, 1]);
}

#[tokio::test]
async fn pages_of_the_list_follow_each_other() {
    let console = console().await;
    for query in ["", "&q=type:xss,ptrav", "&q=method:get,post"] {
        let (mut found, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/api/v1/requests?limit=2{query}&cursor={cursor}");
            found.extend(ids(&console, &path).await);
            match console.get(&path).await.json()["next_cursor"].as_str() {
                Some(next) => next.clone_into(&mut cursor),
                None => break,
            }
        }
        assert_eq!(found, [5, 4, 3, 2, 1], "{query}");
    }
}

#[tokio::test]
async fn groups_and_statistics_count_the_same_hits_as_the_list() {
    let console = console().await;
    for query in
        ["", "action=any", "q=type:xss", "q=method:GET", "from=2026-01-01T10:02:00Z&to=2026-01-01T10:04:00Z"]
    {
        let listed = ids(&console, &format!("/api/v1/requests?{query}")).await.len();
        for fields in ["type", "country", "ip", "path,signature"] {
            let groups = console.get(&format!("/api/v1/requests?group_by={fields}&{query}")).await.json();
            let hits: u64 =
                groups["items"].as_array().unwrap().iter().map(|group| group["hits"].as_u64().unwrap()).sum();
            assert_eq!(hits, listed as u64, "{query} by {fields}: {groups}");
        }
        let stats = console.get(&format!("/api/v1/requests/stats?{query}")).await.json();
        assert_eq!(stats["hits"], listed, "{query}: {stats}");
        let points = stats["series"]["points"].as_array().unwrap();
        let charted: u64 = points.iter().map(|point| point["hits"].as_u64().unwrap()).sum();
        assert_eq!(charted, listed as u64, "{query}: {stats}");
    }
}

#[tokio::test]
async fn exports_have_a_row_for_each_hit() {
    let console = console().await;
    let csv = console.get("/api/v1/requests/export.csv?q=ip:203.0.113.7").await.text;
    let rows: Vec<_> = csv.lines().collect();
    assert_eq!(rows.len(), 5, "{csv}");
    assert!(
        rows[0].starts_with("at,id,request_id,") && rows[4].contains(",203.0.113.7,DE,AS64500,curl,"),
        "{csv}"
    );
    let lines = console.get("/api/v1/requests/export.ndjson?action=any").await.text;
    let first: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!((lines.lines().count(), &first["id"]), (6, &json!(uuid(6))));
}

#[tokio::test]
async fn the_page_has_a_row_for_each_hit_with_the_chosen_columns() {
    let console = console().await;
    let all = page(&console, "/requests").await;
    for n in 1..=6 {
        assert_eq!(all.contains(&format!("/hits/{}", uuid(n))), n < 6, "{n}: {all}");
    }
    for shown in
        ["\u{1f1e9}\u{1f1ea} DE", "AS64500", "198.51.100.9", "POST", ">Passed<", ">404<", "get &#62; q"]
    {
        assert!(all.contains(shown), "{shown}: {all}");
    }
    assert!(!all.contains("ptrav-sample"));
    let chosen = page(&console, "/requests?columns=signature,user_agent&q=type:ptrav").await;
    assert!(chosen.contains("ptrav-sample") && chosen.contains(">curl<"), "{chosen}");
    assert!(!chosen.contains("<th scope=\"col\" class=\"\">Source</th>"), "{chosen}");
    // The choice stays in the addresses of the page.
    assert!(
        chosen.contains("<input type=\"hidden\" name=\"columns\" value=\"signature,user_agent\">"),
        "{chosen}"
    );
    let with_suspicious = page(&console, "/requests?action=any").await;
    assert!(with_suspicious.contains(&format!("/hits/{}", uuid(6))));
    let grouped = page(&console, "/requests?group_by=country").await;
    assert!(grouped.contains("q=country%3ADE") && grouped.contains("q=country%3Aunknown"), "{grouped}");
    let charts = page(&console, "/requests/charts?q=type:ptrav").await;
    assert!(
        charts.contains("Countries") && charts.contains("/requests?q=type%3Aptrav+country%3ADE"),
        "{charts}"
    );
}

#[tokio::test]
async fn an_unknown_column_is_an_error() {
    let console = console().await;
    assert!(page(&console, "/requests?columns=size").await.contains("names of columns"));
}

#[tokio::test]
async fn a_range_is_compared_with_the_period_before_it() {
    let console = console().await;
    let range = "from=2026-01-01T10:03:00Z&to=2026-01-01T10:06:00Z";
    for subject in ["requests", "attacks"] {
        let path = format!("/api/v1/{subject}/stats?method=GET&{range}&compare=previous");
        let stats = console.get(&path).await.json();
        let before = &stats["previous"];
        assert_eq!(before["series"]["from"], "2026-01-01T10:00:00Z", "{stats}");
        assert_eq!(
            (&stats["hits"], &before["hits"], &before["blocked"]),
            (&json!(2), &json!(2), &json!(2)),
            "{stats}"
        );
        assert_eq!(stats["previous"]["attacks"], 1, "{stats}");
    }
    let without = console.get(&format!("/api/v1/requests/stats?{range}")).await.json();
    assert_eq!(without["previous"], json!(null));
    let charts = page(&console, &format!("/requests/charts?method=GET&{range}&compare=previous")).await;
    assert!(charts.contains("hits <b>±0 %</b>") && charts.contains("class=\"previous\""), "{charts}");
    let charts = page(&console, &format!("/requests/charts?{range}")).await;
    assert!(charts.contains("&amp;compare=previous") || charts.contains("&#38;compare=previous"), "{charts}");
}

#[tokio::test]
async fn times_without_a_zone_are_in_utc() {
    let console = console().await;
    let expected = ids(&console, "/api/v1/requests?from=2026-01-01T10:04:00Z").await;
    assert_eq!(ids(&console, "/api/v1/requests?from=2026-01-01T10:04").await, expected);
    let list = page(&console, "/requests?from=2026-01-01T10:04").await;
    assert!(list.contains("name=\"from\" value=\"2026-01-01T10:04:00\""), "{list}");
    // The age, and the exact time on hover.
    assert!(list.contains("title=\"2026-01-01 10:05:00 UTC\">1 h ago <span>10:05:00</span>"), "{list}");
}
