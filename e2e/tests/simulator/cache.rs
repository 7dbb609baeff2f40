//! What is kept, for whom, and for how long. Time is a clock that stands still until it is told to go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use e2e::cloudfront::{CachePolicy, DistributionConfig, ErrorCaching, ErrorResponse, Selection};
use e2e::http1::{Request, Response};
use tokio::sync::Notify;

use crate::harness::{Edge, count, does, eventually};

const DAY: u64 = 86_400;

/// A distribution that keeps by this policy, before an origin that numbers its answers.
async fn keeping(policy: CachePolicy, answer: impl Fn(&Request) -> Response + Send + Sync + 'static) -> Edge {
    let answers = AtomicUsize::new(0);
    let numbered = move |request: &Request| {
        let number = answers.fetch_add(1, Ordering::Relaxed) + 1;
        let response = answer(request);
        if response.body.is_empty() { response.with_body(number.to_string()) } else { response }
    };
    Edge::before(numbered, |config| config.default_behavior.cache = policy).await
}

fn plain(_: &Request) -> Response {
    Response::new(200)
}

fn says(status: u16, cache_control: &'static str) -> impl Fn(&Request) -> Response {
    move |_| match cache_control {
        "" => Response::new(status),
        value => Response::new(status).header("Cache-Control", value),
    }
}

/// Body and `X-Cache` without its last words.
fn seen(response: &Response) -> (String, String) {
    let x_cache = response.headers.text("x-cache").unwrap();
    (response.body_text(), x_cache.strip_suffix(" from cloudfront").unwrap().to_owned())
}

fn is(body: &str, x_cache: &str) -> (String, String) {
    (body.to_owned(), x_cache.to_owned())
}

#[tokio::test]
async fn x_cache_and_age_tell_a_miss_from_a_hit() {
    let edge = keeping(CachePolicy::with_ttls(0, 60, DAY), plain).await;
    let first = edge.get("/a").await;
    assert_eq!((seen(&first), first.headers.has("age")), (is("1", "Miss"), false));
    edge.clock.advance(Duration::from_secs(59));
    let second = edge.get("/a").await;
    assert_eq!((seen(&second), second.headers.text("age").unwrap().as_str()), (is("1", "Hit"), "59"));
    assert_ne!(first.headers.text("x-amz-cf-id"), second.headers.text("x-amz-cf-id"));
    edge.clock.advance(Duration::from_secs(1));
    assert_eq!(seen(&edge.get("/a").await), is("2", "Miss"));
}

#[tokio::test]
async fn caching_disabled_keeps_nothing() {
    let edge = keeping(CachePolicy::disabled(), says(200, "max-age=60")).await;
    assert_eq!(seen(&edge.get("/").await), is("1", "Miss"));
    assert_eq!(seen(&edge.get("/").await), is("2", "Miss"));
}

#[tokio::test]
async fn the_origins_headers_and_the_ttls_decide_together() {
    for (ttls, cache_control, kept) in [
        ((0, 60, DAY), "max-age=10", 10),
        ((0, 60, DAY), "max-age=10, s-maxage=20", 20),
        ((0, 60, 100), "max-age=500", 100),
        ((30, 60, DAY), "max-age=10", 30),
        ((0, 60, DAY), "no-store", 0),
        ((0, 60, DAY), "private", 0),
        ((5, 60, DAY), "no-store", 5),
    ] {
        let edge = keeping(CachePolicy::with_ttls(ttls.0, ttls.1, ttls.2), says(200, cache_control)).await;
        edge.get("/").await;
        if kept > 0 {
            edge.clock.advance(Duration::from_secs(kept - 1));
            assert_eq!(seen(&edge.get("/").await), is("1", "Hit"), "{ttls:?} {cache_control}");
            edge.clock.advance(Duration::from_secs(1));
        }
        assert_eq!(seen(&edge.get("/").await), is("2", "Miss"), "{ttls:?} {cache_control}");
    }
}

#[tokio::test]
async fn the_key_holds_what_the_policy_names_and_nothing_else() {
    let policy = CachePolicy {
        headers: Selection::only(&["X-Tenant"]),
        cookies: Selection::only(&["lang"]),
        query: Selection::only(&["page"]),
        gzip: true,
        ..CachePolicy::with_ttls(0, 60, DAY)
    };
    let edge = keeping(policy, plain).await;
    let request = |target: &str, headers: &[(&str, &str)]| {
        let request = Request::new("GET", target, "shop.example.com");
        headers.iter().fold(request, |request, (name, value)| request.header(name, value))
    };
    edge.send(request("/?page=1", &[])).await;
    for same in [
        request("/?page=1&utm=2", &[]),
        request("/?page=1", &[("Cookie", "session=1"), ("User-Agent", "curl"), ("X-Attack", "<script>")]),
        request("/?page=1", &[("Accept-Encoding", "zstd")]),
    ] {
        assert_eq!(seen(&edge.send(same.clone()).await), is("1", "Hit"), "{same:?}");
    }
    for other in [
        request("/?page=2", &[]),
        request("/x?page=1", &[]),
        request("/?page=1", &[("X-Tenant", "b")]),
        request("/?page=1", &[("Cookie", "lang=de")]),
        request("/?page=1", &[("Accept-Encoding", "gzip, br")]),
    ] {
        assert_eq!(seen(&edge.send(other.clone()).await).1, "Miss", "{other:?}");
        assert_eq!(seen(&edge.send(other.clone()).await).1, "Hit", "{other:?}");
    }
}

#[tokio::test]
async fn only_get_and_head_are_kept_and_options_when_asked_for() {
    let edge = keeping(CachePolicy::with_ttls(0, 60, DAY), plain).await;
    let request = |method: &str| Request::new(method, "/", "a.example");
    for method in ["POST", "OPTIONS"] {
        edge.send(request(method)).await;
        assert_eq!(seen(&edge.send(request(method)).await).1, "Miss", "{method}");
    }
    edge.send(request("GET")).await;
    let head = edge.send(request("HEAD")).await;
    assert_eq!((seen(&head).1.as_str(), head.headers.text("content-length").unwrap().as_str()), ("Hit", "1"));
    let edge = Edge::before(plain, |config| {
        config.default_behavior.cache = CachePolicy::with_ttls(0, 60, DAY);
        config.default_behavior.caches_options = true;
    })
    .await;
    edge.send(request("GET")).await;
    assert_eq!(seen(&edge.send(request("OPTIONS")).await).1, "Miss");
    assert_eq!(seen(&edge.send(request("OPTIONS")).await).1, "Hit");
}

#[tokio::test]
async fn a_hit_runs_the_viewers_functions_and_not_the_origins() {
    let viewer = does("return response or request").await;
    let origin = does("return response or request").await;
    let edge = Edge::before(plain, |config| {
        config.default_behavior.cache = CachePolicy::with_ttls(0, 60, DAY);
        let functions = &mut config.default_behavior.functions;
        (functions.viewer_request, functions.viewer_response) = (viewer.at(), viewer.at());
        (functions.origin_request, functions.origin_response) = (origin.at(), origin.at());
    })
    .await;
    for _ in 0..3 {
        assert_eq!(edge.get("/").await.status, 200);
    }
    let invocations = |function: &e2e::lambda::Function| {
        count(function.log(), |event| matches!(event, e2e::lambda::LogEvent::InvokeStart { .. }))
    };
    assert_eq!((invocations(&viewer), invocations(&origin)), (6, 2));
}

#[tokio::test]
async fn what_viewer_request_changes_changes_the_key() {
    let moves = does("request['uri'] = '/same'\nreturn request").await;
    let edge = Edge::before(plain, |config| {
        config.default_behavior.cache = CachePolicy::with_ttls(0, 60, DAY);
        config.default_behavior.functions.viewer_request = moves.at();
    })
    .await;
    edge.get("/a").await;
    assert_eq!(seen(&edge.get("/b").await).1, "Hit");
    assert_eq!(edge.origin.recorded()[0].target, b"/same");
}

/// Blocks whoever sends the header.
const BLOCKS: &str = "
if 'x-attack' in request['headers']:
    return {'status': '403', 'body': 'blocked', 'headers': {'cache-control': [{'value': 'CACHE-CONTROL'}]}}
return request";

/// An attack in a header outside the cache key, blocked at origin-request; then the status for a clean visitor.
async fn after_a_block(cache_control: &str, set: impl FnOnce(&mut DistributionConfig)) -> (u16, Edge) {
    let blocks = does(&BLOCKS.replace("CACHE-CONTROL", cache_control)).await;
    let edge = Edge::before(plain, |config| {
        config.default_behavior.cache = CachePolicy::with_ttls(0, 60, DAY);
        config.default_behavior.functions.origin_request = blocks.at();
        set(config);
    })
    .await;
    let attack = Request::new("GET", "/", "shop.example.com").header("X-Attack", "1");
    let blocked = edge.send(attack).await;
    assert_eq!((blocked.status, seen(&blocked).1.as_str()), (403, "LambdaGeneratedResponse"));
    (edge.get("/").await.status, edge)
}

fn keep_errors_for(seconds: u64) -> Vec<ErrorResponse> {
    vec![ErrorResponse { error_code: 403, caching_min_ttl: Duration::from_secs(seconds), page: None }]
}

#[tokio::test]
async fn a_block_is_not_kept_when_errors_are_kept_as_documented() {
    for cache_control in ["public", "no-store"] {
        let documented = |config: &mut DistributionConfig| config.error_caching = ErrorCaching::Documented;
        let (status, edge) = after_a_block(cache_control, documented).await;
        assert_eq!((status, edge.cloudfront.edge().warnings().len()), (200, 0), "{cache_control}");
    }
}

#[tokio::test]
async fn a_block_poisons_the_cache_when_errors_are_kept_as_long_as_a_page_allows() {
    let (status, edge) =
        after_a_block("no-store", |config| config.error_responses = keep_errors_for(10)).await;
    assert_eq!(status, 403);
    let warnings = edge.cloudfront.edge().warnings();
    assert!(warnings[0].contains("a function's 403 for / is kept for 10 s"), "{warnings:?}");
    edge.clock.advance(Duration::from_secs(10));
    assert_eq!(edge.get("/").await.status, 200);
}

#[tokio::test]
async fn without_an_error_ttl_only_no_store_keeps_a_block_out_of_the_cache() {
    for (cache_control, status) in [("public", 403), ("no-store", 200)] {
        let none = |config: &mut DistributionConfig| config.error_responses = keep_errors_for(0);
        assert_eq!(after_a_block(cache_control, none).await.0, status, "{cache_control}");
    }
}

#[tokio::test]
async fn responses_generated_at_origin_request_are_kept_and_at_viewer_request_are_not() {
    let answers = does("return {'status': '200', 'body': context.aws_request_id}").await;
    for at_origin in [true, false] {
        let edge = Edge::before(plain, |config| {
            config.default_behavior.cache = CachePolicy::with_ttls(0, 60, DAY);
            let functions = &mut config.default_behavior.functions;
            let slot = if at_origin { &mut functions.origin_request } else { &mut functions.viewer_request };
            *slot = answers.at();
        })
        .await;
        let (first, second) = (edge.get("/").await, edge.get("/").await);
        assert_eq!(seen(&first).1, "LambdaGeneratedResponse");
        assert_eq!((first.body == second.body, seen(&second).1 == "Hit"), (at_origin, at_origin));
    }
}

#[tokio::test]
async fn origin_errors_are_kept_for_the_error_ttl_and_say_error() {
    let edge = keeping(CachePolicy::with_ttls(0, 0, DAY), says(503, "no-store")).await;
    assert_eq!(seen(&edge.get("/").await), is("1", "Error"));
    edge.clock.advance(Duration::from_secs(9));
    assert_eq!(seen(&edge.get("/").await), is("1", "Error"));
    edge.clock.advance(Duration::from_secs(1));
    assert_eq!(seen(&edge.get("/").await), is("2", "Error"));
    let edge = keeping(CachePolicy::with_ttls(0, 0, DAY), says(404, "no-store")).await;
    edge.get("/").await;
    assert_eq!(seen(&edge.get("/").await), is("2", "Error"));
}

#[tokio::test]
async fn vary_does_not_keep_visitors_apart_and_that_is_told() {
    let varies = |request: &Request| {
        let agent = request.headers.text("user-agent").unwrap();
        Response::text(200, agent).header("Vary", "User-Agent, Accept-Encoding")
    };
    let edge = keeping(CachePolicy::with_ttls(0, 60, DAY), varies).await;
    let visit = |agent: &str| Request::new("GET", "/", "a.example").header("User-Agent", agent);
    edge.send(visit("phone")).await;
    assert_eq!(seen(&edge.send(visit("desktop")).await), is("phone", "Hit"));
    let warnings = edge.cloudfront.edge().warnings();
    assert!(warnings[0].contains("varies by User-Agent"), "{warnings:?}");
}

#[tokio::test]
async fn vary_with_a_star_is_asked_for_every_time() {
    let edge = keeping(CachePolicy::with_ttls(0, 60, DAY), |_| Response::new(200).header("Vary", "*")).await;
    edge.get("/").await;
    assert_eq!(seen(&edge.get("/").await), is("2", "Miss"));
}

#[tokio::test]
async fn vary_loses_the_names_that_the_origin_does_not_get() {
    let edge = Edge::before(
        |_| Response::new(200).header("Vary", "User-Agent, Accept-Encoding").header("Set-Cookie", "a=1"),
        |config| config.default_behavior.origin_request = e2e::cloudfront::OriginRequestPolicy::default(),
    )
    .await;
    let headers = edge.get("/").await.headers;
    assert_eq!(headers.text("vary").unwrap(), "Accept-Encoding");
    assert!(!headers.has("set-cookie"), "cookies are not forwarded, so none are set");
}

#[tokio::test]
async fn an_invalidation_makes_the_next_visitor_a_miss() {
    let edge = keeping(CachePolicy::with_ttls(0, 60, DAY), plain).await;
    for target in ["/a/1", "/a/2", "/b"] {
        edge.get(target).await;
    }
    assert_eq!(edge.cloudfront.edge().invalidate("/a/*"), 2);
    assert_eq!(seen(&edge.get("/a/1").await).1, "Miss");
    assert_eq!(seen(&edge.get("/b").await).1, "Hit");
}

#[tokio::test]
async fn what_is_too_old_is_confirmed_by_the_origin() {
    let confirms = |request: &Request| match request.headers.text("if-none-match").as_deref() {
        Some("\"v1\"") => Response::new(304),
        _ => Response::text(200, "whole").header("ETag", "\"v1\"").header("Cache-Control", "max-age=10"),
    };
    let edge = keeping(CachePolicy::with_ttls(0, 60, DAY), confirms).await;
    edge.get("/").await;
    edge.clock.advance(Duration::from_secs(10));
    assert_eq!(seen(&edge.get("/").await), is("whole", "RefreshHit"));
    assert_eq!(seen(&edge.get("/").await), is("whole", "Hit"));
    assert_eq!(edge.origin.recorded().len(), 2);
}

#[tokio::test]
async fn what_is_too_old_is_served_while_the_origin_fails() {
    let answers = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&answers);
    let fails_later = move |_: &Request| match counted.fetch_add(1, Ordering::Relaxed) {
        0 => Response::text(200, "good"),
        _ => Response::text(500, "broken"),
    };
    let edge = keeping(CachePolicy::with_ttls(0, 60, DAY), fails_later).await;
    edge.get("/").await;
    edge.clock.advance(Duration::from_secs(61));
    for _ in 0..3 {
        let response = edge.get("/").await;
        assert_eq!((response.status, response.body_text().as_str()), (200, "good"));
    }
    assert_eq!(answers.load(Ordering::Relaxed), 2, "asked again only after the error TTL");
}

/// How many answers five visitors cost who come at the same time, and what their `X-Cache` says.
async fn at_the_same_time(policy: CachePolicy, cache_control: &'static str) -> (usize, Vec<String>) {
    let waiting = Arc::new(Notify::new());
    let (release, asked) = (Arc::clone(&waiting), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&asked);
    let edge = Arc::new(
        Edge::before_slow(
            move |_| {
                counted.fetch_add(1, Ordering::Relaxed);
                let (waiting, response) =
                    (Arc::clone(&waiting), says(200, cache_control)(&Request::default()));
                async move {
                    waiting.notified().await;
                    waiting.notify_one();
                    response
                }
            },
            |config| config.default_behavior.cache = policy,
        )
        .await,
    );
    let visits: Vec<_> = (0..5)
        .map(|_| {
            let edge = Arc::clone(&edge);
            tokio::spawn(async move { seen(&edge.get("/").await).1 })
        })
        .collect();
    eventually("the origin is asked", || asked.load(Ordering::Relaxed) > 0).await;
    eventually("all have come", || edge.cloudfront.edge().in_flight() == 5).await;
    release.notify_one();
    let mut seen = Vec::new();
    for visit in visits {
        seen.push(visit.await.unwrap());
    }
    seen.sort();
    (asked.load(Ordering::Relaxed), seen)
}

#[tokio::test]
async fn visitors_of_one_object_at_one_time_share_one_answer() {
    let (asked, seen) = at_the_same_time(CachePolicy::with_ttls(0, 60, DAY), "").await;
    assert_eq!((asked, seen), (1, ["Hit", "Hit", "Hit", "Hit", "Miss"].map(str::to_owned).to_vec()));
    // Even where nothing is kept: a pitfall of a default TTL of 0.
    assert_eq!(at_the_same_time(CachePolicy::with_ttls(0, 0, DAY), "").await.0, 1);
}

#[tokio::test]
async fn answers_that_must_not_be_shared_are_not_shared() {
    for (policy, cache_control) in [
        (CachePolicy::with_ttls(0, 60, DAY), "private"),
        (CachePolicy::with_ttls(0, 60, DAY), "max-age=0"),
        (CachePolicy::disabled(), ""),
    ] {
        assert_eq!(at_the_same_time(policy, cache_control).await.0, 5, "{cache_control}");
    }
}
