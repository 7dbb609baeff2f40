//! How much memory an environment takes.

use std::fs;
use std::time::Duration;

use tokio::time::Instant;

/// A look costs more than a small invocation does; a peak between two looks is not seen.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// What an environment may have, and the most it was seen to have.
#[derive(Debug)]
pub(super) struct Memory {
    pid: u32,
    limit: u64,
    most: u64,
    look_at: Instant,
}

impl Memory {
    pub(super) fn of(pid: u32, limit_mb: u32) -> Self {
        let look_at = Instant::now() + BETWEEN_LOOKS;
        Self { pid, limit: u64::from(limit_mb) * 1024 * 1024, most: 0, look_at }
    }

    /// When to look again.
    pub(super) fn look_at(&self) -> Instant {
        self.look_at
    }

    /// Says whether it is too much.
    pub(super) fn look(&mut self) -> bool {
        let now = resident(self.pid);
        self.most = self.most.max(now);
        self.look_at = Instant::now() + BETWEEN_LOOKS;
        now > self.limit
    }

    /// In bytes.
    pub(super) fn most(&self) -> u64 {
        self.most
    }
}

/// Bytes resident in a process and in all that it started; 0 once it is gone. Pages that several of them share count
/// for each.
fn resident(pid: u32) -> u64 {
    let mut total = 0;
    let mut left = vec![pid];
    while let Some(pid) = left.pop() {
        total += of_one(pid);
        left.extend(children(pid));
    }
    total
}

/// The second number of `statm`, in pages.
fn of_one(pid: u32) -> u64 {
    let statm = fs::read_to_string(format!("/proc/{pid}/statm")).unwrap_or_default();
    let pages: u64 = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
    pages * rustix::param::page_size() as u64
}

/// Any thread may have started one.
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
    fn what_a_process_started_counts_with_it() {
        let mut shell = std::process::Command::new("sh").args(["-c", "sleep 60; true"]).spawn().unwrap();
        while children(shell.id()).is_empty() {
            std::thread::sleep(Duration::from_millis(5));
        }
        let [sleep] = children(shell.id())[..] else { panic!("one child was started") };
        while of_one(sleep) == 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(resident(shell.id()), of_one(shell.id()) + of_one(sleep));
        let pid = sleep.to_string();
        std::process::Command::new("kill").arg(pid).status().unwrap();
        shell.wait().unwrap();
        assert_eq!(resident(shell.id()), 0);
    }
}
