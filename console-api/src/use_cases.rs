//! Use cases: one function for each change, called by the API and by the pages.
//!
//! A use case validates the draft, stores the change with its audit line, and notifies nodes that
//! wait for it. The caller is authorised before, by an extractor.

pub mod bundles;
pub mod exclusions;
pub mod ip_lists;
pub mod marks;
pub mod replays;
pub mod rules;
pub mod rulesets;
pub mod sign_in;
pub mod signing_keys;
pub mod tokens;
pub mod undo;
pub mod users;
pub mod views;
pub mod webhooks;

use crate::{
    change_notifier::ChangeNotifier,
    error::ApiError,
    store::{Change, Store},
};

/// The ruleset, and the notifier of nodes that wait for its changes.
#[derive(Clone)]
pub struct RulesetWriter {
    pub store: Store,
    pub notifier: ChangeNotifier,
}

impl RulesetWriter {
    /// The stored entity, once nodes are notified. `one` and `many` name such entities in errors.
    fn stored<T>(&self, change: Change<T>, one: &'static str, many: &str) -> Result<T, ApiError> {
        let stored = change.or_error(one, many)?;
        self.notifier.announce();
        Ok(stored)
    }
}
