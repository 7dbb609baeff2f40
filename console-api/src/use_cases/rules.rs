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
    ruleset.stored(ruleset.store.add_rule(rule, author).await?, "rule", "rules")
}

pub async fn replace(
    ruleset: &RulesetWriter,
    author: &Author,
    (id, revision): (Uuid, u32),
    draft: RuleDraft,
) -> Result<StoredRule, ApiError> {
    let rule = validated(id, revision, draft)?;
    ruleset.stored(ruleset.store.replace_rule(rule, author).await?, "rule", "rules")
}

pub async fn delete(
    ruleset: &RulesetWriter,
    author: &Author,
    (id, revision): (Uuid, u32),
) -> Result<(), ApiError> {
    ruleset.stored(ruleset.store.delete_rule(id, revision, author).await?, "rule", "rules")
}

/// A rule that nodes can compile.
pub fn validated(id: Uuid, revision: u32, draft: RuleDraft) -> Result<Rule, ValidationError> {
    let RuleDraft { scope, effect, comment } = draft;
    let rule = Rule { id, revision, scope, effect, comment };
    engine::rules::check(&rule)
        .map_err(|error| ValidationError::new(error.field, format!("`{}` {}", error.field, error.cause)))?;
    Ok(rule)
}
