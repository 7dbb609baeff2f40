//! The latest requests of this node, and whether they had hits.
//!
//! The console needs a response report only if its request had a hit, here or at another node. A
//! report is dropped only when this node remembers the request as clean.

use shared::RequestId;
use std::{
    collections::HashMap,
    mem,
    sync::{Mutex, PoisonError},
};

/// Two generations of requests; the older is dropped when the younger is full. An LRU cache would
/// take three times the memory.
#[derive(Debug, Default)]
pub struct RecentRequests(Mutex<Generations>);

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<RequestId, bool>,
    old: HashMap<RequestId, bool>,
}

impl RecentRequests {
    const GENERATION: usize = 100_000;

    pub fn record(&self, request_id: RequestId, had_hits: bool) {
        let mut generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Generations { young, old } = &mut *generations;
        if young.len() >= Self::GENERATION {
            // Memory is reused, so that it stays constant.
            mem::swap(young, old);
            young.clear();
        }
        // A repeated request keeps its hits.
        *young.entry(request_id).or_insert(false) |= had_hits;
    }

    /// Whether the request was inspected here and had no hit.
    pub fn is_clean(&self, request_id: RequestId) -> bool {
        let generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = [&generations.young, &generations.old].map(|generation| generation.get(&request_id));
        known.contains(&Some(&false)) && !known.contains(&Some(&true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: usize) -> RequestId {
        RequestId::derive("E1", &n.to_string())
    }

    #[test]
    fn only_a_request_seen_without_hits_is_clean() {
        let recent = RecentRequests::default();
        recent.record(id(1), false);
        recent.record(id(2), true);
        recent.record(id(2), false);
        assert_eq!([1, 2, 3].map(|n| recent.is_clean(id(n))), [true, false, false]);
    }

    #[test]
    fn forgets_old_requests() {
        let recent = RecentRequests::default();
        for n in 0..=2 * RecentRequests::GENERATION {
            recent.record(id(n), false);
        }
        assert!(!recent.is_clean(id(0)));
        assert!(recent.is_clean(id(RecentRequests::GENERATION)));
    }
}
