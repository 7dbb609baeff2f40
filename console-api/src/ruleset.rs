//! Rules and lists, as people see and write them.

mod version;

pub use version::{Difference, Version, VersionContent};

use crate::{
    json_object,
    paging::{Cursor, Listed},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::ruleset::{Effect, List, ListEntry, Rule, Scope, Source};

/// A rule, and when it was written.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct StoredRule {
    #[serde(flatten)]
    pub rule: Rule,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// What somebody wants a rule to be.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleDraft {
    #[serde(default, deserialize_with = "json_object::required")]
    pub scope: Scope,
    #[serde(deserialize_with = "json_object::required")]
    pub effect: Effect,
    #[serde(default)]
    pub comment: String,
}

/// An entry of a list, and when it was made.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct StoredEntry {
    #[serde(flatten)]
    pub entry: ListEntry,
    /// Counts its changes.
    pub revision: u32,
    pub created_at: Timestamp,
}

/// Whom somebody wants on a list.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EntryDraft {
    pub list: List,
    pub source: Source,
    #[serde(default)]
    pub applications: Vec<u32>,
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    #[serde(default)]
    pub reason: String,
}

impl Listed for StoredRule {
    fn cursor(&self) -> Cursor {
        Cursor::at(self.created_at, &self.rule.id)
    }
}

impl Listed for StoredEntry {
    fn cursor(&self) -> Cursor {
        Cursor::at(self.created_at, &self.entry.id)
    }
}
