//! The time of day for TTLs, which tests and the admin API move forward.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// The machine's time, or a fixed one. Both can be moved forward; clones share one time.
///
/// Timeouts of functions and origins do not use it.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    stands_at: Option<Timestamp>,
    advanced_ms: Arc<AtomicU64>,
}

impl Clock {
    /// Follows the machine's clock.
    pub fn real() -> Self {
        Self::default()
    }

    /// Changes by [`Clock::advance`] only.
    pub fn standing_at(time: Timestamp) -> Self {
        Self { stands_at: Some(time), ..Self::default() }
    }

    pub fn now(&self) -> Timestamp {
        let base = self.stands_at.unwrap_or_else(Timestamp::now);
        let advanced = SignedDuration::from_millis(
            i64::try_from(self.advanced_ms.load(Ordering::Relaxed)).unwrap_or(i64::MAX),
        );
        base.saturating_add(advanced).unwrap_or(Timestamp::MAX)
    }

    pub fn advance(&self, by: Duration) {
        let by = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.advanced_ms.fetch_add(by, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_clock_is_shared_and_only_advanced_explicitly() {
        let clock = Clock::standing_at(Timestamp::UNIX_EPOCH);
        let clone = clock.clone();
        clock.advance(Duration::from_secs(10));
        clone.advance(Duration::from_millis(500));
        assert_eq!(clock.now().as_millisecond(), 10_500);
        assert_eq!(clone.now(), clock.now());
    }

    #[test]
    fn real_clock_runs_and_can_be_advanced() {
        let clock = Clock::real();
        clock.advance(Duration::from_hours(1));
        assert!(clock.now() > Timestamp::now() + Duration::from_mins(59));
    }
}
