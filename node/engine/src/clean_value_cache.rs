//! Negative cache: digests of values in which the detectors found nothing.
//!
//! Browsers repeat their headers with each request, and applications their paths, names and
//! options. Only context-free results are cached; what depends on the value's position is evaluated
//! each time, so earlier requests do not change a verdict.

use crate::{digest, field::Field};
use std::{
    hash::RandomState,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

/// 64 KB in all, of which a request reads a few dozen cache lines.
const SLOTS: usize = 8192;
/// Longer values rarely repeat.
const MAX_BYTES: usize = 512;
/// In place of the kind of a field, in the digest of a request target.
const TARGET: u64 = u64::MAX;

/// A direct-mapped cache: each slot holds the last digest that fell on it, without locks or
/// allocations.
///
/// The hash key is secret, so an attacker cannot construct a collision; a chance collision has
/// probability 2⁻⁶⁴.
pub(crate) struct CleanValueCache {
    key: RandomState,
    slots: Box<[AtomicU64]>,
}

/// The slot of one value.
#[derive(Clone, Copy)]
pub(crate) struct CacheSlot<'e> {
    digest: u64,
    slot: &'e AtomicU64,
}

impl CleanValueCache {
    pub(crate) fn new() -> Self {
        let slots = std::iter::repeat_with(AtomicU64::default).take(SLOTS).collect();
        Self { key: RandomState::new(), slots }
    }

    /// The slot of a value; `None` for values too long to be cached. Values that may be documents
    /// have slots of their own, as some rules are off in documents.
    pub(crate) fn slot(&self, field: &Field<'_>, may_be_document: bool) -> Option<CacheSlot<'_>> {
        let is_short = field.value.len() <= MAX_BYTES;
        let kind = 2 * field.kind as u64 + u64::from(may_be_document);
        is_short.then(|| self.slot_of(digest::mix(digest::of_bytes(&self.key, &field.value), kind)))
    }

    /// The slot of a request target, which holds no key of a known exploit if it is clean.
    pub(crate) fn target_slot(&self, path: &str, query: &str) -> Option<CacheSlot<'_>> {
        let is_short = path.len() + query.len() <= MAX_BYTES;
        let digest = |text: &str| digest::of_bytes(&self.key, text.as_bytes());
        is_short.then(|| self.slot_of(digest::mix(digest::mix(digest(path), digest(query)), TARGET)))
    }

    fn slot_of(&self, digest: u64) -> CacheSlot<'_> {
        let slot = &self.slots[usize::try_from(digest).unwrap_or_default() % SLOTS];
        CacheSlot { digest, slot }
    }
}

impl CacheSlot<'_> {
    pub(crate) fn is_clean(self) -> bool {
        self.slot.load(Relaxed) == self.digest
    }

    pub(crate) fn mark_clean(self) {
        self.slot.store(self.digest, Relaxed);
    }
}
