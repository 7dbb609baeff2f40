//! What a node has to bear from those who call it, as a process of its own: others are answered meanwhile, memory stays
//! bounded, and afterwards everything is given back.
//!
//! One after another, as each of them takes what the machine has.

#![expect(clippy::unwrap_used, reason = "a test fails by it; clippy exempts only functions marked as tests")]

mod bystander;
mod crowd;
mod garbage;
mod node;
mod one;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::sync::{Mutex, MutexGuard};

static ALONE: Mutex<()> = Mutex::const_new(());

/// Holds off the other tests.
async fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().await
}

/// The same, where nothing is asynchronous.
fn alone_here() -> MutexGuard<'static, ()> {
    ALONE.blocking_lock()
}

/// So many connections, or fewer when this machine's limit of open files is lower: then it says so, and is red in CI.
fn connections(wanted: u64) -> usize {
    const FOR_OTHERS: u64 = 1_500;
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    raised.expect("a process may raise its limit to the hard one");
    let possible = maximum.unwrap_or(u64::MAX).saturating_sub(FOR_OTHERS).min(wanted);
    if possible < wanted {
        eprintln!(
            "only {possible} connections instead of {wanted}: raise the hard limit of open files (ulimit -Hn)"
        );
        assert!(std::env::var_os("CI").is_none(), "in CI this has to be shown in full");
    }
    usize::try_from(possible).unwrap()
}
