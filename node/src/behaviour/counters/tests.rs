use super::*;
use proptest::{collection::vec, prelude::*};
use std::{collections::HashSet, mem::size_of, net::Ipv4Addr};

fn key(source: u32) -> Key {
    Key { control: 0, source: Ipv4Addr::from_bits(source).into() }
}

/// All events: member, source, time.
type History = Vec<(u64, u32, i64)>;

/// Distinct members of a source in the window that ends now.
fn distinct(history: &History, source: u32, now: i64, span: Span) -> HashSet<u64> {
    let is_in = |at: i64| now - span.millis < at && at <= now;
    history
        .iter()
        .filter(|(_, origin, at)| *origin == source && is_in(*at))
        .map(|(member, ..)| *member)
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn counts_agree_with_a_naive_model(
        events in vec((0..12u64, 0..3u32, 0..40i64), 1..200),
        millis in 1..200i64,
        limit in 1..10usize,
    ) {
        let span = Span { millis, limit };
        let (mut counters, mut history, mut now) = (Counters::new(100), History::new(), 0);
        for (member, source, pause) in events {
            now += pause;
            history.push((member, source, now));
            let expected = distinct(&history, source, now, span).len().min(limit);
            prop_assert_eq!(counters.record(key(source), member, now, span), expected);
        }
    }

    #[test]
    fn admissions_agree_with_a_naive_model(
        events in vec((0..12u64, 0..3u32, 0..40i64), 1..200),
        millis in 1..200i64,
        limit in 1..10usize,
    ) {
        let span = Span { millis, limit };
        let (mut counters, mut admitted, mut now) = (Counters::new(100), History::new(), 0);
        for (member, source, pause) in events {
            now += pause;
            let known = distinct(&admitted, source, now, span);
            let result = counters.admit(key(source), member, now, span);
            prop_assert_eq!(result.is_ok(), known.contains(&member) || known.len() < limit);
            match result {
                Ok(()) if !known.contains(&member) => admitted.push((member, source, now)),
                Ok(()) => {}
                Err(wait) => {
                    let then = now + wait;
                    prop_assert!(wait > 0 && distinct(&admitted, source, then - 1, span).len() == limit);
                    prop_assert!(distinct(&admitted, source, then, span).len() < limit);
                }
            }
        }
    }
}

#[test]
fn a_million_sources_stay_within_the_bound_and_the_latest_are_known() {
    const MAX: usize = 10_000;
    let mut counters = Counters::new(MAX);
    let span = Span { millis: 1_000_000_000, limit: 100 };
    for source in 0..1_000_000u32 {
        counters.record(key(source), u64::from(source), i64::from(source), span);
        // A source that stays active is never the least recently used.
        if source % 1_000 == 0 {
            counters.record(key(u32::MAX), u64::from(source), i64::from(source), span);
        }
    }
    assert_eq!((counters.len(), counters.by_age.len()), (MAX, MAX));
    assert_eq!(counters.evicted(), 1_000_001 - MAX as u64);
    assert_eq!(counters.record(key(u32::MAX), 7, 1_000_000, span), 100);
    assert!(bytes(&counters) < MAX * 400, "{} bytes for {MAX} sources", bytes(&counters));
}

#[test]
fn bounds_the_members_of_few_sources() {
    let mut counters = Counters::new(1_000);
    let span = Span { millis: 1_000_000_000, limit: 5_000 };
    for n in 0..100_000u32 {
        counters.record(key(n % 100), u64::from(n), i64::from(n), span);
        assert!(counters.members <= 8_000);
    }
    assert!(counters.evicted() > 0);
}

/// Allocated bytes; nodes of the tree are at least half full.
fn bytes(counters: &Counters) -> usize {
    let members: usize = counters.windows.values().map(|window| window.members.capacity()).sum();
    counters.windows.capacity() * (size_of::<(Key, Window)>() + 1)
        + counters.by_age.len() * 2 * size_of::<(u64, Key)>()
        + members * size_of::<(u64, i64)>()
}
