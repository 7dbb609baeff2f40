//! The deployment that the doctor checks.

use super::logging::LogsUrl;
use std::str::FromStr;

/// Name of the deployment, and how its functions are or will be attached.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// The functions are called `{name}-request` and `{name}-response`.
    pub name: String,
    /// For functions that are not attached yet.
    pub stages: Stages,
    /// Path pattern of the behavior for functions that are not attached yet.
    pub behavior: String,
    /// The status of the block page.
    pub block_status: u16,
    /// Where a node receives access logs. Absent: logs are not checked.
    pub logs: Option<LogsUrl>,
}

/// The triggers of the request function of one behavior. Viewer triggers run before the cache, origin
/// triggers behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stages {
    Viewer,
    Origin,
    Both,
}

impl Deployment {
    /// Whether an association's ARN, with its version, is one of the deployment's functions.
    pub(super) fn owns(&self, arn: &str) -> bool {
        let name = arn.split(':').nth(6).unwrap_or_default();
        name.strip_prefix(self.name.as_str()).is_some_and(|kind| matches!(kind, "-request" | "-response"))
    }
}

impl Stages {
    pub(super) fn has_viewer(self) -> bool {
        self != Self::Origin
    }

    pub(super) fn has_origin(self) -> bool {
        self != Self::Viewer
    }
}

impl FromStr for Stages {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "viewer" => Ok(Self::Viewer),
            "origin" => Ok(Self::Origin),
            "viewer+origin" => Ok(Self::Both),
            _ => Err("must be viewer, origin or viewer+origin"),
        }
    }
}
