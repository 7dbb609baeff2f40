//! Request collapsing: simultaneous requests for one object.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cloudfront_sim::cloudfront::CachePolicy;
use cloudfront_sim::http1::Request;
use tokio::sync::Notify;

use crate::caching::{DAY, responds, seen};
use crate::harness::{Edge, eventually};

/// The number of origin responses for five simultaneous visitors, and their `X-Cache` values.
async fn at_the_same_time(policy: CachePolicy, cache_control: &'static str) -> (usize, Vec<String>) {
    let waiting = Arc::new(Notify::new());
    let (release, calls) = (Arc::clone(&waiting), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&calls);
    let edge = Arc::new(
        Edge::before_slow(
            move |_| {
                counted.fetch_add(1, Ordering::Relaxed);
                let (waiting, response) =
                    (Arc::clone(&waiting), responds(200, cache_control)(&Request::default()));
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
    eventually("the origin is called", || calls.load(Ordering::Relaxed) > 0).await;
    eventually("all requests have arrived", || edge.cloudfront.edge().in_flight() == 5).await;
    release.notify_one();
    let mut seen = Vec::new();
    for visit in visits {
        seen.push(visit.await.unwrap());
    }
    seen.sort();
    (calls.load(Ordering::Relaxed), seen)
}

#[tokio::test]
async fn simultaneous_requests_for_one_object_share_a_response() {
    let (calls, seen) = at_the_same_time(CachePolicy::with_ttls(0, 60, DAY), "").await;
    assert_eq!((calls, seen), (1, ["Hit", "Hit", "Hit", "Hit", "Miss"].map(str::to_owned).to_vec()));
    // Even if nothing is cached: a pitfall of a default TTL of 0.
    assert_eq!(at_the_same_time(CachePolicy::with_ttls(0, 0, DAY), "").await.0, 1);
}

#[tokio::test]
async fn private_responses_are_not_shared() {
    for (policy, cache_control) in [
        (CachePolicy::with_ttls(0, 60, DAY), "private"),
        (CachePolicy::with_ttls(0, 60, DAY), "max-age=0"),
        (CachePolicy::disabled(), ""),
    ] {
        assert_eq!(at_the_same_time(policy, cache_control).await.0, 5, "{cache_control}");
    }
}
