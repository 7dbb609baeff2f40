//! Whose turn it is, and who is sent away: what is admitted stays fast, however much comes.
//!
//! Analysis takes a processor, so there are as many turns as processors. Who finds none waits in line, and while that line
//! moves on to its end now and then, waits up to [`Patience::burst`]. Once the line has not been empty for that long, it is
//! no burst but more than can be done; then a wait of [`Patience::standing`] is too long already, or everybody would
//! wait the longest there is, for ever. That holds on until nobody had to be sent away for a while.

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

/// How long anybody waits for a turn.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    pub burst: Duration,
    pub standing: Duration,
}

/// More came than can be done.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the node has more to do than it can")]
pub struct Overloaded;

/// The turns at one kind of work.
pub struct Admission {
    turns: Arc<Semaphore>,
    patience: Patience,
    waiting: AtomicUsize,
    max_waiting: usize,
    start: Instant,
    /// When somebody last had to wait for nobody; milliseconds after `start`.
    last_empty: AtomicU64,
    /// Until when a line counts as standing, as somebody was sent away.
    standing_until: AtomicU64,
}

/// The right to work, until it is dropped.
pub struct Turn(#[expect(dead_code, reason = "held, not read")] OwnedSemaphorePermit);

impl Admission {
    /// Milliseconds after somebody was sent away.
    const AFTERMATH: u64 = 1_000;

    pub fn new(turns: usize, max_waiting: usize, patience: Patience) -> Self {
        let (waiting, last_empty, standing_until) = Default::default();
        let turns = Arc::new(Semaphore::new(turns));
        Self { turns, patience, waiting, max_waiting, start: Instant::now(), last_empty, standing_until }
    }

    pub async fn turn(&self) -> Result<Turn, Overloaded> {
        if let Ok(permit) = self.turns.clone().try_acquire_owned() {
            self.last_empty.store(self.now(), Relaxed);
            line_up().await;
            return Ok(Turn(permit));
        }
        if self.waiting.fetch_add(1, Relaxed) >= self.max_waiting {
            self.waiting.fetch_sub(1, Relaxed);
            return Err(Overloaded);
        }
        let _in_line = InLine(&self.waiting);
        let arrived = Instant::now();
        let permit = self.turns.clone().acquire_owned().await.map_err(|_| Overloaded)?;
        // Asked at the end of the wait: a timer for each would cost more than those are worth who go.
        if arrived.elapsed() <= self.patience() {
            return Ok(Turn(permit));
        }
        self.standing_until.store(self.now() + Self::AFTERMATH, Relaxed);
        Err(Overloaded)
    }

    fn patience(&self) -> Duration {
        let now = self.now();
        let busy_for = Duration::from_millis(now.saturating_sub(self.last_empty.load(Relaxed)));
        let stands = busy_for > self.patience.burst || now < self.standing_until.load(Relaxed);
        if stands { self.patience.standing } else { self.patience.burst }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// Lets those line up whose calls are here already. Otherwise each would be analysed before the next is looked at, and nobody
/// could tell how many wait.
async fn line_up() {
    let mut waited = false;
    poll_fn(|context| {
        if mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Counts a waiter, also one that gives up.
struct InLine<'a>(&'a AtomicUsize);

impl Drop for InLine<'_> {
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

    /// One turn, which is taken, and somebody who waits for it.
    async fn behind(patience: Patience, held: Duration) -> Result<Turn, Overloaded> {
        let admission = Admission::new(1, 1, patience);
        let turn = admission.turn().await.unwrap();
        let release = async {
            tokio::time::sleep(held).await;
            drop(turn);
        };
        tokio::join!(admission.turn(), release).0
    }

    #[tokio::test]
    async fn a_burst_is_waited_out() {
        assert!(behind(Patience { burst: LONG, standing: SHORT }, SHORT * 3).await.is_ok());
    }

    #[tokio::test]
    async fn once_the_line_stands_a_short_wait_is_too_long() {
        assert!(behind(Patience { burst: SHORT, standing: SHORT }, SHORT * 3).await.is_err());
        assert!(behind(Patience { burst: SHORT, standing: LONG }, SHORT * 3).await.is_ok());
    }

    #[tokio::test]
    async fn whoever_finds_the_line_full_goes_at_once_and_who_gives_up_leaves_a_place() {
        let admission = Admission::new(1, 1, Patience { burst: LONG, standing: LONG });
        let turn = admission.turn().await.unwrap();
        let mut waiting = Box::pin(admission.turn());
        assert!(tokio::time::timeout(SHORT, &mut waiting).await.is_err(), "waits");
        assert_eq!(admission.turn().await.err(), Some(Overloaded));
        drop(waiting);
        let (next, ()) = tokio::join!(admission.turn(), async { drop(turn) });
        assert!(next.is_ok());
    }
}
