//! A compiled ruleset: rules, lists and a summary for status pages.

use crate::{GeoFields, Lists};
use engine::rules::RuleBook;
use jiff::Timestamp;
use serde::Serialize;
use shared::ruleset::{LeftOut, ListEntry, Rule, Ruleset};
use uuid::Uuid;

/// A ruleset, compiled. Immutable: a new ruleset replaces it as a whole.
#[derive(Debug, Default)]
pub struct Policy {
    pub book: RuleBook,
    pub lists: Lists,
    pub summary: PolicySummary,
}

/// The ruleset in force, and its rules and entries that cannot be used.
#[derive(Debug, Clone, Default, Serialize)]
pub struct PolicySummary {
    /// Absent until the first ruleset arrives.
    pub version: Option<u64>,
    pub id: Option<Uuid>,
    pub applied_at: Option<Timestamp>,
    pub rules: usize,
    pub list_entries: usize,
    /// Rules and list entries that cannot be used, with the cause.
    pub left_out: Vec<LeftOut>,
}

impl Policy {
    /// Compiles rules and list entries. `known` are the fields of sources that can be looked up;
    /// entries that need another one are left out.
    pub fn new(rules: &[Rule], entries: &[ListEntry], known: GeoFields) -> Self {
        let (book, errors) = RuleBook::compile(rules);
        let (lists, unknown) = Lists::new(entries, known);
        let refused = errors.iter().map(|error| LeftOut {
            id: error.id.to_string(),
            cause: format!("{} {}", error.field, error.cause),
        });
        let summary = PolicySummary {
            rules: rules.len() - errors.len(),
            list_entries: lists.len(),
            left_out: refused.chain(unknown).collect(),
            ..PolicySummary::default()
        };
        Self { book, lists, summary }
    }

    /// Compiles a ruleset received from the console at the time `now`.
    pub fn compile(ruleset: &Ruleset, known: GeoFields, now: Timestamp) -> Self {
        let mut policy = Self::new(&ruleset.rules.items, &ruleset.lists.items, known);
        let received = ruleset.rules.left_out.iter().chain(&ruleset.lists.left_out).cloned();
        policy.summary.left_out.splice(0..0, received);
        policy.summary.version = Some(ruleset.version);
        policy.summary.id = Some(ruleset.id);
        policy.summary.applied_at = Some(now);
        policy
    }
}
