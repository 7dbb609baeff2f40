//! The connectors that call our nodes.

use connector::VERSION;
use jiff::Timestamp;
use serde::Serialize;
use shared::{Delivery, inspect::Trigger};

/// A connector of one version, before one distribution, at one trigger. While a new version is rolled out, both are there.
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
    /// Whether its requests wait for the verdict. Absent where it reports on responses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,
    /// How many nodes it called.
    pub nodes: u64,
    /// When a node last heard it.
    pub last_seen: Timestamp,
    pub calls: u64,
    /// How many un-inspected requests it told of, at least.
    pub not_inspected: u64,
    /// The version of this console's bundle, where that is newer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upgrade_to: Option<String>,
}

impl Connector {
    /// What to upgrade to; nothing where the version is as new, or is none that can be compared.
    pub fn upgrade(kind: &str, version: &str) -> Option<String> {
        let is_older = kind == "cloudfront" && numbers(version)? < numbers(VERSION)?;
        is_older.then(|| VERSION.to_owned())
    }
}

/// `1.10.0` is newer than `1.9.0`; what comes after a hyphen is left aside.
fn numbers(version: &str) -> Option<[u64; 3]> {
    let (plain, _) = version.split_once(['-', '+']).unwrap_or((version, ""));
    let numbers: Result<Vec<u64>, _> = plain.split('.').map(str::parse).collect();
    numbers.ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_older_is_to_be_upgraded() {
        assert_eq!(Connector::upgrade("cloudfront", "0.0.9"), Some(VERSION.to_owned()));
        for (kind, version) in
            [("cloudfront", VERSION), ("cloudfront", "99.0.0"), ("cloudfront", "new"), ("other", "0.0.1")]
        {
            assert_eq!(Connector::upgrade(kind, version), None, "{kind} {version}");
        }
        assert!(numbers("1.10.0") > numbers("1.9.0-rc.1"));
    }
}
