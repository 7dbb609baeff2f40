//! Console → node: the rules, lists and modes to decide by, as one versioned whole.
//!
//! A rule says where it holds ([`Scope`]) and what it does ([`Effect`]). What a node cannot read whole, be it a kind or a
//! condition of a newer console, it leaves out and counts: a condition that is ignored would make a rule hold everywhere.

mod lenient;
mod list;
mod network;
mod rule;

pub use lenient::{LeftOut, Lenient};
pub use list::{List, ListEntry, Source};
pub use network::{InvalidNetwork, Network};
pub use rule::{Effect, OverlimitAction, Pattern, Points, Rule, RuleRef, Scope, Suppressed};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// All that a console tells its nodes to decide by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Ruleset {
    /// Rises with each change.
    pub version: u64,
    /// Another with each change, also when a database is put back to an earlier state: the `ETag`.
    #[serde(with = "crate::as_text")]
    pub id: Uuid,
    /// Oldest first.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Rule>))]
    pub rules: Lenient<Rule>,
    /// Those that have not expired.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<ListEntry>))]
    pub lists: Lenient<ListEntry>,
}

impl Ruleset {
    /// Larger ones are refused by nodes.
    pub const MAX_BYTES: usize = 64 * 1024 * 1024;
    /// A node may wait this long for a change.
    pub const MAX_WAIT_SECONDS: u64 = 60;

    /// As it stands in `ETag` and `If-None-Match`.
    pub fn etag(id: Uuid) -> String {
        format!("\"{id}\"")
    }
}
