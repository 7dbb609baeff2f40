//! Counters of invocations by outcome.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{Answer, InvokeError};

/// Counted since the function was started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub answered: u64,
    pub errors: u64,
    pub timeouts: u64,
    pub throttles: u64,
    pub cold_starts: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    answered: AtomicU64,
    errors: AtomicU64,
    timeouts: AtomicU64,
    throttles: AtomicU64,
    cold_starts: AtomicU64,
}

impl Counters {
    pub(super) fn count(&self, answer: &Answer) {
        let counter = match answer {
            Ok(_) => &self.answered,
            Err(InvokeError::Timeout) => &self.timeouts,
            Err(InvokeError::Throttled) => &self.throttles,
            Err(_) => &self.errors,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn cold_start(&self) {
        self.cold_starts.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn now(&self) -> Counts {
        let [answered, errors, timeouts, throttles, cold_starts] =
            [&self.answered, &self.errors, &self.timeouts, &self.throttles, &self.cold_starts]
                .map(|counter| counter.load(Ordering::Relaxed));
        Counts { answered, errors, timeouts, throttles, cold_starts }
    }
}
