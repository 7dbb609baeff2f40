//! Errors in the cache, those that functions generate among them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cloudfront_sim::cloudfront::{CachePolicy, DistributionConfig, ErrorCaching, ErrorResponse};
use cloudfront_sim::http1::{Request, Response};

use crate::harness::{Edge, does};
use crate::keeping::{DAY, is, keeping, plain, says, seen};

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
