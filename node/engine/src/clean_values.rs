//! Values that were read before and hold nothing: a browser sends the same headers with each of its requests, and an
//! application is asked with the same paths, names and choices.
//!
//! Only what a value is by itself is remembered. What depends on where it sits is asked each time, so the same request gets the
//! same answer whatever came before it.

use crate::field::Field;
use std::{
    hash::{BuildHasher as _, RandomState},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

/// 64 KB, of which a request reads a few dozen lines; each place holds the last of the values that fall on it.
const PLACES: usize = 8192;
/// Longer ones are rarely sent twice.
const MAX_BYTES: usize = 512;

/// Digests with a secret key, which nobody can choose a value for: an attack is taken for a value seen before once in 2⁶⁴.
pub(crate) struct CleanValues {
    key: RandomState,
    digests: Box<[AtomicU64]>,
}

/// A value that can be remembered.
#[derive(Clone, Copy)]
pub(crate) struct Remembered<'e> {
    digest: u64,
    place: &'e AtomicU64,
}

impl CleanValues {
    pub(crate) fn new() -> Self {
        Self {
            key: RandomState::new(),
            digests: std::iter::repeat_with(AtomicU64::default).take(PLACES).collect(),
        }
    }

    /// Where a value is remembered, if it is one that comes again.
    pub(crate) fn of(&self, field: &Field<'_>) -> Option<Remembered<'_>> {
        let is_short = field.value.len() <= MAX_BYTES;
        let digest = is_short.then(|| self.key.hash_one((field.place as u8, &*field.value)))?;
        let place = &self.digests[usize::try_from(digest).unwrap_or_default() % PLACES];
        Some(Remembered { digest, place })
    }
}

impl Remembered<'_> {
    pub(crate) fn is_clean(self) -> bool {
        self.place.load(Relaxed) == self.digest
    }

    pub(crate) fn note_clean(self) {
        self.place.store(self.digest, Relaxed);
    }
}
