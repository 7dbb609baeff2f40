//! Circuit breaker: stops calls to a failing node, so that visitors do not wait for each deadline.

use crate::parameters::BreakerParameters;
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

/// Opens after a number of consecutive failures; after a pause, the next call tries the node again.
#[derive(Debug)]
pub struct Breaker {
    parameters: BreakerParameters,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    failures: u32,
    open_until: Option<Instant>,
}

impl Breaker {
    pub fn new(parameters: BreakerParameters) -> Self {
        Self { parameters, state: Mutex::default() }
    }

    /// Whether a call may be made.
    pub fn allows(&self, now: Instant) -> bool {
        self.state().open_until.is_none_or(|until| until <= now)
    }

    pub fn succeeded(&self) {
        *self.state() = State::default();
    }

    pub fn failed(&self, now: Instant) {
        let BreakerParameters { failures, pause } = self.parameters;
        let mut state = self.state();
        state.failures = state.failures.saturating_add(1);
        if failures > 0 && state.failures >= failures {
            state.open_until = Some(now + pause);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const PAUSE: Duration = Duration::from_secs(1);

    fn breaker(failures: u32) -> Breaker {
        Breaker::new(BreakerParameters { failures, pause: PAUSE })
    }

    #[test]
    fn opens_after_consecutive_failures_and_allows_a_call_after_the_pause() {
        let (breaker, start) = (breaker(2), Instant::now());
        breaker.failed(start);
        assert!(breaker.allows(start));
        breaker.failed(start);
        assert!(!breaker.allows(start));
        assert!(breaker.allows(start + PAUSE), "one attempt");
        breaker.failed(start + PAUSE);
        assert!(!breaker.allows(start + PAUSE), "that attempt failed");
        breaker.succeeded();
        breaker.failed(start + PAUSE);
        assert!(breaker.allows(start + PAUSE), "a success resets the count");
    }

    #[test]
    fn zero_failures_disables_the_breaker() {
        let (breaker, now) = (breaker(0), Instant::now());
        for _ in 0..100 {
            breaker.failed(now);
        }
        assert!(breaker.allows(now));
    }
}
