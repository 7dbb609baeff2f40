//! What rules and lists were.

use super::{StoredEntry, StoredRule};
use crate::{
    audit::Kind,
    paging::{Cursor, Listed},
};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

/// A version of the ruleset, and what made it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = RulesetVersion)]
pub struct Version {
    pub version: u64,
    pub at: Timestamp,
    pub actor: String,
    /// How many rules and entries of lists were added, …
    pub created: u64,
    pub changed: u64,
    pub deleted: u64,
    /// The version that was gone back to.
    pub activated: Option<u64>,
}

impl Version {
    /// As its tag has it.
    pub fn number(&self) -> u32 {
        u32::try_from(self.version).unwrap_or(u32::MAX)
    }
}

impl Listed for Version {
    fn cursor(&self) -> Cursor {
        let position = i64::try_from(self.version).unwrap_or(i64::MAX);
        Cursor { list: String::new(), position, id: String::new() }
    }
}

/// All rules and entries of a version, the oldest first. Entries that have expired since are there, too.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = RulesetContent)]
pub struct VersionContent {
    pub version: u64,
    pub rules: Vec<StoredRule>,
    pub lists: Vec<StoredEntry>,
}

/// A rule or an entry that is not the same in two versions. Null: it is not there.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = RulesetDifference)]
pub struct Difference {
    pub kind: Kind,
    pub object: String,
    pub before: Option<Value>,
    pub after: Option<Value>,
    /// The last one it had.
    #[serde(skip)]
    pub(crate) revision: u32,
}
