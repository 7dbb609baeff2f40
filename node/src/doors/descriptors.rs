//! Each connection takes a file descriptor, and of these a process may have so many.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing::warn;

/// For the spool, the console, the operators' listeners and what else is open.
const FOR_OTHERS: u64 = 1_024;

/// Raises the limit of this process as far as its parent allows, and says how many of the wanted connections fit.
pub fn connections(wanted: usize) -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    let possible = if raised.is_ok() { maximum } else { current };
    let Some(possible) = possible else { return wanted };
    let fitting =
        usize::try_from(possible.saturating_sub(FOR_OTHERS).max(possible / 2)).unwrap_or(usize::MAX);
    if fitting < wanted {
        warn!(
            "{possible} open files are allowed, so at most {fitting} connections (limits.max_connections is {wanted})"
        );
    }
    wanted.min(fitting)
}
