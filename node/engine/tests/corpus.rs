//! Regression test on the corpus: minimum detection rate, maximum false positive rate.
//!
//! `wallarm-node score node/engine/corpus` prints the full results by type.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use engine::{
    Engine,
    corpus::{self, Sample},
    mutate::Variant,
};
use shared::{Body, InspectRequest, Sensitivity, score};
use std::{fs, path::PathBuf};

/// The minimum detection rate, in per cent.
const MIN_DETECTED_PERCENT: usize = 98;
/// The maximum false positive rate, per thousand.
const MAX_BLOCKED_PER_THOUSAND: usize = 5;

/// One in this number of mutated requests is tested: all of them are too slow in a debug build.
const SAMPLED: usize = 29;

fn folder(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "corpus", name].iter().collect()
}

/// The samples of a folder with the names of their files.
fn samples(name: &str) -> Vec<(String, Sample)> {
    let mut samples = Vec::new();
    for entry in fs::read_dir(folder(name)).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        let read = corpus::parse(&fs::read_to_string(&path).unwrap());
        samples.extend(
            read.unwrap_or_else(|error| panic!("{file}: {error}")).into_iter().map(|it| (file.clone(), it)),
        );
    }
    samples.sort_by(|(one, _), (other, _)| one.cmp(other));
    samples
}

fn is_blocked(engine: &Engine, request: &InspectRequest) -> bool {
    score::of_request(&engine.inspect(request).findings) >= Sensitivity::Balanced.threshold()
}

/// The requests that are not blocked, and the number of all requests.
fn missed(engine: &Engine, requests: impl Iterator<Item = (String, Variant)>) -> (Vec<String>, usize) {
    let mut count = 0;
    let mut missed = Vec::new();
    for (name, variant) in requests {
        count += 1;
        if !is_blocked(engine, &variant.request) {
            missed.push(format!("{name}, {}", variant.how));
        }
    }
    (missed, count)
}

fn assert_detected(missed: &[String], count: usize) {
    let detected = count - missed.len();
    assert!(count > 300, "{count} requests are too few");
    assert!(
        detected * 100 >= count * MIN_DETECTED_PERCENT,
        "{detected} of {count} detected, missed:\n{}",
        missed.join("\n")
    );
}

#[test]
fn attacks_are_detected() {
    let named = |(file, it): (String, Sample)| (format!("{file} {:?}", it.payload), it.plain());
    let (missed, count) = missed(&Engine::new(), samples("attacks").into_iter().map(named));
    assert_detected(&missed, count);
}

#[test]
fn mutated_attacks_are_detected() {
    let named = |(file, it): (String, Sample)| {
        let name = format!("{file} {:?}", it.payload);
        it.mutated().into_iter().map(move |variant| (name.clone(), variant))
    };
    let variants = samples("attacks").into_iter().flat_map(named).step_by(SAMPLED);
    let (missed, count) = missed(&Engine::new(), variants);
    assert_detected(&missed, count);
}

#[test]
fn benign_values_have_few_false_positives() {
    let engine = Engine::new();
    let samples = samples("benign");
    assert!(samples.len() >= 150);
    let named = |(file, it): (String, Sample)| {
        let name = format!("{file} {:?}", it.payload);
        it.everywhere().into_iter().map(move |variant| (name.clone(), variant))
    };
    let requests: Vec<_> = samples.into_iter().flat_map(named).collect();
    let blocked: Vec<_> = requests
        .iter()
        .filter(|(_, variant)| is_blocked(&engine, &variant.request))
        .map(|(name, variant)| format!("{name}, {}", variant.how))
        .collect();
    assert!(
        blocked.len() * 1_000 <= requests.len() * MAX_BLOCKED_PER_THOUSAND,
        "{} of {} blocked:\n{}",
        blocked.len(),
        requests.len(),
        blocked.join("\n")
    );
}

#[test]
fn regression_inputs_do_not_panic() {
    let engine = Engine::new();
    for entry in fs::read_dir(folder("regressions")).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        let request: InspectRequest = serde_json::from_value(serde_json::json!({
            "client_ip": "::1", "method": "POST", "host": text, "path": text, "query": text,
            "headers": [["cookie", text], ["content-type", text], [text, text]],
        }))
        .unwrap();
        engine.inspect(&InspectRequest { body: Some(Body(bytes)), ..request });
    }
}

#[test]
fn every_finding_has_a_class() {
    let engine = Engine::new();
    for (file, sample) in samples("attacks") {
        for finding in engine.inspect(&sample.plain().request).findings {
            assert!(finding.class.is_some(), "{file}: {}", finding.signature);
        }
    }
}
