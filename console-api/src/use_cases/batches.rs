//! Batches: changes of several objects at a time, undone together.

use super::RulesetWriter;
use crate::{
    audit::Author,
    error::ApiError,
    store::{Batch, ChangeError},
};
use uuid::Uuid;

/// Maximum number of attacks that are marked at a time: ingest waits meanwhile.
pub const MAX_ATTACKS: u32 = 1_000;

/// Makes all changes or none: one version of the ruleset, one batch in the audit log. Returns its id.
pub async fn apply(ruleset: &RulesetWriter, author: &Author, batch: Batch) -> Result<Uuid, ApiError> {
    let changes_ruleset = !(batch.rules.is_empty() && batch.entries.is_empty());
    let id = ruleset.store.apply(batch, author).await?;
    if changes_ruleset {
        ruleset.notifier.announce();
    }
    Ok(id)
}

/// Undoes all changes of a batch or none: none if one of its objects was changed since.
pub async fn undo(ruleset: &RulesetWriter, author: &Author, id: Uuid) -> Result<(), ApiError> {
    let changes_ruleset = ruleset.store.undo_batch(id, author).await.map_err(|error| match error {
        ChangeError::Stale(_) => ApiError::ChangedSince,
        other => other.into(),
    })?;
    if changes_ruleset {
        ruleset.notifier.announce();
    }
    Ok(())
}
