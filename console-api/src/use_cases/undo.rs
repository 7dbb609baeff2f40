//! Undo of an audit line: restores the state before the change, by a change that can be undone as
//! well.

use super::{RulesetWriter, ip_lists, marks, rules, rulesets};
use crate::{
    attack::{Mark, MarkDraft},
    audit::{AuditAction, AuditLine, Author, LogFilter, ObjectKind},
    error::ApiError,
    paging::Slice,
    ruleset::{EntryDraft, RuleDraft, StoredEntry, StoredRule},
    store::Store,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use uuid::Uuid;

const UNDOABLE: [ObjectKind; 4] =
    [ObjectKind::Rule, ObjectKind::IpListEntry, ObjectKind::Attack, ObjectKind::Ruleset];

/// Whether a line can be undone: changes of its kind can be, and the changed object still exists.
pub async fn is_possible(store: &Store, line: &AuditLine) -> Result<bool, ApiError> {
    let Ok(id) = object(line) else {
        return Ok(ObjectKind::parse(&line.kind) == Some(ObjectKind::Ruleset));
    };
    Ok(match ObjectKind::parse(&line.kind) {
        // A deleted object is added again.
        Some(ObjectKind::Rule | ObjectKind::IpListEntry) if line.after.is_none() => true,
        Some(ObjectKind::Rule) => store.find::<StoredRule>(id).await?.is_some(),
        Some(ObjectKind::IpListEntry) => store.find::<StoredEntry>(id).await?.is_some(),
        Some(ObjectKind::Attack) => store.attack(id).await?.is_some(),
        Some(ObjectKind::Ruleset) => true,
        _ => false,
    })
}

/// The audit line of the deletion of an object that can be added again.
pub async fn of_deleted(store: &Store, kind: ObjectKind, id: Uuid) -> Result<Option<Uuid>, ApiError> {
    let filter = LogFilter {
        action: Some(AuditAction::Delete),
        kind: Some(kind),
        object: Some(id.to_string()),
        ..LogFilter::default()
    };
    let latest = store.log(&filter, &Slice { limit: 1, after: None }).await?.items;
    Ok(latest.first().map(|line| line.id))
}

pub async fn undo(ruleset: &RulesetWriter, author: &Author, line: &AuditLine) -> Result<(), ApiError> {
    match ObjectKind::parse(&line.kind) {
        Some(ObjectKind::Rule) => rule(ruleset, author, line).await,
        Some(ObjectKind::IpListEntry) => entry(ruleset, author, line).await,
        Some(ObjectKind::Attack) => mark(ruleset, author, line).await,
        Some(ObjectKind::Ruleset) => version(ruleset, author, line).await,
        _ => Err(ApiError::Conflict(format!(
            "changes of {} cannot be undone; supported: {}",
            line.kind,
            UNDOABLE.map(ObjectKind::as_str).join(", ")
        ))),
    }
}

async fn rule(ruleset: &RulesetWriter, author: &Author, line: &AuditLine) -> Result<(), ApiError> {
    let mut draft = before::<StoredRule>(line)?.map(RuleDraft::from);
    // A rule that has ended comes back without an end.
    if let Some(draft) = &mut draft {
        draft.expires_at.take_if(|end| *end <= author.at);
    }
    let id = object(line)?;
    if let (Some(draft), None) = (&draft, &line.after) {
        return rules::add(ruleset, author, draft.clone()).await.map(drop);
    }
    let current: Option<StoredRule> = ruleset.store.find(id).await?;
    let known = (id, current.ok_or_else(|| ApiError::not_found("rule", id))?.rule.revision);
    match draft {
        Some(draft) => rules::replace(ruleset, author, known, draft).await.map(drop),
        None => rules::delete(ruleset, author, known).await,
    }
}

async fn entry(ruleset: &RulesetWriter, author: &Author, line: &AuditLine) -> Result<(), ApiError> {
    let draft = before::<StoredEntry>(line)?.map(|stored| EntryDraft::from(stored.entry));
    let id = object(line)?;
    if let (Some(draft), None) = (&draft, &line.after) {
        return ip_lists::add(ruleset, author, draft.clone()).await.map(drop);
    }
    let current: Option<StoredEntry> = ruleset.store.find(id).await?;
    let known = (id, current.ok_or_else(|| ApiError::not_found("entry", id))?.revision);
    match draft {
        Some(draft) => ip_lists::replace(ruleset, author, known, draft).await.map(drop),
        None => ip_lists::delete(ruleset, author, known).await,
    }
}

/// The mark of an attack, as audit lines record it.
#[derive(Default, Deserialize)]
struct MarkedBefore {
    mark: Option<MarkBefore>,
}

#[derive(Deserialize)]
struct MarkBefore {
    value: Mark,
    note: String,
}

async fn mark(ruleset: &RulesetWriter, author: &Author, line: &AuditLine) -> Result<(), ApiError> {
    let id = object(line)?;
    let mark = before::<MarkedBefore>(line)?.unwrap_or_default().mark;
    let (mark, note) = mark.map(|mark| (mark.value, mark.note)).unzip();
    let attack = ruleset.store.attack(id).await?;
    let attack = attack.ok_or_else(|| ApiError::not_found("attack", id))?;
    let draft = MarkDraft { mark, note: note.unwrap_or_default() };
    marks::mark(&ruleset.store, author, (id, attack.revision), draft).await.map(drop)
}

async fn version(ruleset: &RulesetWriter, author: &Author, line: &AuditLine) -> Result<(), ApiError> {
    let before = line.before.as_ref().and_then(|before| before["version"].as_u64());
    let unreadable = || ApiError::Conflict("the audit line cannot be read: it has no version".to_owned());
    let version = before.ok_or_else(unreadable)?;
    let (current, _) = ruleset.store.ruleset_head().await?;
    let current = u32::try_from(current).unwrap_or(u32::MAX);
    rulesets::activate(ruleset, author, version, current).await.map(drop)
}

/// The object as it was before the change; `None` where it did not exist.
fn before<T: DeserializeOwned>(line: &AuditLine) -> Result<Option<T>, ApiError> {
    let before: Option<Value> = line.before.clone();
    let unreadable = |cause| ApiError::Conflict(format!("the audit line cannot be read: {cause}"));
    before.map(serde_json::from_value).transpose().map_err(unreadable)
}

fn object(line: &AuditLine) -> Result<Uuid, ApiError> {
    line.object.parse().map_err(|_| ApiError::not_found("object", &line.object))
}
