//! The limit of file descriptors, which bounds the number of connections.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing::warn;

/// Reserved for the spool, the console, the operators' listeners and logs.
const RESERVED: u64 = 1_024;

/// Raises the process's limit to its hard limit. Returns the number of wanted connections that fit.
pub fn connections(wanted: usize) -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    let possible = if raised.is_ok() { maximum } else { current };
    let Some(possible) = possible else { return wanted };
    let fitting = usize::try_from(possible.saturating_sub(RESERVED).max(possible / 2)).unwrap_or(usize::MAX);
    if fitting < wanted {
        warn!(
            "the process may open {possible} files, which allows {fitting} of {wanted} connections: raise RLIMIT_NOFILE"
        );
    }
    wanted.min(fitting)
}
