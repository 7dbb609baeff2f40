//! Benchmark of one request against the baseline for JSON: `just bench-engine`.

mod baseline;
mod detectors;
mod requests;
mod visits;

use baseline::Baseline;
use divan::{Bencher, black_box};
use engine::Engine;
use shared::InspectRequest;
use std::sync::atomic::{AtomicUsize, Ordering};

type Make = fn() -> InspectRequest;

const REQUESTS: &[(&str, Make)] = &[
    ("GET, browser headers", requests::page),
    ("attack", requests::attack),
    ("JSON, 1 KB", || requests::json(1_000)),
    ("JSON, 40 KB", || requests::json(40_000)),
];

fn main() {
    divan::main();
}

#[divan::bench(args = REQUESTS.iter().map(|(name, _)| name))]
fn inspect(bencher: Bencher<'_, '_>, name: &str) {
    let (_, request) = REQUESTS.iter().find(|(known, _)| *known == name).expect("the name is from the table");
    let (engine, request) = (Engine::new(), request());
    bencher.bench_local(|| engine.inspect(black_box(&request)));
}

/// A body of 39 KB with a hundred custom detectors, in values and as one text.
#[divan::bench(args = ["JSON", "text"])]
fn inspect_with_100_detectors(bencher: Bencher<'_, '_>, content: &str) {
    let (engine, book) = (Engine::new(), detectors::hundred());
    let mut request = requests::json(39_000);
    if content == "text" {
        request.headers.retain(|(name, _)| name != "content-type");
        let body = request.body.take().unwrap_or_default().0;
        request.body = Some(shared::Body([b"text: ", body.as_slice()].concat()));
    }
    bencher.bench_local(|| {
        let rules = book.select_for("shop.example.com", "/api/orders", "POST", None);
        engine.inspect_with_rules(black_box(&request), &rules)
    });
}

/// Different requests in turn, on one and two threads: as on a server, each request finds cold
/// caches.
#[divan::bench(threads = [1, 2])]
fn inspect_visits(bencher: Bencher<'_, '_>) {
    let (engine, visits) = (Engine::new(), visits::visits());
    let next = AtomicUsize::new(0);
    bencher.bench(|| {
        let next = next.fetch_add(1, Ordering::Relaxed) % visits.len();
        engine.inspect(black_box(&visits[next]))
    });
}

#[divan::bench]
fn parse_and_scan_40_kb(bencher: Bencher<'_, '_>) {
    let baseline = Baseline::new().expect("the literals are few and short");
    let body = requests::json(40_000).body.unwrap_or_default().0;
    bencher.bench_local(|| baseline.read(black_box(&body)));
}
