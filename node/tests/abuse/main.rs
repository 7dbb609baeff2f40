//! Abuse tests against a node process: other clients are served meanwhile, memory stays bounded,
//! and resources are released afterwards. The tests run one at a time, as each uses the whole
//! machine.

#![expect(clippy::unwrap_used, reason = "a test fails by it; clippy exempts only functions marked as tests")]

mod bystander;
mod crowd;
mod garbage;
mod node;
mod one;
mod unverified;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::sync::{Mutex, MutexGuard};

static ALONE: Mutex<()> = Mutex::const_new(());

/// Excludes the other tests.
async fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().await
}

/// The same for synchronous tests.
fn alone_here() -> MutexGuard<'static, ()> {
    ALONE.blocking_lock()
}

/// The number of connections within the limit of open files. Fewer than wanted are reported, and
/// fail in CI.
fn connections(wanted: u64) -> usize {
    const RESERVED: u64 = 1_500;
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    raised.expect("a process may raise its soft limit to the hard limit");
    let possible = maximum.unwrap_or(u64::MAX).saturating_sub(RESERVED).min(wanted);
    if possible < wanted {
        eprintln!("only {possible} of {wanted} connections: raise the hard limit of open files (ulimit -Hn)");
        assert!(std::env::var_os("CI").is_none(), "CI has to run the full test");
    }
    usize::try_from(possible).unwrap()
}
