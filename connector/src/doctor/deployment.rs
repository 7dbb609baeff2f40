//! The deployment that the doctor checks.

use std::fmt;

/// Name of the deployment, and how its functions are or will be attached.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// The functions are called `{name}-request` and `{name}-response`.
    pub name: String,
    /// Triggers for functions that are not attached yet.
    pub side: Side,
    /// Path pattern of the behavior for functions that are not attached yet.
    pub behavior: String,
    /// The status of the block page.
    pub block_status: u16,
}

/// Viewer triggers run before the cache, origin triggers behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Viewer,
    Origin,
}

impl Deployment {
    /// Whether an association's ARN, with its version, is one of the deployment's functions.
    pub(super) fn owns(&self, arn: &str) -> bool {
        let name = arn.split(':').nth(6).unwrap_or_default();
        name.strip_prefix(self.name.as_str()).is_some_and(|kind| matches!(kind, "-request" | "-response"))
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Viewer => "viewer",
            Self::Origin => "origin",
        })
    }
}
