//! Limits of what one caller can take: concurrent searches, streams and long polls, the time of a
//! search, and the time of a body.

use crate::{
    harness::{Answer, Console, app, attack, now, send, token_of, uuid, with},
    rules::call,
};
use axum::{
    Router,
    body::{Body, Bytes},
    http::{Request, header},
    response::Response,
};
use console_api::{
    actor::Role,
    caller_limit::{CallerLimit, POLLS, Quota, SEARCHES, STREAMS},
    server::router,
    store::{Store, TokenSource},
    token::Token,
};
use futures_util::{StreamExt as _, stream};
use serde_json::json;
use shared::NODE_CONFIG_PATH;
use sqlx::Executor as _;
use std::{convert::Infallible, time::Duration};
use tower::ServiceExt as _;

fn request(role: Role, path: &str) -> Request<Body> {
    let request = Request::get(path).header(header::AUTHORIZATION, format!("Bearer {}", token_of(role)));
    request.body(Body::empty()).unwrap()
}

async fn get(router: &Router, role: Role, path: &str) -> Answer {
    send(router, request(role, path)).await
}

/// A response whose body is not read: its call still runs.
async fn unread(router: &Router, role: Role, path: &str) -> Response {
    let response = router.clone().oneshot(request(role, path)).await.unwrap();
    assert_eq!(response.status(), 200, "{path}");
    response
}

#[track_caller]
fn assert_refused(answer: &Answer, status: u16, detail: &str) {
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (status, "5"), "{}", answer.text);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert!(answer.json()["detail"].as_str().unwrap().contains(detail), "{}", answer.text);
}

#[tokio::test]
async fn searches_of_one_token_do_not_keep_others_out() {
    let console = Console::start().await;
    console.ingest(&[attack(1, 0)]).await;
    let mut app = app(&console.store, now());
    app.searches = CallerLimit::new(Quota { queue_timeout: Duration::from_millis(10), ..SEARCHES });
    let router = router(app);
    let export = "/api/v1/attacks/export.csv";
    let running =
        [unread(&router, Role::ReadOnly, export).await, unread(&router, Role::ReadOnly, export).await];
    for path in ["/api/v1/attacks", "/api/v1/attacks/stats", "/api/v1/attacks/export.cef"] {
        let refused = get(&router, Role::ReadOnly, path).await;
        assert_refused(&refused, 503, "already runs 2 searches at a time");
        assert!(refused.text.contains("a shorter time range"), "{}", refused.text);
        assert_eq!(get(&router, Role::Analyst, path).await.status, 200, "{path} of another token");
    }
    let page = get(&router, Role::ReadOnly, "/attacks").await;
    assert_eq!(page.status, 503, "{}", page.text);
    assert!(page.text.contains("already runs 2 searches"), "{}", page.text);
    assert_eq!(get(&router, Role::ReadOnly, "/api/v1/rules").await.status, 200, "no search");
    drop(running);
    assert_eq!(get(&router, Role::ReadOnly, "/api/v1/attacks").await.status, 200);
}

#[tokio::test]
async fn previews_on_recorded_requests_count_as_searches() {
    let console = Console::start().await;
    console.ingest(&[attack(1, 0)]).await;
    let mut app = app(&console.store, now());
    app.searches = CallerLimit::new(Quota { queue_timeout: Duration::from_millis(10), ..SEARCHES });
    let router = router(app);
    let export = "/api/v1/attacks/export.ndjson";
    let _running =
        [unread(&router, Role::Analyst, export).await, unread(&router, Role::Analyst, export).await];
    let preview = call(
        Role::Analyst,
        "POST",
        &format!("/api/v1/hits/{}/exclusion?dry_run=true", uuid(1)),
        None,
        &json!({"width": "type"}),
    );
    assert_refused(&send(&router, preview).await, 503, "already runs 2 searches");
    let test = call(Role::Analyst, "POST", "/rules/test", None, &json!({}));
    assert_eq!(send(&router, test).await.status, 503, "the page of rules tests detectors, too");
}

#[tokio::test]
async fn a_search_that_takes_too_long_is_stopped() {
    let console = Console::start().await;
    let records: Vec<_> = (1..=200)
        .map(|n| with(attack(n, n % 60), &[("/attack/request/host", json!(format!("shop-{n}.example.com")))]))
        .collect();
    console.ingest(&records).await;
    let (at, keys) = (&console.database.at, console.database.keys());
    let store = Store::open_with(at, &keys, Duration::from_micros(1)).await.unwrap();
    let router = router(app(&store, now()));
    // PostgreSQL is stopped while it waits, SQLite while it computes.
    let mut lock = console.database.connect().await;
    if !console.database.is_sqlite() {
        lock.execute("begin").await.unwrap();
        lock.execute("lock table attacks in access exclusive mode").await.unwrap();
    }
    let stopped = get(&router, Role::ReadOnly, "/api/v1/attacks/stats").await;
    assert_refused(&stopped, 503, "the search was stopped");
    assert!(stopped.text.contains("a shorter time range"), "{}", stopped.text);
    drop(lock);
    assert_eq!(console.get("/api/v1/attacks/stats").await.json()["attacks"], 200);
}

#[tokio::test]
async fn live_streams_of_one_caller_are_limited() {
    let console = Console::start().await;
    let mut app = app(&console.store, now());
    app.streams = CallerLimit::new(Quota { running: 2, ..STREAMS });
    let router = router(app);
    let stream = "/api/v1/attacks/stream";
    let open = [unread(&router, Role::ReadOnly, stream).await, unread(&router, Role::ReadOnly, stream).await];
    assert_refused(&get(&router, Role::ReadOnly, stream).await, 503, "already has 2 live streams");
    drop(unread(&router, Role::Analyst, stream).await);
    drop(open);
    drop(unread(&router, Role::ReadOnly, stream).await);
}

#[tokio::test]
async fn long_polls_of_one_token_and_of_all_are_limited() {
    let console = Console::start().await;
    let mut app = app(&console.store, now());
    app.polls = CallerLimit::new(Quota { running: 2, total: 3, ..POLLS });
    let (router, notifier) = (router(app.clone()), app.change_notifier.clone());
    let other = Token::parse("wlc_the_token_of_another_node").unwrap();
    console.store.add_token(&other, Role::Node, "other", TokenSource::Command, now()).await.unwrap();
    let known = get(&router, Role::Node, NODE_CONFIG_PATH).await.header("etag").to_owned();
    let poll = |token: &str| {
        let request = Request::get(format!("{NODE_CONFIG_PATH}?wait=60"))
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::IF_NONE_MATCH, &known);
        let (router, request) = (router.clone(), request.body(Body::empty()).unwrap());
        async move { send(&router, request).await }
    };
    let waiting = |token: String| tokio::spawn(poll(&token));
    let waits_for = async |calls: usize| {
        while app.polls.running() < calls {
            tokio::task::yield_now().await;
        }
    };
    let mut polls = vec![waiting(token_of(Role::Node)), waiting(token_of(Role::Node))];
    waits_for(2).await;
    assert_refused(&poll(&token_of(Role::Node)).await, 429, "already has 2 calls that wait");
    polls.push(waiting(other.reveal().to_owned()));
    waits_for(3).await;
    assert_refused(&poll(other.reveal()).await, 503, "3 calls wait for a ruleset");
    notifier.close();
    for poll in polls {
        assert_eq!(poll.await.unwrap().status, 304);
    }
    assert_eq!(app.polls.running(), 0);
}

/// A body whose first bytes arrive at once, and then some in each of `pauses`.
fn slow(bytes: &'static str, pause: Duration, pauses: usize) -> Body {
    let first = stream::iter([Ok::<_, Infallible>(Bytes::from_static(bytes.as_bytes()))]);
    let rest = stream::iter(0..pauses).then(move |_| async move {
        tokio::time::sleep(pause).await;
        Ok(Bytes::from_static(b" "))
    });
    Body::from_stream(first.chain(rest))
}

#[tokio::test]
async fn a_body_that_arrives_slowly_is_refused_on_every_route() {
    const JSON: &str = "application/json";
    const FORM: &str = "application/x-www-form-urlencoded";
    let console = Console::start().await;
    let mut app = app(&console.store, now());
    app.body_timeout = Duration::from_millis(50);
    let router = router(app);
    for (role, path, content_type, start) in [
        (None, "/sign-in", FORM, "user=admin&password="),
        (None, "/api/v1/sessions", JSON, "{\"user\": \"admin\","),
        (Some(Role::Analyst), "/rules", FORM, "kind=mode"),
        (Some(Role::Analyst), "/api/v1/rules", JSON, "{"),
        (Some(Role::Node), "/api/v1/ingest", JSON, "{"),
    ] {
        // Each part arrives in time, but not all of them.
        for pause in [Duration::from_millis(5), Duration::from_hours(1)] {
            let mut request = Request::post(path)
                .header(header::CONTENT_TYPE, content_type)
                .header("sec-fetch-site", "same-origin");
            if let Some(role) = role {
                request = request.header(header::AUTHORIZATION, format!("Bearer {}", token_of(role)));
            }
            let refused = send(&router, request.body(slow(start, pause, 1_000_000)).unwrap()).await;
            assert_eq!(refused.status, 408, "{path}: {}", refused.text);
            assert!(refused.text.contains("the body did not arrive within 50ms"), "{path}: {}", refused.text);
            assert_eq!(refused.text.contains("<h1>"), content_type == FORM, "{path}: {}", refused.text);
        }
    }
    let in_time = Request::post("/api/v1/sessions").header(header::CONTENT_TYPE, JSON);
    let body = slow("{\"user\": \"admin\", \"password\": \"wrong\"}", Duration::from_millis(1), 3);
    assert_eq!(send(&router, in_time.body(body).unwrap()).await.status, 401);
}
