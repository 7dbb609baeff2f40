//! The latest requests of this node: who reported them, and whether they had hits.
//!
//! The console needs a response report only if its request had a hit, here or at another node. A
//! report is dropped only when this node remembers the request as clean. A record of an access log is
//! inspected only if neither a connector nor a log reported its request before.

use jiff::{SignedDuration, Timestamp};
use shared::RequestId;
use std::{
    collections::HashSet,
    hash::{Hash, Hasher},
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Two generations of requests; the older is dropped when the younger is full or a day old. An LRU
/// cache would take several times the memory: here a request takes at most 20 bytes, the bound of
/// `just bench-logs`.
#[derive(Debug)]
pub struct RecentRequests {
    generations: Mutex<Generations>,
    /// Of one generation.
    capacity: usize,
}

#[derive(Debug)]
struct Generations {
    young: HashSet<Entry>,
    old: HashSet<Entry>,
    young_since: Timestamp,
}

/// What is known of a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sighting {
    /// A connector sent it.
    pub by_connector: bool,
    /// A record of an access log.
    pub by_log: bool,
    pub had_hits: bool,
}

/// The upper 61 bits of a digest of the request, and a [`Sighting`].
#[derive(Debug, Clone, Copy)]
struct Entry(u64);

impl Default for RecentRequests {
    fn default() -> Self {
        Self::new(Self::DEFAULT_CAPACITY)
    }
}

impl RecentRequests {
    /// Enough for the reports of functions, which follow their requests at once.
    pub const DEFAULT_CAPACITY: usize = 200_000;
    /// CloudFront delivers records of a log up to a day late.
    const WINDOW: SignedDuration = SignedDuration::from_hours(24);

    /// Remembers at least half of `capacity`.
    pub fn new(capacity: usize) -> Self {
        let generations =
            Generations { young: HashSet::new(), old: HashSet::new(), young_since: Timestamp::UNIX_EPOCH };
        Self { generations: Mutex::new(generations), capacity: (capacity / 2).max(1) }
    }

    /// Adds what is known of a request. A repeated request keeps what was known before.
    pub fn record(&self, request_id: RequestId, sighting: Sighting, now: Timestamp) {
        let mut generations = self.lock();
        let Generations { young, old, young_since } = &mut *generations;
        if young.len() >= self.capacity || now.duration_since(*young_since) >= Self::WINDOW {
            // Memory is reused, so that it stays constant.
            mem::swap(young, old);
            young.clear();
            *young_since = now;
        }
        let entry = Entry::new(request_id, sighting);
        let known = young.get(&entry).map_or(0, |known| known.0);
        young.replace(Entry(entry.0 | known));
    }

    pub fn find(&self, request_id: RequestId) -> Sighting {
        let generations = self.lock();
        let entry = Entry::new(request_id, Sighting::default());
        let known = [&generations.young, &generations.old].map(|generation| generation.get(&entry));
        let flags = known.into_iter().flatten().fold(0, |flags, known| flags | known.0);
        Entry(flags).sighting()
    }

    /// Whether a connector sent the request to this node, and it had no hit.
    pub fn is_clean(&self, request_id: RequestId) -> bool {
        let known = self.find(request_id);
        known.by_connector && !known.had_hits
    }

    fn lock(&self) -> MutexGuard<'_, Generations> {
        self.generations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    const FLAGS: u32 = 3;

    fn new(request_id: RequestId, Sighting { by_connector, by_log, had_hits }: Sighting) -> Self {
        let flags = u64::from(by_connector) | u64::from(by_log) << 1 | u64::from(had_hits) << 2;
        Self(request_id.fingerprint() >> Self::FLAGS << Self::FLAGS | flags)
    }

    fn sighting(self) -> Sighting {
        let has = |bit: u32| self.0 >> bit & 1 == 1;
        Sighting { by_connector: has(0), by_log: has(1), had_hits: has(2) }
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.0 >> Self::FLAGS == other.0 >> Self::FLAGS
    }
}

impl Eq for Entry {}

impl Hash for Entry {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.0 >> Self::FLAGS).hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;
    const CLEAN: Sighting = Sighting { by_connector: true, by_log: false, had_hits: false };
    const HIT: Sighting = Sighting { had_hits: true, ..CLEAN };
    const LOGGED: Sighting = Sighting { by_connector: false, by_log: true, had_hits: false };

    fn id(n: usize) -> RequestId {
        RequestId::derive("E1", &n.to_string())
    }

    #[test]
    fn only_a_request_seen_without_hits_is_clean() {
        let recent = RecentRequests::default();
        recent.record(id(1), CLEAN, NOW);
        recent.record(id(2), HIT, NOW);
        recent.record(id(2), CLEAN, NOW);
        recent.record(id(3), LOGGED, NOW);
        assert_eq!([1, 2, 3, 4].map(|n| recent.is_clean(id(n))), [true, false, false, false]);
        assert_eq!(recent.find(id(2)), HIT);
        assert_eq!([recent.find(id(3)), recent.find(id(4))], [LOGGED, Sighting::default()]);
    }

    #[test]
    fn sightings_of_a_request_add_up_across_generations() {
        let recent = RecentRequests::new(20);
        recent.record(id(0), HIT, NOW);
        for n in 1..10 {
            recent.record(id(n), CLEAN, NOW);
        }
        recent.record(id(0), LOGGED, NOW);
        assert_eq!(recent.find(id(0)), Sighting { by_log: true, ..HIT });
    }

    #[test]
    fn forgets_old_requests() {
        let recent = RecentRequests::default();
        for n in 0..=RecentRequests::DEFAULT_CAPACITY {
            recent.record(id(n), CLEAN, NOW);
        }
        assert!(!recent.is_clean(id(0)));
        assert!(recent.is_clean(id(RecentRequests::DEFAULT_CAPACITY / 2)));
    }

    #[test]
    fn remembers_requests_for_a_day() {
        let recent = RecentRequests::default();
        let hour = |n| NOW + SignedDuration::from_hours(n);
        recent.record(id(0), CLEAN, hour(24));
        recent.record(id(1), CLEAN, hour(47));
        recent.record(id(2), CLEAN, hour(48));
        assert!(recent.is_clean(id(0)));
        recent.record(id(3), CLEAN, hour(72));
        assert_eq!([0, 1, 2].map(|n| recent.is_clean(id(n))), [false, false, true]);
    }
}
