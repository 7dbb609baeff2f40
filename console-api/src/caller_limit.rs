//! Limits of concurrent calls for each caller, a user or a token, so that one caller cannot delay
//! the others. Each console process counts separately.

use std::{
    collections::HashMap,
    error::Error,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use uuid::Uuid;

/// How many calls run, and how many wait for the end of others.
#[derive(Debug, Clone, Copy)]
pub struct Quota {
    pub calls: Calls,
    /// Running calls of one caller.
    pub running: usize,
    /// Waiting calls of one caller.
    pub waiting: usize,
    pub queue_timeout: Duration,
    /// Running calls of all callers.
    pub total: usize,
}

/// A kind of limited calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Calls {
    Searches,
    Streams,
    /// Long polls of nodes.
    Polls,
}

/// Searches, exports, statistics and previews. A page of the console makes two at a time. One caller
/// with both, of at most two statements each, leaves connections of the database for others.
pub const SEARCHES: Quota = Quota {
    calls: Calls::Searches,
    running: 2,
    waiting: 8,
    queue_timeout: Duration::from_secs(5),
    total: 64,
};
/// Live streams, each with a search a second.
pub const STREAMS: Quota =
    Quota { calls: Calls::Streams, running: 16, waiting: 0, queue_timeout: Duration::ZERO, total: 1_000 };
/// Nodes that wait for a ruleset; a node needs one call. Below the limit of connections.
pub const POLLS: Quota =
    Quota { calls: Calls::Polls, running: 64, waiting: 0, queue_timeout: Duration::ZERO, total: 1_000 };

#[derive(Debug, Clone)]
pub struct CallerLimit {
    quota: Quota,
    /// Of callers with running or waiting calls only.
    callers: Arc<Mutex<HashMap<Uuid, Arc<Semaphore>>>>,
    total: Arc<Semaphore>,
}

/// Held while a call runs.
#[derive(Debug)]
pub struct CallerPermit {
    _of_caller: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
}

/// A call beyond a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exceeded {
    /// Of the running calls of this caller.
    OfCaller(Calls, usize),
    /// Of the running calls of all callers.
    OfAll(Calls, usize),
}

impl Error for Exceeded {}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::OfCaller(Calls::Searches, limit) => write!(
                f,
                "this user or token already runs {limit} searches at a time; wait for their end, or narrow them \
                 (a shorter time range with `from` and `to`, more conditions)"
            ),
            Self::OfCaller(Calls::Streams, limit) => {
                write!(f, "this user or token already has {limit} live streams; close some")
            }
            Self::OfCaller(Calls::Polls, limit) => {
                write!(f, "this token already has {limit} calls that wait for a ruleset; a node needs one")
            }
            Self::OfAll(calls, limit) => {
                let running = match calls {
                    Calls::Searches => "searches run",
                    Calls::Streams => "live streams are open",
                    Calls::Polls => "calls wait for a ruleset",
                };
                write!(f, "{limit} {running}, the limit of the console; retry later")
            }
        }
    }
}

impl CallerLimit {
    pub fn new(quota: Quota) -> Self {
        Self { quota, callers: Arc::default(), total: Arc::new(Semaphore::new(quota.total)) }
    }

    /// The running calls of all callers.
    pub fn running(&self) -> usize {
        self.quota.total - self.total.available_permits()
    }

    /// A permit for one call, after the end of others if necessary.
    pub async fn enter(&self, caller: Uuid) -> Result<CallerPermit, Exceeded> {
        let Quota { calls, running, queue_timeout, total, .. } = self.quota;
        let of_caller = Exceeded::OfCaller(calls, running);
        let slots = self.slots(caller).ok_or(of_caller)?;
        let slot = if let Ok(permit) = slots.clone().try_acquire_owned() {
            permit
        } else {
            let queued = timeout(queue_timeout, slots.acquire_owned()).await;
            queued.ok().and_then(Result::ok).ok_or(of_caller)?
        };
        let of_all = self.total.clone().try_acquire_owned().map_err(|_| Exceeded::OfAll(calls, total))?;
        Ok(CallerPermit { _of_caller: slot, _of_all: of_all })
    }

    /// The slots of a caller, unless too many calls have or wait for one. Each of them refers to
    /// the slots, as the map does.
    fn slots(&self, caller: Uuid) -> Option<Arc<Semaphore>> {
        let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        callers.retain(|_, slots| Arc::strong_count(slots) > 1);
        let Quota { running, waiting, .. } = self.quota;
        let slots = callers.entry(caller).or_insert_with(|| Arc::new(Semaphore::new(running)));
        (Arc::strong_count(slots) <= running + waiting).then(|| slots.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: Uuid = Uuid::from_u128(1);
    const BOB: Uuid = Uuid::from_u128(2);

    fn limit(waiting: usize, queue_timeout: Duration) -> CallerLimit {
        CallerLimit::new(Quota { calls: Calls::Searches, running: 2, waiting, queue_timeout, total: 3 })
    }

    #[tokio::test]
    async fn bounds_each_caller_and_all_of_them() {
        let limit = limit(0, Duration::ZERO);
        let first = limit.enter(ANN).await.unwrap();
        let second = limit.enter(ANN).await.unwrap();
        assert_eq!(limit.enter(ANN).await.unwrap_err(), Exceeded::OfCaller(Calls::Searches, 2));
        let third = limit.enter(BOB).await.unwrap();
        assert_eq!(limit.enter(BOB).await.unwrap_err(), Exceeded::OfAll(Calls::Searches, 3));
        drop(first);
        let again = limit.enter(ANN).await.unwrap();
        drop((second, third, again));
        assert!(limit.enter(BOB).await.is_ok());
        assert_eq!(limit.callers.lock().unwrap().len(), 1, "callers without calls take no memory");
    }

    #[tokio::test]
    async fn a_call_waits_for_the_end_of_another() {
        let limit = limit(1, Duration::from_mins(1));
        let first = limit.enter(ANN).await.unwrap();
        let _second = limit.enter(ANN).await.unwrap();
        let waiting = tokio::spawn({
            let limit = limit.clone();
            async move { limit.enter(ANN).await.map(drop) }
        });
        while limit.slots(ANN).is_some() {
            tokio::task::yield_now().await;
        }
        assert_eq!(
            limit.enter(ANN).await.unwrap_err(),
            Exceeded::OfCaller(Calls::Searches, 2),
            "one waits already"
        );
        drop(first);
        assert_eq!(waiting.await.unwrap(), Ok(()));
    }

    #[tokio::test]
    async fn a_call_that_waits_in_vain_is_refused() {
        let limit = limit(1, Duration::from_millis(10));
        let _running = [limit.enter(ANN).await.unwrap(), limit.enter(ANN).await.unwrap()];
        assert_eq!(limit.enter(ANN).await.unwrap_err(), Exceeded::OfCaller(Calls::Searches, 2));
    }
}
