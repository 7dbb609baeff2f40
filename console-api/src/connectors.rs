//! Connectors that called nodes.

use connector::VERSION;
use jiff::Timestamp;
use serde::Serialize;
use shared::{Delivery, inspect::Trigger};

/// A connector of one version, distribution and trigger. During a rollout both versions are listed.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = SeenConnector)]
pub struct Connector {
    /// E.g. `cloudfront`.
    pub kind: String,
    pub version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<Trigger>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distribution_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distribution_domain: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application: Option<u32>,
    /// Whether requests wait for the verdict. Absent for response reports.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,
    /// The number of nodes that it called.
    pub nodes: u64,
    /// The time of its last call.
    pub last_seen: Timestamp,
    pub calls: u64,
    /// The number of requests that it reported as not inspected; a lower bound.
    pub not_inspected: u64,
    /// The number of requests with a body of which only a part was inspected.
    pub truncated: u64,
    /// The bytes of these bodies that were not inspected; a lower bound.
    pub unseen_bytes: u64,
    /// The version of this console's bundle, if newer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upgrade_to: Option<String>,
}

impl Connector {
    /// Whether a stage at origin-request would inspect more of its bodies.
    pub fn needs_origin_stage(&self) -> bool {
        self.truncated > 0 && self.event == Some(Trigger::ViewerRequest)
    }

    /// The version to upgrade to; `None` if the version is current, or cannot be compared.
    pub fn upgrade(kind: &str, version: &str) -> Option<String> {
        let is_older = kind == "cloudfront" && numbers(version)? < numbers(VERSION)?;
        is_older.then(|| VERSION.to_owned())
    }
}

/// The numbers of a version, without its suffix: `1.10.0` is newer than `1.9.0`.
fn numbers(version: &str) -> Option<[u64; 3]> {
    let (plain, _) = version.split_once(['-', '+']).unwrap_or((version, ""));
    let numbers: Result<Vec<u64>, _> = plain.split('.').map(str::parse).collect();
    numbers.ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_older_version_has_an_upgrade() {
        assert_eq!(Connector::upgrade("cloudfront", "0.0.9"), Some(VERSION.to_owned()));
        for (kind, version) in
            [("cloudfront", VERSION), ("cloudfront", "99.0.0"), ("cloudfront", "new"), ("other", "0.0.1")]
        {
            assert_eq!(Connector::upgrade(kind, version), None, "{kind} {version}");
        }
        assert!(numbers("1.10.0") > numbers("1.9.0-rc.1"));
    }
}
