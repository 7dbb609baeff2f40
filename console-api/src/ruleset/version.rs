//! Ruleset versions and their differences.

use super::{StoredEntry, StoredRule};
use crate::{
    audit::ObjectKind,
    paging::{Cursor, Listed},
};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

/// A version of the ruleset, and the changes that created it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = RulesetVersion)]
pub struct Version {
    pub version: u64,
    pub at: Timestamp,
    pub actor: String,
    /// Added rules and list entries.
    pub created: u64,
    pub changed: u64,
    pub deleted: u64,
    /// The version that was restored.
    pub activated: Option<u64>,
}

impl Version {
    /// The number in its `ETag`.
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

/// All rules and list entries of a version, the oldest first, including entries that expired since.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = RulesetContent)]
pub struct VersionContent {
    pub version: u64,
    pub rules: Vec<StoredRule>,
    pub lists: Vec<StoredEntry>,
}

/// A rule or list entry that differs between two versions. Null: absent.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = RulesetDifference)]
pub struct Difference {
    pub kind: ObjectKind,
    pub object: String,
    pub before: Option<Value>,
    pub after: Option<Value>,
    /// The latest revision.
    #[serde(skip)]
    pub(crate) revision: u32,
}
