//! Admission control: bounded concurrency, load shedding.
//!
//! Analysis is bound by processors, so there are as many permits as processors, and calls beyond
//! them queue. During a burst a call may wait up to [`QueueTimeouts::burst_timeout`]. Once the
//! queue has not been empty for that long, the node is overloaded, and a wait longer than
//! [`QueueTimeouts::overloaded_timeout`] is refused: otherwise every call would wait the maximum.
//! The overload lasts until no call was refused for a while.

use crate::config::QueueTimeouts;
use std::{
    future::poll_fn,
    mem,
    num::NonZero,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    task::Poll,
    thread::available_parallelism,
    time::{Duration, Instant},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The queue is full or too slow.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the node is overloaded; retry later")]
pub struct Overloaded;

/// Admission to one kind of work.
pub struct Admission {
    permits: Arc<Semaphore>,
    timeouts: QueueTimeouts,
    waiting: AtomicUsize,
    max_waiting: usize,
    start: Instant,
    /// When a call last found a free permit; milliseconds after `start`.
    last_empty: AtomicU64,
    /// End of the overload; milliseconds after `start`.
    overloaded_until: AtomicU64,
}

/// The right to work, until it is dropped.
pub struct Permit(#[expect(dead_code, reason = "held, not read")] OwnedSemaphorePermit);

impl Admission {
    /// How long an overload lasts after a refusal, in milliseconds.
    const OVERLOAD_MILLIS: u64 = 1_000;

    pub fn new(permits: usize, max_waiting: usize, timeouts: QueueTimeouts) -> Self {
        let (waiting, last_empty, overloaded_until) = Default::default();
        let permits = Arc::new(Semaphore::new(permits));
        Self { permits, timeouts, waiting, max_waiting, start: Instant::now(), last_empty, overloaded_until }
    }

    /// Waits for a permit, within the timeout that the load allows.
    pub async fn acquire(&self) -> Result<Permit, Overloaded> {
        if let Ok(permit) = self.permits.clone().try_acquire_owned() {
            self.last_empty.store(self.now(), Relaxed);
            yield_to_queue().await;
            return Ok(Permit(permit));
        }
        if self.waiting.fetch_add(1, Relaxed) >= self.max_waiting {
            self.waiting.fetch_sub(1, Relaxed);
            return Err(Overloaded);
        }
        let _waiting = QueuedCall(&self.waiting);
        let arrived = Instant::now();
        let permit = self.permits.clone().acquire_owned().await.map_err(|_| Overloaded)?;
        // Checked at the end of the wait: a timer per call would cost more than it saves.
        if arrived.elapsed() <= self.timeout() {
            return Ok(Permit(permit));
        }
        self.overloaded_until.store(self.now() + Self::OVERLOAD_MILLIS, Relaxed);
        Err(Overloaded)
    }

    fn timeout(&self) -> Duration {
        let now = self.now();
        let busy_for = Duration::from_millis(now.saturating_sub(self.last_empty.load(Relaxed)));
        let is_overloaded =
            busy_for > self.timeouts.burst_timeout || now < self.overloaded_until.load(Relaxed);
        if is_overloaded { self.timeouts.overloaded_timeout } else { self.timeouts.burst_timeout }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// Lets calls that have already arrived queue first. Otherwise each would be analyzed before the
/// next is accepted, and the length of the queue would stay unknown.
async fn yield_to_queue() {
    let mut has_yielded = false;
    poll_fn(|context| {
        if mem::replace(&mut has_yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Counts a waiting call, until it is admitted or cancelled.
struct QueuedCall<'a>(&'a AtomicUsize);

impl Drop for QueuedCall<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

pub fn processors() -> usize {
    available_parallelism().map_or(1, NonZero::get)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(20);
    const SHORT: Duration = Duration::from_millis(20);

    /// The result of waiting behind a permit that is held for this time.
    async fn acquire_behind_permit(
        burst_timeout: Duration,
        overloaded_timeout: Duration,
        hold_time: Duration,
    ) -> Result<Permit, Overloaded> {
        let admission = Admission::new(1, 1, QueueTimeouts { burst_timeout, overloaded_timeout });
        let permit = admission.acquire().await.unwrap();
        let release = async {
            tokio::time::sleep(hold_time).await;
            drop(permit);
        };
        tokio::join!(admission.acquire(), release).0
    }

    #[tokio::test]
    async fn a_burst_waits_up_to_the_burst_timeout() {
        assert!(acquire_behind_permit(LONG, SHORT, SHORT * 3).await.is_ok());
    }

    #[tokio::test]
    async fn under_overload_the_short_timeout_applies() {
        assert!(acquire_behind_permit(SHORT, SHORT, SHORT * 3).await.is_err());
        assert!(acquire_behind_permit(SHORT, LONG, SHORT * 3).await.is_ok());
    }

    #[tokio::test]
    async fn a_full_queue_refuses_at_once_and_a_cancelled_wait_frees_its_slot() {
        let admission = Admission::new(1, 1, QueueTimeouts { burst_timeout: LONG, overloaded_timeout: LONG });
        let permit = admission.acquire().await.unwrap();
        let mut waiting = Box::pin(admission.acquire());
        assert!(tokio::time::timeout(SHORT, &mut waiting).await.is_err(), "waits");
        assert_eq!(admission.acquire().await.err(), Some(Overloaded));
        drop(waiting);
        let (next, ()) = tokio::join!(admission.acquire(), async { drop(permit) });
        assert!(next.is_ok());
    }
}
