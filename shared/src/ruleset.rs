//! Rulesets that the console sends to nodes: rules and IP lists with one version.
//!
//! A rule has a [`Scope`] and an [`Effect`]. A node leaves out and counts rules that it does not
//! understand completely: ignoring an unknown condition would apply the rule everywhere.

mod lenient;
mod list;
mod network;
mod rule;

pub use lenient::{LeftOut, Lenient};
pub use list::{List, ListEntry, Source};
pub use network::{InvalidNetwork, Network};
pub use rule::{Content, Effect, OverlimitAction, Pattern, Points, Rule, RuleRef, Scope, Suppressed};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The rules and lists of a console.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Ruleset {
    /// Incremented with each change.
    pub version: u64,
    /// New with each change, also after a database was restored from a backup: the `ETag`.
    #[serde(with = "crate::as_text")]
    pub id: Uuid,
    /// Oldest first.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Rule>))]
    pub rules: Lenient<Rule>,
    /// Without expired entries.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<ListEntry>))]
    pub lists: Lenient<ListEntry>,
}

impl Ruleset {
    /// Nodes reject larger rulesets.
    pub const MAX_BYTES: usize = 64 * 1024 * 1024;
    /// Limit for the long poll of a node.
    pub const MAX_WAIT_SECONDS: u64 = 60;

    /// The value for `ETag` and `If-None-Match`.
    pub fn etag(id: Uuid) -> String {
        format!("\"{id}\"")
    }
}
