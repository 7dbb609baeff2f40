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
    /// How many rules and list entries cannot be used.
    pub left_out_count: usize,
    /// The first of them, with the cause: a ruleset can have 500,000.
    pub left_out: Vec<LeftOut>,
}

impl PolicySummary {
    pub const MAX_LISTED: usize = 20;
}

impl Policy {
    /// Compiles rules and list entries. `known` are the fields of sources that can be looked up;
    /// entries that need another one are left out.
    pub fn new(rules: &[Rule], entries: &[ListEntry], known: GeoFields) -> Self {
        let (book, errors) = RuleBook::compile(rules);
        let (lists, unknown) = Lists::new(entries, known);
        let refused =
            errors.iter().map(|error| LeftOut::new(error.id, &format!("{} {}", error.field, error.cause)));
        let summary = PolicySummary {
            rules: rules.len() - errors.len(),
            list_entries: lists.len(),
            left_out_count: errors.len() + unknown.len(),
            left_out: refused.chain(unknown).take(PolicySummary::MAX_LISTED).collect(),
            ..PolicySummary::default()
        };
        Self { book, lists, summary }
    }

    /// Compiles a ruleset received from the console at the time `now`.
    pub fn compile(ruleset: &Ruleset, known: GeoFields, now: Timestamp) -> Self {
        let mut policy = Self::new(&ruleset.rules.items, &ruleset.lists.items, known);
        let (rules, lists) = (&ruleset.rules.left_out, &ruleset.lists.left_out);
        policy.summary.left_out_count += rules.len() + lists.len();
        let received = rules.iter().chain(lists).take(PolicySummary::MAX_LISTED).cloned();
        policy.summary.left_out.splice(0..0, received);
        policy.summary.left_out.truncate(PolicySummary::MAX_LISTED);
        policy.summary.version = Some(ruleset.version);
        policy.summary.id = Some(ruleset.id);
        policy.summary.applied_at = Some(now);
        policy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_the_first_items_that_cannot_be_used_and_counts_all() {
        let entries = |count: usize, source: &str| {
            let entry = |n| {
                let id = Uuid::from_u128(n as u128);
                format!(r#"{{"id":"{id}","list":"deny","source":{source}}}"#)
            };
            (0..count).map(entry).collect::<Vec<_>>().join(",")
        };
        let (unknown, country) = (r#"{"planet":1}"#, r#"{"country":"DE"}"#);
        let summary = |unknowns: usize, countries: usize| {
            let entries = [entries(unknowns, unknown), entries(countries, country)];
            let entries = entries.into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join(",");
            let id = Uuid::nil();
            let json = format!(r#"{{"version":1,"id":"{id}","rules":[],"lists":[{entries}]}}"#);
            let ruleset: Ruleset = serde_json::from_str(&json).unwrap();
            Policy::compile(&ruleset, GeoFields::default(), Timestamp::UNIX_EPOCH).summary
        };
        let all = summary(9_999, 30);
        assert_eq!((all.left_out_count, all.left_out.len()), (10_029, PolicySummary::MAX_LISTED));
        let few = summary(1, 2);
        assert_eq!((few.left_out_count, few.left_out.len()), (3, 3));
        assert!(few.left_out[0].cause.contains("planet"), "{:?}", few.left_out);
    }
}
