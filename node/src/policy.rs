//! What the console says to decide by, compiled, and how it gets here.
//!
//! | module | holds |
//! |---|---|
//! | [`lists`] | the console's lists: networks of any width, countries, autonomous systems |
//! | [`automatic`] | sources that this node has put on a list by itself, for a time |
//! | [`feed`] | asks the console for the ruleset, and waits for changes |
//! | [`geoip`] | the country and the autonomous system of an address |
//! | [`copy`] | the last good ruleset on disk, for starts without the console |

pub mod automatic;
pub mod copy;
pub mod feed;
pub mod geoip;
pub mod lists;

pub use automatic::AutomaticLists;
pub use geoip::GeoIp;
pub use lists::{Lists, Standing, Visitor};

use engine::rules::RuleBook;
use geoip::Kinds;
use serde::Serialize;
use shared::ruleset::{LeftOut, Ruleset};
use std::sync::{Arc, PoisonError, RwLock};
use uuid::Uuid;

/// A ruleset, compiled. Never changed, only replaced as a whole.
#[derive(Debug, Default)]
pub struct Policy {
    pub book: RuleBook,
    pub lists: Lists,
    pub summary: Summary,
}

/// What became of a ruleset, for people.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Summary {
    /// Absent: none came yet.
    pub version: Option<u64>,
    pub id: Option<Uuid>,
    pub applied_at: Option<jiff::Timestamp>,
    pub rules: usize,
    pub list_entries: usize,
    /// Rules and entries that this node cannot use, and why.
    pub left_out: Vec<LeftOut>,
}

impl Policy {
    /// Entries of lists that are of a kind nobody can look up are left out.
    pub fn compile(ruleset: &Ruleset, known: Kinds, now: jiff::Timestamp) -> Self {
        let (book, errors) = RuleBook::compile(&ruleset.rules.items);
        let refused = errors.iter().map(|error| LeftOut {
            id: error.id.to_string(),
            cause: format!("{} {}", error.field, error.cause),
        });
        let (lists, unknown) = Lists::new(&ruleset.lists.items, known);
        let left_out = ruleset.rules.left_out.iter().chain(&ruleset.lists.left_out).cloned();
        let left_out: Vec<LeftOut> = left_out.chain(refused).chain(unknown).collect();
        let summary = Summary {
            version: Some(ruleset.version),
            id: Some(ruleset.id),
            applied_at: Some(now),
            rules: ruleset.rules.items.len() - errors.len(),
            list_entries: lists.len(),
            left_out,
        };
        Self { book, lists, summary }
    }
}

/// The policy that holds now. Requests under way end by the one they began with.
#[derive(Debug, Default)]
pub struct CurrentPolicy(RwLock<Arc<Policy>>);

impl CurrentPolicy {
    pub fn get(&self) -> Arc<Policy> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn replace(&self, policy: Policy) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(policy);
    }
}
