//! Rules: add, replace, delete.

use super::RulesetWriter;
use crate::{
    audit::Author,
    error::ApiError,
    ruleset::{RuleDraft, StoredRule},
    validation::ValidationError,
};
use shared::ruleset::Rule;
use uuid::Uuid;

pub async fn add(ruleset: &RulesetWriter, author: &Author, draft: RuleDraft) -> Result<StoredRule, ApiError> {
    let rule = validated(Uuid::now_v7(), 1, draft)?;
    ruleset.add(StoredRule { rule, created_at: author.at, updated_at: author.at }, author).await
}

pub async fn replace(
    ruleset: &RulesetWriter,
    author: &Author,
    (id, revision): (Uuid, u32),
    draft: RuleDraft,
) -> Result<StoredRule, ApiError> {
    let rule = validated(id, revision, draft)?;
    ruleset.replace((id, revision), |before: &StoredRule| StoredRule { rule, ..before.clone() }, author).await
}

pub async fn delete(ruleset: &RulesetWriter, author: &Author, known: (Uuid, u32)) -> Result<(), ApiError> {
    ruleset.delete::<StoredRule>(known, author).await
}

/// A rule that nodes can compile.
pub fn validated(id: Uuid, revision: u32, draft: RuleDraft) -> Result<Rule, ValidationError> {
    let RuleDraft { scope, effect, comment } = draft;
    let rule = Rule { id, revision, scope, effect, comment };
    engine::rules::check(&rule)
        .map_err(|error| ValidationError::new(error.field, format!("`{}` {}", error.field, error.cause)))?;
    Ok(rule)
}
