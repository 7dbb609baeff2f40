//! Helpers of the cache tests, on a fixed clock.

use std::sync::atomic::{AtomicUsize, Ordering};

use cloudfront_sim::cloudfront::CachePolicy;
use cloudfront_sim::http1::{Request, Response};

use crate::harness::Edge;

pub(crate) const DAY: u64 = 86_400;

/// A distribution with this cache policy, in front of an origin that numbers its responses.
pub(crate) async fn caching(
    policy: CachePolicy,
    answer: impl Fn(&Request) -> Response + Send + Sync + 'static,
) -> Edge {
    let answers = AtomicUsize::new(0);
    let numbered = move |request: &Request| {
        let number = answers.fetch_add(1, Ordering::Relaxed) + 1;
        let response = answer(request);
        if response.body.is_empty() { response.with_body(number.to_string()) } else { response }
    };
    Edge::before(numbered, |config| config.default_behavior.cache = policy).await
}

pub(crate) fn plain(_: &Request) -> Response {
    Response::new(200)
}

pub(crate) fn responds(status: u16, cache_control: &'static str) -> impl Fn(&Request) -> Response {
    move |_| match cache_control {
        "" => Response::new(status),
        value => Response::new(status).header("Cache-Control", value),
    }
}

/// Body, and `X-Cache` without `from cloudfront`.
pub(crate) fn seen(response: &Response) -> (String, String) {
    let x_cache = response.headers.text("x-cache").unwrap();
    (response.body_text(), x_cache.strip_suffix(" from cloudfront").unwrap().to_owned())
}

pub(crate) fn is(body: &str, x_cache: &str) -> (String, String) {
    (body.to_owned(), x_cache.to_owned())
}
