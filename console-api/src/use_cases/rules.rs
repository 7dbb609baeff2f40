//! Rules: add, replace, delete, test, expiry.

use super::RulesetWriter;
use crate::{
    audit::Author,
    clock::Clock,
    error::{ApiError, with_sources},
    hit::HitFilter,
    ruleset::{RuleDraft, StoredRule},
    simulation::{detector, on_blocking_thread},
    store::Store,
    validation::ValidationError,
};
use engine::rules::RuleError;
use jiff::Timestamp;
use shared::ruleset::{Effect, Rule};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub async fn add(ruleset: &RulesetWriter, author: &Author, draft: RuleDraft) -> Result<StoredRule, ApiError> {
    ruleset.add(new(author, draft).await?, author).await
}

/// A new rule, to add.
pub async fn new(author: &Author, draft: RuleDraft) -> Result<StoredRule, ValidationError> {
    let expires_at = end(&draft, author.at)?;
    let rule = validated(Uuid::now_v7(), 1, draft).await?;
    Ok(StoredRule { rule, created_at: author.at, updated_at: author.at, expires_at })
}

pub async fn replace(
    ruleset: &RulesetWriter,
    author: &Author,
    (id, revision): (Uuid, u32),
    draft: RuleDraft,
) -> Result<StoredRule, ApiError> {
    let expires_at = end(&draft, author.at)?;
    let rule = validated(id, revision, draft).await?;
    let after = |before: &StoredRule| StoredRule { rule, expires_at, ..before.clone() };
    ruleset.replace((id, revision), after, author).await
}

/// The end of a rule, which is in the future.
fn end(draft: &RuleDraft, now: Timestamp) -> Result<Option<Timestamp>, ValidationError> {
    if draft.expires_at.is_some_and(|end| end <= now) {
        return Err(ValidationError::new("expires_at", "`expires_at` must be in the future"));
    }
    Ok(draft.expires_at)
}

/// Deletes the rules that have ended. Returns their number.
pub async fn delete_ended(ruleset: &RulesetWriter, now: Timestamp) -> Result<usize, ApiError> {
    let ended = ruleset.store.ended_rules(now).await?;
    let author = Author { id: None, name: "expiry".to_owned(), role: None, at: now };
    for StoredRule { rule, .. } in &ended {
        match delete(ruleset, &author, (rule.id, rule.revision)).await {
            // Changed or deleted since, by a user or another console.
            Ok(()) | Err(ApiError::Stale(_) | ApiError::NotFound(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(ended.len())
}

pub async fn delete(ruleset: &RulesetWriter, author: &Author, known: (Uuid, u32)) -> Result<(), ApiError> {
    ruleset.delete::<StoredRule>(known, author).await
}

/// Runs a detector on recorded requests. Changes nothing.
pub async fn test(store: &Store, draft: RuleDraft, hits: HitFilter) -> Result<detector::Test, ApiError> {
    let rule = validated(Uuid::now_v7(), 1, draft).await?;
    if !matches!(rule.effect, Effect::Detector { .. }) {
        let detail = "`effect.kind` must be detector; use a replay for other rules";
        return Err(ApiError::parameter("effect.kind", detail));
    }
    Ok(detector::test(store, rule, hits).await?)
}

/// The pause between searches for rules that have ended.
const PAUSE: Duration = Duration::from_secs(1);

/// Deletes rules when they end, until `stop`.
pub async fn expire(ruleset: RulesetWriter, clock: Clock, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await.is_some() {
        match delete_ended(&ruleset, clock.now()).await {
            Ok(0) => {}
            Ok(rules) => tracing::info!(rules, "deleted expired rules"),
            Err(error) => {
                tracing::error!(error = with_sources(&error), "cannot delete expired rules");
            }
        }
    }
}

/// A rule that nodes can compile and that does not cost too much. Compiling a detector takes long.
pub async fn validated(id: Uuid, revision: u32, draft: RuleDraft) -> Result<Rule, ValidationError> {
    let RuleDraft { scope, effect, comment, .. } = draft;
    let rule = Rule { id, revision, scope, effect, comment };
    let check = move || engine::rules::check(&rule).map(|()| rule);
    let wrong =
        |error: RuleError| ValidationError::new(error.field, format!("`{}` {}", error.field, error.cause));
    on_blocking_thread(check).await.map_err(wrong)
}
