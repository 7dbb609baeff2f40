//! Ruleset versions: rollback.

use super::RulesetWriter;
use crate::{audit::Author, error::ApiError, ruleset::Version};

/// Restores the rules and lists of a version as a new version, if `current` is still the active
/// one.
pub async fn activate(
    ruleset: &RulesetWriter,
    author: &Author,
    version: u64,
    current: u32,
) -> Result<Version, ApiError> {
    ruleset.announced(ruleset.store.activate(version, current, author).await)
}
