//! Undo of an audit line: restores the state before the change, by a change that can be undone as
//! well.

use super::{RulesetWriter, ip_lists, marks, rules, rulesets, users, views, webhooks};
use crate::{
    access::{ExternalIdentity, User, UserDraft},
    actor::Role,
    attack::MarkDraft,
    audit::{AuditAction, AuditLine, Author, LogFilter, LoggedMark, ObjectKind},
    error::ApiError,
    paging::Slice,
    ruleset::{EntryDraft, RuleDraft, StoredEntry, StoredRule},
    store::{Store, StoreError},
    view::{View, ViewDraft},
    webhook::{Targets, WebhookDraft},
};
use jiff::Timestamp;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

const UNDOABLE: [ObjectKind; 7] = [
    ObjectKind::Rule,
    ObjectKind::IpListEntry,
    ObjectKind::Attack,
    ObjectKind::Ruleset,
    ObjectKind::View,
    ObjectKind::User,
    ObjectKind::Webhook,
];

/// The lines that can be undone: changes of their kind can be, and the object still exists, or it
/// was deleted and can be added again. One statement per kind.
pub async fn possible(store: &Store, lines: &[AuditLine]) -> Result<BTreeSet<Uuid>, StoreError> {
    let mut by_kind: BTreeMap<&'static str, (ObjectKind, Vec<&AuditLine>)> = BTreeMap::new();
    for line in lines {
        if let Some(kind) = ObjectKind::parse(&line.kind) {
            by_kind.entry(kind.as_str()).or_insert((kind, Vec::new())).1.push(line);
        }
    }
    let mut possible = BTreeSet::new();
    for (kind, lines) in by_kind.into_values() {
        let ids: Vec<String> = lines.iter().map(|line| line.object.clone()).collect();
        let existing = store.existing(kind, &ids).await?;
        let lines = lines.into_iter().filter(|line| is_possible(kind, line, existing.contains(&line.object)));
        possible.extend(lines.map(|line| line.id));
    }
    Ok(possible)
}

fn is_possible(kind: ObjectKind, line: &AuditLine, exists: bool) -> bool {
    let is_deletion = line.after.is_none();
    match kind {
        ObjectKind::Rule | ObjectKind::IpListEntry => is_deletion || exists,
        ObjectKind::Ruleset => true,
        // The object gets its id back.
        ObjectKind::View => is_deletion != exists,
        ObjectKind::User => {
            is_deletion != exists && (is_deletion || !(is_only_password(line) || is_of_provider(line)))
        }
        // Its secret is deleted with it.
        ObjectKind::Webhook => !is_deletion && exists && !is_only_secret(line),
        ObjectKind::Attack => exists,
        ObjectKind::Session | ObjectKind::Token | ObjectKind::SigningKey | ObjectKind::Node => false,
    }
}

/// Whether a change of a user set a password, which is not in the log, and nothing else.
fn is_only_password(line: &AuditLine) -> bool {
    let differs =
        |before: &Value, after: &Value| ["name", "role"].iter().any(|part| before[part] != after[part]);
    line.before.as_ref().zip(line.after.as_ref()).is_some_and(|(before, after)| !differs(before, after))
}

/// Whether a change of a webhook rotated its secret, which is not in the log.
fn is_only_secret(line: &AuditLine) -> bool {
    let rotated =
        |(before, after): (&Value, &Value)| before["previous_secret_until"] != after["previous_secret_until"];
    line.before.as_ref().zip(line.after.as_ref()).is_some_and(rotated)
}

/// Whether a sign-in at the OpenID provider changed a user, which the next one would repeat.
fn is_of_provider(line: &AuditLine) -> bool {
    line.before.as_ref().is_some_and(|before| before["identity"].is_object())
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

pub async fn undo(
    ruleset: &RulesetWriter,
    targets: &Targets,
    author: &Author,
    line: &AuditLine,
) -> Result<(), ApiError> {
    let kind = ObjectKind::parse(&line.kind);
    if matches!(kind, Some(ObjectKind::User | ObjectKind::Webhook)) && author.role != Some(Role::Admin) {
        return Err(ApiError::Forbidden("a token of role admin"));
    }
    match kind {
        Some(ObjectKind::Rule) => rule(ruleset, author, line).await,
        Some(ObjectKind::IpListEntry) => entry(ruleset, author, line).await,
        Some(ObjectKind::Attack) => mark(ruleset, author, line).await,
        Some(ObjectKind::Ruleset) => version(ruleset, author, line).await,
        Some(ObjectKind::View) => view(&ruleset.store, author, line).await,
        Some(ObjectKind::User) => user(&ruleset.store, author, line).await,
        Some(ObjectKind::Webhook) => webhook(&ruleset.store, targets, author, line).await,
        _ => Err(ApiError::Conflict(format!(
            "changes of {} cannot be undone; supported: {}",
            line.kind,
            UNDOABLE.map(ObjectKind::as_str).join(", ")
        ))),
    }
}

/// A view, as audit lines record it.
#[derive(Deserialize)]
struct LoggedView {
    revision: u32,
    #[serde(default)]
    owner_id: Option<Uuid>,
    owner: String,
    created_at: Timestamp,
    #[serde(flatten)]
    draft: ViewDraft,
}

async fn view(store: &Store, author: &Author, line: &AuditLine) -> Result<(), ApiError> {
    let (id, before) = (object(line)?, before::<LoggedView>(line)?);
    let current: Option<View> = store.find(id).await?;
    match (before, current) {
        (Some(LoggedView { revision, owner_id, owner, created_at, draft }), None) if line.after.is_none() => {
            let (revision, updated_at) = (revision + 1, author.at);
            // Earlier versions recorded no id of the owner, without which no user sees a view.
            let (owner_id, owner) =
                if owner_id.is_some() { (owner_id, owner) } else { (author.id, author.name.clone()) };
            let view = View { id, revision, owner, owner_id, created_at, updated_at, draft };
            views::restore(store, author, view).await.map(drop)
        }
        (Some(before), Some(current)) => {
            views::replace(store, author, (id, current.revision), before.draft).await.map(drop)
        }
        (None, Some(current)) => views::delete(store, author, (id, current.revision)).await,
        (_, None) => Err(ApiError::not_found("view", id)),
    }
}

/// A user, as audit lines record it: without the password.
#[derive(Deserialize)]
struct LoggedUser {
    name: String,
    role: Role,
    revision: u32,
    created_at: Timestamp,
    #[serde(default)]
    identity: Option<ExternalIdentity>,
}

async fn user(store: &Store, author: &Author, line: &AuditLine) -> Result<(), ApiError> {
    let (id, before) = (object(line)?, before::<LoggedUser>(line)?);
    let current: Option<User> = store.find(id).await?;
    match (before, current) {
        (Some(LoggedUser { name, role, revision, created_at, identity }), None) if line.after.is_none() => {
            let user = User { id, name, role, revision: revision + 1, created_at, identity };
            users::restore(store, author, user).await.map(drop)
        }
        (Some(LoggedUser { name, role, .. }), Some(current)) => {
            let draft = UserDraft { name, role, password: None };
            users::replace(store, author, (id, current.revision), draft).await.map(drop)
        }
        (None, Some(current)) => users::delete(store, author, (id, current.revision)).await,
        (_, None) => Err(ApiError::not_found("user", id)),
    }
}

/// A webhook, as audit lines record it.
#[derive(Deserialize)]
struct LoggedWebhook {
    #[serde(flatten)]
    draft: WebhookDraft,
}

async fn webhook(
    store: &Store,
    targets: &Targets,
    author: &Author,
    line: &AuditLine,
) -> Result<(), ApiError> {
    let (id, before) = (object(line)?, before::<LoggedWebhook>(line)?);
    let current = store.webhook(id).await?.ok_or_else(|| ApiError::not_found("webhook", id))?;
    let known = (id, current.webhook.revision);
    match before {
        Some(before) => webhooks::replace(store, targets, author, known, before.draft).await.map(drop),
        None => webhooks::delete(store, author, known).await,
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

async fn mark(ruleset: &RulesetWriter, author: &Author, line: &AuditLine) -> Result<(), ApiError> {
    let id = object(line)?;
    let mark = before::<LoggedMark>(line)?.unwrap_or_default().mark;
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
