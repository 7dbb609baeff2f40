//! Rules: add, replace, delete, test.

use super::RulesetWriter;
use crate::{
    audit::Author,
    error::ApiError,
    hit::HitFilter,
    ruleset::{RuleDraft, StoredRule},
    simulation::detector,
    store::Store,
    validation::ValidationError,
};
use shared::ruleset::{Effect, Rule};
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

/// Runs a detector on recorded requests. Changes nothing.
pub async fn test(store: &Store, draft: RuleDraft, hits: HitFilter) -> Result<detector::Test, ApiError> {
    let rule = validated(Uuid::now_v7(), 1, draft)?;
    if !matches!(rule.effect, Effect::Detector { .. }) {
        let detail = "`effect.kind` must be detector; use a replay for other rules";
        return Err(ApiError::parameter("effect.kind", detail));
    }
    Ok(detector::test(store, rule, hits).await?)
}

/// A rule that nodes can compile and that does not cost too much.
pub fn validated(id: Uuid, revision: u32, draft: RuleDraft) -> Result<Rule, ValidationError> {
    let RuleDraft { scope, effect, comment } = draft;
    let rule = Rule { id, revision, scope, effect, comment };
    engine::rules::check(&rule)
        .map_err(|error| ValidationError::new(error.field, format!("`{}` {}", error.field, error.cause)))?;
    Ok(rule)
}
