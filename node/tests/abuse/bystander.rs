//! Somebody honest, who calls all the while.

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
    /// Generous, as the machine may be busy; but those who are slow are borne for twice as long.
    const PATIENCE: Duration = Duration::from_secs(10);

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

    /// All calls were answered, in time.
    pub(crate) fn was_served(self) {
        self.stop.store(true, Relaxed);
        let (count, slowest) = self.calls.join().expect("every call is answered with a verdict");
        assert!(count > 0, "nobody called meanwhile");
        assert!(slowest < Self::PATIENCE, "the slowest of {count} answers took {slowest:?}");
        eprintln!("meanwhile {count} others were answered, the slowest after {slowest:?}");
    }
}
