//! The pool of environments: an invocation gets a free one, a new one, the next that becomes free,
//! or is throttled.
//!
//! An environment that becomes free while a caller waits is handed over unfrozen: Lambda freezes
//! one only when nothing is pending.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, sleep_until};

use super::InvokeError;
use super::environment::Environment;

/// Polling interval of callers that wait for an environment's rate limit.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) environments: usize,
    pub(super) reserved: Option<usize>,
    /// How long to wait for an environment when no more may be started.
    pub(super) limit: Duration,
    /// Whether environments have a rate limit, and may be free but unavailable.
    pub(super) capped: bool,
}

/// The permit for one environment: this one, or one to be started. [`Pool::free`] or [`Pool::lost`]
/// returns it.
pub(super) type Lease = Option<Environment>;

pub(super) struct Pool {
    limits: Limits,
    state: Mutex<State>,
    rest: Notify,
}

#[derive(Default)]
struct State {
    /// Frozen at `/next`; the most recently used is last.
    idle: Vec<Environment>,
    /// Working or starting.
    occupied: usize,
    waiting: VecDeque<oneshot::Sender<Lease>>,
    stopped: bool,
}

impl Pool {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, state: Mutex::default(), rest: Notify::new() }
    }

    /// `version` is the current one; environments of others end.
    pub(super) async fn lease(&self, version: u32) -> Result<Lease, InvokeError> {
        let deadline = Instant::now() + self.limits.limit;
        loop {
            let mut receiver = match self.take(version)? {
                Ok(lease) => return Ok(lease),
                Err(receiver) => receiver,
            };
            let next_poll =
                if self.limits.capped { deadline.min(Instant::now() + POLL_INTERVAL) } else { deadline };
            tokio::select! {
                biased;
                lease = &mut receiver => return lease.map_err(|_| InvokeError::Stopped),
                () = sleep_until(next_poll) => {}
            }
            // One may have been handed over at the same time.
            receiver.close();
            if let Ok(lease) = receiver.try_recv() {
                return Ok(lease);
            }
            if Instant::now() >= deadline {
                return Err(InvokeError::Throttled);
            }
        }
    }

    fn take(&self, version: u32) -> Result<Result<Lease, oneshot::Receiver<Lease>>, InvokeError> {
        let mut state = self.state();
        if state.stopped {
            return Err(InvokeError::Stopped);
        }
        state.idle.retain(|environment| environment.is_alive() && environment.version() == version);
        let now = Instant::now();
        if let Some(at) = state.idle.iter_mut().rposition(|environment| environment.may_serve(now)) {
            state.occupied += 1;
            return Ok(Ok(Some(state.idle.remove(at))));
        }
        let total = state.idle.len() + state.occupied;
        if self.limits.reserved.is_some_and(|reserved| total >= reserved) {
            return Err(InvokeError::Throttled);
        }
        if total < self.limits.environments {
            state.occupied += 1;
            return Ok(Ok(None));
        }
        state.waiting.retain(|waiting| !self.limits.capped || !waiting.is_closed());
        let (sender, receiver) = oneshot::channel();
        state.waiting.push_back(sender);
        Ok(Err(receiver))
    }

    /// Returns an environment after its invocation.
    pub(super) fn free(&self, mut environment: Environment, version: u32) {
        let mut state = self.state();
        if state.stopped || environment.version() != version {
            drop(state);
            return self.lost();
        }
        if environment.may_serve(Instant::now()) {
            while let Some(next) = state.waiting.pop_front() {
                // The send fails, and returns the environment, when the caller has been cancelled.
                let Err(Some(returned)) = next.send(Some(environment)) else { return };
                environment = returned;
            }
        }
        environment.freeze();
        state.idle.push(environment);
        self.release(&mut state);
    }

    /// Returns the permit of an environment that ended or did not start.
    pub(super) fn lost(&self) {
        let mut state = self.state();
        while let Some(next) = state.waiting.pop_front() {
            if next.send(None).is_ok() {
                return;
            }
        }
        self.release(&mut state);
    }

    /// Waits until no environment is busy.
    pub(super) async fn at_rest(&self) {
        loop {
            let rest = self.rest.notified();
            if self.occupied() == 0 {
                return;
            }
            rest.await;
        }
    }

    pub(super) fn occupied(&self) -> usize {
        self.state().occupied
    }

    pub(super) fn idle(&self) -> usize {
        self.state().idle.iter().filter(|environment| environment.is_alive()).count()
    }

    /// Refuses all further invocations and ends the frozen environments.
    pub(super) fn stop(&self) {
        let mut state = self.state();
        state.stopped = true;
        state.waiting.clear();
        state.idle.clear();
    }

    fn release(&self, state: &mut State) {
        state.occupied -= 1;
        if state.occupied == 0 {
            self.rest.notify_waiters();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
