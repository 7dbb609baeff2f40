//! Whose turn it is, and who is sent away: what is admitted stays fast, however much comes.
//!
//! Analysis takes a processor, so there are as many turns as processors. Who finds none waits in line, and while that line
//! moves on to its end now and then, waits up to [`Patience::burst`]. Once the line has not been empty for that long, it is
//! no burst but more than can be done; then a wait of [`Patience::standing`] is too long already, or everybody would
//! wait the longest there is, for ever.

use std::{
    num::NonZero,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
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
}

/// The right to work, until it is dropped.
pub struct Turn(#[expect(dead_code, reason = "held, not read")] OwnedSemaphorePermit);

impl Admission {
    pub fn new(turns: usize, max_waiting: usize, patience: Patience) -> Self {
        let (waiting, last_empty) = Default::default();
        let turns = Arc::new(Semaphore::new(turns));
        Self { turns, patience, waiting, max_waiting, start: Instant::now(), last_empty }
    }

    pub async fn turn(&self) -> Result<Turn, Overloaded> {
        if let Ok(permit) = self.turns.clone().try_acquire_owned() {
            self.last_empty.store(self.now(), Relaxed);
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
        if arrived.elapsed() > self.patience() { Err(Overloaded) } else { Ok(Turn(permit)) }
    }

    fn patience(&self) -> Duration {
        let busy_for = Duration::from_millis(self.now().saturating_sub(self.last_empty.load(Relaxed)));
        if busy_for > self.patience.burst { self.patience.standing } else { self.patience.burst }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
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
