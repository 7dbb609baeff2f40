//! Use cases: one function for each change, called by the API and by the pages.
//!
//! A use case validates the draft, stores the change with its audit line, and notifies nodes that
//! wait for it. The caller is authorised before, by an extractor.

pub mod batches;
pub mod bundles;
pub mod hit_rules;
pub mod ip_lists;
pub mod marks;
pub mod nodes;
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
    audit::Author,
    change_notifier::ChangeNotifier,
    error::ApiError,
    store::{ChangeError, Store, Versioned},
};
use uuid::Uuid;

/// The ruleset, and the notifier of nodes that wait for its changes.
#[derive(Clone)]
pub struct RulesetWriter {
    pub store: Store,
    pub notifier: ChangeNotifier,
}

impl RulesetWriter {
    async fn add<T: Versioned>(&self, object: T, author: &Author) -> Result<T, ApiError> {
        self.announced(self.store.add_versioned(object, author).await)
    }

    async fn replace<T: Versioned>(
        &self,
        known: (Uuid, u32),
        after: impl FnOnce(&T) -> T,
        author: &Author,
    ) -> Result<T, ApiError> {
        self.announced(self.store.replace_versioned(known, after, author).await)
    }

    async fn delete<T: Versioned>(&self, known: (Uuid, u32), author: &Author) -> Result<(), ApiError> {
        self.announced(self.store.delete_versioned::<T>(known, author).await)
    }

    /// The result of a change, once nodes are notified.
    fn announced<T>(&self, change: Result<T, ChangeError>) -> Result<T, ApiError> {
        let changed = change?;
        self.notifier.announce();
        Ok(changed)
    }
}
