//! Tests of keys, totals, and the journal across restarts and damage.

use super::{journal::Journal, *};
use crate::recent::{Entry, RecentRequests, Sighting};
use access_log::Parser;
use shared::RequestId;
use std::{fs, path::Path};
use tempfile::TempDir;

const NOW: &str = "2026-01-02T03:04:05Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn record(time: &str, behavior: &str) -> LogRecord {
    let line = serde_json::json!({"timestamp": time, "c-ip": "203.0.113.7", "cs-method": "GET",
        "x-host-header": "shop.example.com", "cs-uri-stem": "/", "x-edge-request-id": "a==",
        "cache-behavior-path-pattern": behavior});
    Parser::new(None).parse(line.to_string().as_bytes()).unwrap().unwrap()
}

/// Seconds since 1970.
fn seconds(time: &str) -> String {
    time.parse::<Timestamp>().unwrap().as_second().to_string()
}

#[test]
fn a_request_counts_for_its_distribution_behavior_and_day() {
    let keys = CoverageKeys::default();
    let key = |time: &str, behavior: &str| {
        let key = keys.key("E1", &record(&seconds(time), behavior), now());
        (key.distribution_id, key.behavior, key.day.map(|day| day.to_string()))
    };
    let expected =
        |behavior: &str, day: Option<&str>| ("E1".to_owned(), behavior.to_owned(), day.map(str::to_owned));
    assert_eq!(key("2026-01-01T23:59:59Z", "/api/*"), expected("/api/*", Some("2026-01-01")));
    assert_eq!(key("2026-01-02T00:00:00Z", "-"), expected("unknown", Some("2026-01-02")));
    assert_eq!(key("2027-01-01T00:00:00Z", "*"), expected("*", Some("2026-01-02")), "a wrong clock");
    assert_eq!(key("2020-01-01T00:00:00Z", "*"), expected("*", None));
}

#[test]
fn distributions_and_behaviors_beyond_the_limits_are_other() {
    let keys = CoverageKeys::default();
    let behavior = |name: &str| keys.key("E1", &record(&seconds(NOW), name), now()).behavior;
    for n in 0..CoverageKeys::MAX_BEHAVIORS {
        assert_eq!(behavior(&format!("/{n}/*")), format!("/{n}/*"));
    }
    assert_eq!([behavior("/new/*"), behavior("/0/*")], ["other", "/0/*"]);
    let distribution = |id: &str| keys.key(id, &record(&seconds(NOW), "*"), now()).distribution_id;
    for n in 1..CoverageKeys::MAX_DISTRIBUTIONS {
        assert_eq!(distribution(&format!("D{n}")), format!("D{n}"));
    }
    assert_eq!([distribution("NEW"), distribution("D1"), distribution("E1")], ["other", "D1", "E1"]);
    assert_eq!(keys.key("E2", &record(&seconds(NOW), &"x".repeat(300)), now()).behavior, "other");
}

#[test]
fn each_request_has_one_class() {
    let from_log = |failed_open| InspectedBy::Log { failed_open, has_attack: false };
    let class = |inspected_by, result: &str, detail: &str| {
        let response = LoggedResponse {
            result_type: Some(result.to_owned()),
            detailed_result_type: Some(detail.to_owned()),
            ..LoggedResponse::default()
        };
        let totals = totals(inspected_by, &response);
        assert_eq!(totals.requests, totals.edge + totals.bypassed + totals.log());
        let named = [
            ("edge", totals.edge),
            ("bypassed", totals.bypassed),
            ("fail_open", totals.fail_open),
            ("cached", totals.cached),
            ("answered", totals.answered),
            ("no_function", totals.no_function),
        ];
        (named.iter().find(|(_, count)| *count == 1).unwrap().0, totals.cache_hits)
    };
    assert_eq!(class(InspectedBy::Function, "Hit", "Hit"), ("edge", 1));
    assert_eq!(class(InspectedBy::Nothing, "Miss", "Miss"), ("bypassed", 0));
    assert_eq!(class(from_log(true), "Hit", "Hit"), ("fail_open", 1));
    assert_eq!(class(from_log(false), "Hit", "Hit"), ("cached", 1));
    assert_eq!(class(from_log(false), "RefreshHit", "RefreshHit"), ("no_function", 1));
    assert_eq!(class(from_log(false), "Redirect", "Redirect"), ("answered", 0));
    assert_eq!(class(from_log(false), "Error", "ClientGeoBlocked"), ("answered", 0));
    assert_eq!(class(from_log(false), "Error", "OriginConnectError"), ("no_function", 0));
    let attack = InspectedBy::Log { failed_open: false, has_attack: true };
    assert_eq!(totals(attack, &LoggedResponse::default()).log_attacks, 1);
}

fn entry(n: usize) -> Entry {
    Entry::new(RequestId::derive("E1", &n.to_string()), Sighting::BY_LOG)
}

fn counts(requests: u64) -> CoverageCounts {
    let mut counts = CoverageCounts::default();
    let key = CoverageKeys::default().key("E1", &record(&seconds(NOW), "*"), now());
    counts.add(key, CoverageTotals { requests, ..CoverageTotals::default() });
    counts
}

/// As after a kill: the requests that are remembered, and the counts to spool.
fn reopened(directory: &TempDir, requests: usize) -> (Vec<usize>, Option<CoverageRecord>) {
    let recent = RecentRequests::new(1000);
    let journal = Journal::open(directory.path(), 8, &recent).unwrap();
    let known = |n: &usize| recent.find(RequestId::derive("E1", &n.to_string())).has(Sighting::BY_LOG);
    ((0..requests).filter(known).collect(), journal.lock().unspooled().cloned())
}

fn open(directory: &Path) -> Journal {
    Journal::open(directory, 8, &RecentRequests::new(1000)).unwrap()
}

#[test]
fn a_restarted_node_remembers_requests_and_the_last_counts() {
    let directory = tempfile::tempdir().unwrap();
    let journal = open(directory.path());
    journal.lock().append(&[entry(0)], counts(1), now()).unwrap();
    journal.lock().spooled();
    journal.record_connector(entry(1));
    journal.flush(now()).unwrap();
    journal.lock().append(&[entry(2)], counts(1), now()).unwrap();
    let spooled = journal.lock().unspooled().cloned();
    assert_eq!(spooled.as_ref().map(|counts| counts.sequence), Some(2));
    drop(journal);
    assert_eq!(reopened(&directory, 4), (vec![0, 1, 2], spooled.clone()));
    let journal = open(directory.path());
    journal.lock().append(&[entry(3)], counts(1), now()).unwrap();
    let next = journal.lock().unspooled().cloned().unwrap();
    assert_eq!((next.source, next.sequence), (spooled.unwrap().source, 3), "the sequence goes on");
}

#[test]
fn a_torn_write_counts_nothing_and_begins_a_new_sequence() {
    let directory = tempfile::tempdir().unwrap();
    let journal = open(directory.path());
    journal.lock().append(&[entry(0)], counts(1), now()).unwrap();
    let first = journal.lock().unspooled().cloned().unwrap();
    journal.lock().append(&[entry(1)], counts(1), now()).unwrap();
    drop(journal);
    let path = directory.path().join("log-requests.journal");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 3]).unwrap();
    assert_eq!(reopened(&directory, 2), (vec![0], Some(first.clone())));
    let journal = open(directory.path());
    journal.lock().append(&[entry(1)], counts(1), now()).unwrap();
    let next = journal.lock().unspooled().cloned().unwrap();
    assert!(next.source != first.source && next.sequence == 1, "{next:?}");
    drop(journal);
    assert_eq!(reopened(&directory, 2), (vec![0, 1], Some(next)));
}

#[test]
fn the_journal_is_bounded_and_remembers_at_least_half() {
    let directory = tempfile::tempdir().unwrap();
    let journal = open(directory.path());
    for n in 0..22 {
        journal.lock().append(&[entry(n)], counts(1), now()).unwrap();
    }
    drop(journal);
    let (known, counts) = reopened(&directory, 22);
    assert_eq!(known, (16..22).collect::<Vec<_>>());
    assert_eq!(counts.unwrap().sequence, 22);
}
