//! A well-behaved client that calls during an abuse test.

use crate::node;
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

pub(crate) struct Bystander {
    stop: Arc<AtomicBool>,
    calls: JoinHandle<(u32, Duration)>,
}

impl Bystander {
    /// Generous for a busy machine, and half the timeout of slow clients.
    const TIMEOUT: Duration = Duration::from_secs(10);

    pub(crate) fn watch(address: SocketAddr) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let calls = thread::spawn(move || {
            let (mut count, mut slowest) = (0, Duration::ZERO);
            while !stopped.load(Relaxed) {
                let start = Instant::now();
                let answer = node::inspect(address);
                assert!(answer.contains(r#""action":"block""#), "{answer}");
                slowest = slowest.max(start.elapsed());
                count += 1;
                thread::sleep(Duration::from_millis(20));
            }
            (count, slowest)
        });
        Self { stop, calls }
    }

    /// Asserts that all calls were answered in time.
    pub(crate) fn was_served(self) {
        self.stop.store(true, Relaxed);
        let (count, slowest) = self.calls.join().expect("every call gets a verdict");
        assert!(count > 0, "no call was made");
        assert!(slowest < Self::TIMEOUT, "the slowest of {count} responses took {slowest:?}");
        eprintln!("{count} calls of a well-behaved client were answered, the slowest after {slowest:?}");
    }
}
