//! Live streams and long polls end with the credential of their caller.

use crate::{
    harness::{Console, attack, send, token_of, with},
    rules::admin,
    sessions::{PASSWORD, cookie, sign_in},
    users::add,
};
use axum::{
    body::Body,
    http::{HeaderName, Request, header},
};
use console_api::{actor::Role, paging::Slice, query::Filter};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use std::time::Duration;
use tower::ServiceExt as _;

const PATHS: [&str; 2] = ["/api/v1/attacks/stream", "/api/v1/requests/stream"];

async fn open(console: &Console, path: &str, (name, value): (HeaderName, &str)) -> Body {
    let request = Request::get(path).header(name, value).body(Body::empty()).unwrap();
    let response = console.router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), 200, "{path}");
    response.into_body()
}

fn bearer() -> String {
    format!("Bearer {}", token_of(Role::ReadOnly))
}

/// The rest of a stream that ends.
async fn rest(body: Body) -> String {
    let rest = tokio::time::timeout(Duration::from_secs(30), body.collect()).await;
    String::from_utf8(rest.expect("the stream ends").unwrap().to_bytes().to_vec()).unwrap()
}

async fn token(console: &Console, role: &str) -> (String, String) {
    let made =
        admin(console, "POST", "/api/v1/tokens", &json!({"name": "report", "role": role})).await.json();
    let path = format!("/api/v1/tokens/{}", made["id"].as_str().unwrap());
    (path, format!("Bearer {}", made["token"].as_str().unwrap()))
}

#[tokio::test]
async fn live_streams_end_with_their_token() {
    let console = Console::start().await;
    let (path, bearer) = token(&console, "read_only").await;
    let (_, other) = token(&console, "read_only").await;
    let credential = (header::AUTHORIZATION, bearer.as_str());
    let ended =
        [open(&console, PATHS[0], credential.clone()).await, open(&console, PATHS[1], credential).await];
    let mut kept = open(&console, PATHS[0], (header::AUTHORIZATION, &other)).await;
    assert_eq!(admin(&console, "DELETE", &path, &Value::Null).await.status, 204);
    console.ingest(&[attack(1, 118)]).await;
    for body in ended {
        assert_eq!(rest(body).await, "");
    }
    let event = tokio::time::timeout(Duration::from_secs(30), kept.frame()).await.unwrap().unwrap().unwrap();
    assert!(event.into_data().unwrap().starts_with(b"event: attack"));
}

#[tokio::test]
async fn live_streams_end_with_their_session() {
    let console = Console::start().await;
    let user = add(&console, "ann", "analyst", PASSWORD).await;
    let signed_in = async || cookie(&sign_in(&console.router, "203.0.113.7", "ann", PASSWORD).await);
    let first = signed_in().await;
    let ended = open(&console, PATHS[1], (header::COOKIE, &first)).await;
    let request = Request::delete("/api/v1/sessions/current").header(header::COOKIE, &first);
    let request = request.header("sec-fetch-site", "same-origin").body(Body::empty()).unwrap();
    assert_eq!(send(&console.router, request).await.status, 204);
    assert_eq!(rest(ended).await, "");

    let ended = open(&console, PATHS[0], (header::COOKIE, &signed_in().await)).await;
    let changed = json!({"name": "ann", "role": "read_only", "password": "another horse battery"});
    user.replace(&console, &changed).await;
    console.ingest(&[attack(1, 118)]).await;
    assert_eq!(rest(ended).await, "");
}

#[tokio::test]
async fn a_long_poll_ends_with_its_token() {
    let console = Console::start().await;
    let (path, bearer) = token(&console, "node").await;
    let poll = |query: &str, etag: &str| {
        let request = Request::get(format!("{}{query}", shared::NODE_CONFIG_PATH));
        let request = request.header(header::AUTHORIZATION, &bearer).header(header::IF_NONE_MATCH, etag);
        request.body(Body::empty()).unwrap()
    };
    let etag = send(&console.router, poll("", "")).await.header("etag").to_owned();
    let change = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(admin(&console, "DELETE", &path, &Value::Null).await.status, 204);
        let entry = json!({"list": "deny", "source": {"asn": 64500}});
        assert_eq!(admin(&console, "POST", "/api/v1/ip-lists", &entry).await.status, 201);
    };
    let (answer, ()) = tokio::join!(send(&console.router, poll("?wait=30", &etag)), change);
    assert_eq!(answer.status, 401, "{}", answer.text);
}

/// A record of an attack on this host at this time.
fn at(n: u32, host: &str, time: &str) -> Value {
    with(attack(n, 0), &[("/attack/request/at", json!(time)), ("/attack/request/host", json!(host))])
}

/// The hosts in the events of a stream, up to this one.
async fn hosts_up_to(body: &mut Body, last: &str) -> Vec<String> {
    let mut hosts: Vec<String> = Vec::new();
    while hosts.last().is_none_or(|host| host != last) {
        let frame = tokio::time::timeout(Duration::from_secs(30), body.frame()).await;
        let data = frame.expect("an event arrives").unwrap().unwrap().into_data().unwrap();
        let text = String::from_utf8(data.to_vec()).unwrap();
        let events = text.lines().filter_map(|line| line.strip_prefix("data: "));
        let host =
            |event: &str| serde_json::from_str::<Value>(event).unwrap()["host"].as_str().unwrap().to_owned();
        hosts.extend(events.map(host));
    }
    hosts
}

#[tokio::test]
async fn live_streams_report_hits_that_are_delivered_late_once() {
    for path in PATHS {
        let console = Console::start().await;
        console.ingest(&[at(1, "old.example.com", "2026-01-01T11:59:00Z")]).await;
        let mut body = open(&console, path, (header::AUTHORIZATION, &bearer())).await;
        console.ingest(&[at(2, "new.example.com", "2026-01-01T11:59:30Z")]).await;
        // A node was cut off from the console for days.
        console.ingest(&[at(3, "late.example.com", "2025-12-25T10:00:00Z")]).await;
        console.ingest(&[at(3, "late.example.com", "2025-12-25T10:00:00Z")]).await;
        let mut hosts = hosts_up_to(&mut body, "late.example.com").await;
        if hosts.len() == 1 {
            // Attacks of one poll are sent in the order of their times.
            hosts.extend(hosts_up_to(&mut body, "new.example.com").await);
        }
        console.ingest(&[at(4, "last.example.com", "2026-01-01T11:59:45Z")]).await;
        hosts.extend(hosts_up_to(&mut body, "last.example.com").await);
        hosts.sort();
        assert_eq!(hosts, ["last.example.com", "late.example.com", "new.example.com"], "{path}");
    }
}

#[tokio::test]
async fn hits_since_a_list_end_where_the_arrivals_of_the_stream_start() {
    let console = Console::start().await;
    let (filter, slice) = (Filter::default(), Slice::default());
    let listed = async |last: i64| {
        let hits = console.store.hits_matching_up_to(last, &filter, &slice).await.unwrap().items;
        hits.into_iter().map(|hit| hit.host).collect::<Vec<_>>()
    };
    console.ingest(&[at(1, "a.example.com", "2026-01-01T11:59:00Z")]).await;
    let start = console.store.last_arrival().await.unwrap();
    console.ingest(&[at(2, "b.example.com", "2026-01-01T11:59:30Z")]).await;
    let end = console.store.last_arrival().await.unwrap();
    assert_eq!(listed(start).await, ["a.example.com"]);
    let arrived = console.store.arrived_hits(&filter, start..end, 10).await.unwrap();
    assert_eq!(arrived.into_iter().map(|hit| hit.host).collect::<Vec<_>>(), ["b.example.com"]);
    let mut connection = console.database.connect().await;
    sqlx::query("update hits set arrival = null").execute(&mut connection).await.unwrap();
    assert_eq!(listed(start).await.len(), 2, "hits that an older console stored");
}

#[tokio::test]
async fn live_streams_report_only_what_matches() {
    for (path, query) in PATHS.into_iter().zip(["?q=ip:203.0.113.7+host:*.example.com", "?q=ip:203.0.113.7"])
    {
        let console = Console::start().await;
        let mut body = open(&console, &format!("{path}{query}"), (header::AUTHORIZATION, &bearer())).await;
        let of_another = |n, host| {
            with(at(n, host, "2026-01-01T11:00:00Z"), &[("/attack/request/client_ip", json!("203.0.113.8"))])
        };
        console
            .ingest(&[of_another(1, "other.example.com"), at(2, "a.example.com", "2026-01-01T11:00:00Z")])
            .await;
        assert_eq!(hosts_up_to(&mut body, "a.example.com").await, ["a.example.com"], "{path}");
        // The attack grows by a hit that does not match.
        console.ingest(&[of_another(3, "a.example.com")]).await;
        console.ingest(&[at(4, "b.example.com", "2026-01-01T11:00:00Z")]).await;
        assert_eq!(hosts_up_to(&mut body, "b.example.com").await, ["b.example.com"], "{path}");
    }
}
