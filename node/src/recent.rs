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

/// What is known of a request: a set of facts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sighting(u64);

/// The upper 59 bits of a digest of the request, and a [`Sighting`].
#[derive(Debug, Clone, Copy)]
pub struct Entry(u64);

impl Sighting {
    /// A connector sent it.
    pub const BY_CONNECTOR: Self = Self(1);
    /// An access log has it.
    pub const BY_LOG: Self = Self(1 << 1);
    pub const HAD_HITS: Self = Self(1 << 2);
    /// It was inspected when a connector sent it.
    pub const INSPECTED: Self = Self(1 << 3);
    /// A connector reported that it passed without a verdict.
    pub const FAILED_OPEN: Self = Self(1 << 4);

    #[must_use]
    pub fn with(self, fact: Self, is_known: bool) -> Self {
        if is_known { Self(self.0 | fact.0) } else { self }
    }

    pub fn has(self, fact: Self) -> bool {
        self.0 & fact.0 != 0
    }
}

impl RecentRequests {
    /// Enough for the reports of functions, which follow their requests at once.
    pub const DEFAULT_CAPACITY: usize = 200_000;
    /// CloudFront delivers records of a log up to a day late.
    pub const WINDOW: SignedDuration = SignedDuration::from_hours(24);

    /// Remembers at least half of `capacity`.
    pub fn new(capacity: usize) -> Self {
        let generations =
            Generations { young: HashSet::new(), old: HashSet::new(), young_since: Timestamp::UNIX_EPOCH };
        Self { generations: Mutex::new(generations), capacity: (capacity / 2).max(1) }
    }

    /// Adds what is known of a request. A repeated request keeps what was known before.
    pub fn record(&self, entry: Entry, now: Timestamp) {
        let mut generations = self.lock();
        let Generations { young, old, young_since } = &mut *generations;
        if young.len() >= self.capacity || now.duration_since(*young_since) >= Self::WINDOW {
            // Memory is reused, so that it stays constant.
            mem::swap(young, old);
            young.clear();
            *young_since = now;
        }
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
        known.has(Sighting::BY_CONNECTOR) && !known.has(Sighting::HAD_HITS)
    }

    fn lock(&self) -> MutexGuard<'_, Generations> {
        self.generations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    const FLAGS: u32 = 5;

    pub fn new(request_id: RequestId, sighting: Sighting) -> Self {
        Self(request_id.fingerprint() >> Self::FLAGS << Self::FLAGS | sighting.0)
    }

    fn sighting(self) -> Sighting {
        Sighting(self.0 & ((1 << Self::FLAGS) - 1))
    }

    /// For files.
    pub fn to_bytes(self) -> [u8; 8] {
        self.0.to_le_bytes()
    }

    pub fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(u64::from_le_bytes(bytes))
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
    const CLEAN: Sighting = Sighting::BY_CONNECTOR;
    const LOGGED: Sighting = Sighting::BY_LOG;

    fn hit() -> Sighting {
        CLEAN.with(Sighting::HAD_HITS, true)
    }

    fn id(n: usize) -> RequestId {
        RequestId::derive("E1", &n.to_string())
    }

    #[test]
    fn only_a_request_seen_without_hits_is_clean() {
        let recent = RecentRequests::new(RecentRequests::DEFAULT_CAPACITY);
        recent.record(Entry::new(id(1), CLEAN), NOW);
        recent.record(Entry::new(id(2), hit()), NOW);
        recent.record(Entry::new(id(2), CLEAN), NOW);
        recent.record(Entry::new(id(3), LOGGED), NOW);
        assert_eq!([1, 2, 3, 4].map(|n| recent.is_clean(id(n))), [true, false, false, false]);
        assert_eq!(recent.find(id(2)), hit());
        assert_eq!([recent.find(id(3)), recent.find(id(4))], [LOGGED, Sighting::default()]);
    }

    #[test]
    fn sightings_of_a_request_add_up_across_generations() {
        let recent = RecentRequests::new(20);
        recent.record(Entry::new(id(0), hit()), NOW);
        for n in 1..10 {
            recent.record(Entry::new(id(n), CLEAN), NOW);
        }
        recent.record(Entry::new(id(0), LOGGED), NOW);
        assert_eq!(recent.find(id(0)), hit().with(LOGGED, true));
    }

    #[test]
    fn forgets_old_requests() {
        let recent = RecentRequests::new(RecentRequests::DEFAULT_CAPACITY);
        for n in 0..=RecentRequests::DEFAULT_CAPACITY {
            recent.record(Entry::new(id(n), CLEAN), NOW);
        }
        assert!(!recent.is_clean(id(0)));
        assert!(recent.is_clean(id(RecentRequests::DEFAULT_CAPACITY / 2)));
    }

    #[test]
    fn remembers_requests_for_a_day() {
        let recent = RecentRequests::new(RecentRequests::DEFAULT_CAPACITY);
        let hour = |n| NOW + SignedDuration::from_hours(n);
        recent.record(Entry::new(id(0), CLEAN), hour(24));
        recent.record(Entry::new(id(1), CLEAN), hour(47));
        recent.record(Entry::new(id(2), CLEAN), hour(48));
        assert!(recent.is_clean(id(0)));
        recent.record(Entry::new(id(3), CLEAN), hour(72));
        assert_eq!([0, 1, 2].map(|n| recent.is_clean(id(n))), [false, false, true]);
    }
}
