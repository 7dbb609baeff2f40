//! Stops asking a node that does not answer, so that visitors do not wait for it one after the other.

use crate::parameters::BreakerParameters;
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

/// Open after so many failures in a row; once a pause is over, the next call tries the node again.
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

    /// Whether the node may be asked at this time.
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
    fn it_opens_after_failures_in_a_row_and_tries_again_after_the_pause() {
        let (breaker, start) = (breaker(2), Instant::now());
        breaker.failed(start);
        assert!(breaker.allows(start));
        breaker.failed(start);
        assert!(!breaker.allows(start));
        assert!(breaker.allows(start + PAUSE), "one try");
        breaker.failed(start + PAUSE);
        assert!(!breaker.allows(start + PAUSE), "which failed");
        breaker.succeeded();
        breaker.failed(start + PAUSE);
        assert!(breaker.allows(start + PAUSE), "a success forgets what was before");
    }

    #[test]
    fn it_can_be_switched_off() {
        let (breaker, now) = (breaker(0), Instant::now());
        for _ in 0..100 {
            breaker.failed(now);
        }
        assert!(breaker.allows(now));
    }
}
