//! Memory limit of an environment.

use std::fs;
use std::time::Duration;

use tokio::time::Instant;

/// Sampling costs more than a small invocation; a peak between two samples is missed.
const SAMPLE_INTERVAL: Duration = Duration::from_millis(50);

/// The limit of an environment, and the highest sample.
#[derive(Debug)]
pub(super) struct Memory {
    pid: u32,
    limit: u64,
    most: u64,
    next_sample: Instant,
}

impl Memory {
    pub(super) fn of(pid: u32, limit_mb: u32) -> Self {
        let next_sample = Instant::now() + SAMPLE_INTERVAL;
        Self { pid, limit: u64::from(limit_mb) * 1024 * 1024, most: 0, next_sample }
    }

    /// Completes when the next sample is due.
    pub(super) fn next_sample(&self) -> Instant {
        self.next_sample
    }

    /// Whether the sample exceeds the limit.
    pub(super) fn sample(&mut self) -> bool {
        let now = resident(self.pid);
        self.most = self.most.max(now);
        self.next_sample = Instant::now() + SAMPLE_INTERVAL;
        now > self.limit
    }

    /// In bytes.
    pub(super) fn most(&self) -> u64 {
        self.most
    }
}

/// Resident bytes of a process and its descendants; 0 after its end. Shared pages count for each of
/// them.
fn resident(pid: u32) -> u64 {
    let mut total = 0;
    let mut pending = vec![pid];
    while let Some(pid) = pending.pop() {
        total += resident_of(pid);
        pending.extend(children(pid));
    }
    total
}

/// The second number of `statm`, in pages.
fn resident_of(pid: u32) -> u64 {
    let statm = fs::read_to_string(format!("/proc/{pid}/statm")).unwrap_or_default();
    let pages: u64 = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
    pages * rustix::param::page_size() as u64
}

/// Any thread may have started a child.
fn children(pid: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let listed = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    listed
        .flat_map(|pids| pids.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_includes_child_processes() {
        let mut shell = std::process::Command::new("sh").args(["-c", "sleep 60; true"]).spawn().unwrap();
        while children(shell.id()).is_empty() {
            std::thread::sleep(Duration::from_millis(5));
        }
        let [sleep] = children(shell.id())[..] else { panic!("one child was started") };
        // Both processes grow while they start.
        let includes_both = |_| {
            std::thread::sleep(Duration::from_millis(5));
            let child = resident_of(sleep);
            child > 0 && resident(shell.id()) == resident_of(shell.id()) + child
        };
        assert!((0..2_000).any(includes_both));
        let pid = sleep.to_string();
        std::process::Command::new("kill").arg(pid).status().unwrap();
        shell.wait().unwrap();
        assert_eq!(resident(shell.id()), 0);
    }
}
