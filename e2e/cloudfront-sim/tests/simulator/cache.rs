//! The cache: keys, lifetimes, revalidation and invalidation, on a fixed clock.

use std::time::Duration;

use cloudfront_sim::cloudfront::{CachePolicy, OriginRequestPolicy, Selection};
use cloudfront_sim::http1::{Request, Response};

use crate::caching::{DAY, caching, is, plain, responds, seen};
use crate::harness::{Edge, count, does};

#[tokio::test]
async fn x_cache_and_age_distinguish_miss_and_hit() {
    let edge = caching(CachePolicy::with_ttls(0, 60, DAY), plain).await;
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
async fn caching_disabled_caches_nothing() {
    let edge = caching(CachePolicy::disabled(), responds(200, "max-age=60")).await;
    assert_eq!(seen(&edge.get("/").await), is("1", "Miss"));
    assert_eq!(seen(&edge.get("/").await), is("2", "Miss"));
}

#[tokio::test]
async fn lifetime_combines_origin_headers_and_ttls() {
    for (ttls, cache_control, seconds_cached) in [
        ((0, 60, DAY), "max-age=10", 10),
        ((0, 60, DAY), "max-age=10, s-maxage=20", 20),
        ((0, 60, 100), "max-age=500", 100),
        ((30, 60, DAY), "max-age=10", 30),
        ((0, 60, DAY), "no-store", 0),
        ((0, 60, DAY), "private", 0),
        ((5, 60, DAY), "no-store", 5),
    ] {
        let edge =
            caching(CachePolicy::with_ttls(ttls.0, ttls.1, ttls.2), responds(200, cache_control)).await;
        edge.get("/").await;
        if seconds_cached > 0 {
            edge.clock.advance(Duration::from_secs(seconds_cached - 1));
            assert_eq!(seen(&edge.get("/").await), is("1", "Hit"), "{ttls:?} {cache_control}");
            edge.clock.advance(Duration::from_secs(1));
        }
        assert_eq!(seen(&edge.get("/").await), is("2", "Miss"), "{ttls:?} {cache_control}");
    }
}

#[tokio::test]
async fn cache_key_contains_only_what_the_policy_names() {
    let policy = CachePolicy {
        headers: Selection::only(&["X-Tenant"]),
        cookies: Selection::only(&["lang"]),
        query: Selection::only(&["page"]),
        gzip: true,
        ..CachePolicy::with_ttls(0, 60, DAY)
    };
    let edge = caching(policy, plain).await;
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
async fn caches_get_and_head_and_options_if_configured() {
    let edge = caching(CachePolicy::with_ttls(0, 60, DAY), plain).await;
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
async fn cache_hit_runs_viewer_functions_only() {
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
    let invocations = |function: &cloudfront_sim::lambda::Function| {
        count(function.log(), |event| matches!(event, cloudfront_sim::lambda::LogEvent::InvokeStart { .. }))
    };
    assert_eq!((invocations(&viewer), invocations(&origin)), (6, 2));
}

#[tokio::test]
async fn viewer_request_changes_the_cache_key() {
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

#[tokio::test]
async fn vary_does_not_separate_visitors_and_causes_a_warning() {
    let varies = |request: &Request| {
        let agent = request.headers.text("user-agent").unwrap();
        Response::text(200, agent).header("Vary", "User-Agent, Accept-Encoding")
    };
    let edge = caching(CachePolicy::with_ttls(0, 60, DAY), varies).await;
    let visit = |agent: &str| Request::new("GET", "/", "a.example").header("User-Agent", agent);
    edge.send(visit("phone")).await;
    assert_eq!(seen(&edge.send(visit("desktop")).await), is("phone", "Hit"));
    let warnings = edge.cloudfront.edge().warnings();
    assert!(warnings[0].contains("varies by User-Agent"), "{warnings:?}");
}

#[tokio::test]
async fn vary_star_is_revalidated_every_time() {
    let edge = caching(CachePolicy::with_ttls(0, 60, DAY), |_| Response::new(200).header("Vary", "*")).await;
    edge.get("/").await;
    assert_eq!(seen(&edge.get("/").await), is("2", "Miss"));
}

#[tokio::test]
async fn vary_loses_names_that_are_not_forwarded() {
    let edge = Edge::before(
        |_| Response::new(200).header("Vary", "User-Agent, Accept-Encoding").header("Set-Cookie", "a=1"),
        |config| config.default_behavior.origin_request = OriginRequestPolicy::default(),
    )
    .await;
    let headers = edge.get("/").await.headers;
    assert_eq!(headers.text("vary").unwrap(), "Accept-Encoding");
    assert!(!headers.has("set-cookie"), "cookies are not forwarded, so none are set");
}

#[tokio::test]
async fn an_invalidation_makes_the_next_visitor_a_miss() {
    let edge = caching(CachePolicy::with_ttls(0, 60, DAY), plain).await;
    for target in ["/a/1", "/a/2", "/b"] {
        edge.get(target).await;
    }
    assert_eq!(edge.cloudfront.edge().invalidate("/a/*"), 2);
    assert_eq!(seen(&edge.get("/a/1").await).1, "Miss");
    assert_eq!(seen(&edge.get("/b").await).1, "Hit");
}

#[tokio::test]
async fn expired_response_is_revalidated_at_the_origin() {
    let confirms = |request: &Request| match request.headers.text("if-none-match").as_deref() {
        Some("\"v1\"") => Response::new(304),
        _ => Response::text(200, "whole").header("ETag", "\"v1\"").header("Cache-Control", "max-age=10"),
    };
    let edge = caching(CachePolicy::with_ttls(0, 60, DAY), confirms).await;
    edge.get("/").await;
    edge.clock.advance(Duration::from_secs(10));
    assert_eq!(seen(&edge.get("/").await), is("whole", "RefreshHit"));
    assert_eq!(seen(&edge.get("/").await), is("whole", "Hit"));
    assert_eq!(edge.origin.recorded().len(), 2);
}
