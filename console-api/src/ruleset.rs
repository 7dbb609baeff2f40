//! Rules and list entries: drafts, and their stored form.

mod version;

pub use version::{Difference, Version, VersionContent};

use crate::{
    json_object,
    paging::{Cursor, Listed},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::ruleset::{Effect, List, ListEntry, Rule, Scope, Source};

/// A stored rule.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct StoredRule {
    #[serde(flatten)]
    pub rule: Rule,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// When the rule is deleted; never, when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// The use of a rule or list entry, and its latest change.
#[derive(Debug, Clone, Default, Serialize, utoipa::ToSchema)]
pub struct Activity {
    /// Hits of the last 24 hours that it decided on, reported, or removed findings from.
    pub hits_24h: u64,
    pub hits_30d: u64,
    pub last_hit_at: Option<Timestamp>,
    pub changed_at: Option<Timestamp>,
    /// The name of the user or token.
    pub changed_by: Option<String>,
}

/// A rule to add or replace.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleDraft {
    #[serde(default, deserialize_with = "json_object::required")]
    pub scope: Scope,
    #[serde(deserialize_with = "json_object::required")]
    pub effect: Effect,
    #[serde(default)]
    pub comment: String,
    /// When the rule is deleted; never, when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

impl From<Rule> for RuleDraft {
    fn from(Rule { scope, effect, comment, .. }: Rule) -> Self {
        Self { scope, effect, comment, expires_at: None }
    }
}

impl From<StoredRule> for RuleDraft {
    fn from(StoredRule { rule, expires_at, .. }: StoredRule) -> Self {
        Self { expires_at, ..rule.into() }
    }
}

/// A stored list entry.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct StoredEntry {
    #[serde(flatten)]
    pub entry: ListEntry,
    /// Incremented by each change.
    pub revision: u32,
    pub created_at: Timestamp,
}

/// A list entry to add or replace.
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

impl From<ListEntry> for EntryDraft {
    fn from(ListEntry { list, source, applications, expires_at, reason, .. }: ListEntry) -> Self {
        Self { list, source, applications, expires_at, reason }
    }
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
