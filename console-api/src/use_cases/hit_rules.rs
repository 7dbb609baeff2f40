//! Rules from a hit, exclusions and rules on content: preview, add.

use super::{RulesetWriter, batches, rules};
use crate::{
    attack::Mark,
    audit::Author,
    error::ApiError,
    hit::RecordedHit,
    paging::Slice,
    ruleset::{RuleDraft, StoredRule},
    simulation::{
        HitRule,
        preview::{self, Preview},
    },
    store::{Batch, Store},
};
use uuid::Uuid;

/// Adds the rule.
pub async fn add(
    ruleset: &RulesetWriter,
    author: &Author,
    hit: &RecordedHit,
    draft: impl HitRule,
) -> Result<StoredRule, ApiError> {
    rules::add(ruleset, author, rule_of(&ruleset.store, hit, draft).await?).await
}

/// Adds the rule and marks the attack as a false positive. Returns the batch.
pub async fn add_and_mark(
    ruleset: &RulesetWriter,
    author: &Author,
    hit: &RecordedHit,
    draft: impl HitRule,
) -> Result<Uuid, ApiError> {
    let rule = rules::new(author, rule_of(&ruleset.store, hit, draft).await?).await?;
    let (attacks, mark) = (vec![hit.attack_id], Some(Mark::FalsePositive));
    batches::apply(ruleset, author, Batch { rules: vec![rule], attacks, mark, ..Batch::default() }).await
}

/// The recorded hits that the rule would affect. Changes nothing.
pub async fn preview(
    store: &Store,
    hit: &RecordedHit,
    draft: impl HitRule,
    slice: &Slice,
) -> Result<Preview, ApiError> {
    let rule = rules::validated(hit.id, 1, rule_of(store, hit, draft).await?).await?;
    Ok(preview::preview(store, rule, slice).await?)
}

async fn rule_of(store: &Store, hit: &RecordedHit, draft: impl HitRule) -> Result<RuleDraft, ApiError> {
    let id = hit.attack_id;
    let attack = store.attack(id).await?.ok_or_else(|| ApiError::not_found("attack", id))?;
    Ok(draft.rule(hit, &attack.path)?)
}
