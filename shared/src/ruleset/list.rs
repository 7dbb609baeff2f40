//! IP lists: allowlist, denylist and graylist.

use super::Network;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The list of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum List {
    /// Requests pass without analysis.
    Allow,
    /// Requests are blocked without analysis.
    Deny,
    /// Attacks are blocked in mode `safe_blocking`.
    Gray,
}

/// A source on a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ListEntry {
    #[serde(with = "crate::as_text")]
    pub id: Uuid,
    pub list: List,
    pub source: Source,
    /// Limits the entry to these applications; all when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub applications: Vec<u32>,
    /// Never, when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// The sources of an entry.
///
/// As JSON: `{"network": "10.0.0.0/8"}`, `{"country": "DE"}`, `{"asn": 64500}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Source {
    Network(Network),
    /// ISO 3166-1 alpha-2 code. Needs a country database on the node.
    Country(String),
    /// Autonomous system number. Needs an ASN database on the node.
    Asn(u32),
}

impl List {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Gray => "gray",
        }
    }
}
