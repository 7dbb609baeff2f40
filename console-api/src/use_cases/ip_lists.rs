//! IP list entries: add, replace, delete.

use super::RulesetWriter;
use crate::{
    audit::Author,
    error::ApiError,
    ruleset::{EntryDraft, StoredEntry},
    validation::{self, ValidationError},
};
use jiff::Timestamp;
use shared::ruleset::{ListEntry, Source};
use uuid::Uuid;

pub async fn add(
    ruleset: &RulesetWriter,
    author: &Author,
    draft: EntryDraft,
) -> Result<StoredEntry, ApiError> {
    ruleset.add(new(author, draft)?, author).await
}

/// A new entry, to add.
pub fn new(author: &Author, draft: EntryDraft) -> Result<StoredEntry, ValidationError> {
    let entry = validated(Uuid::now_v7(), draft, author.at)?;
    Ok(StoredEntry { entry, revision: 1, created_at: author.at })
}

pub async fn replace(
    ruleset: &RulesetWriter,
    author: &Author,
    (id, revision): (Uuid, u32),
    draft: EntryDraft,
) -> Result<StoredEntry, ApiError> {
    let entry = validated(id, draft, author.at)?;
    ruleset
        .replace((id, revision), |before: &StoredEntry| StoredEntry { entry, ..before.clone() }, author)
        .await
}

pub async fn delete(ruleset: &RulesetWriter, author: &Author, known: (Uuid, u32)) -> Result<(), ApiError> {
    ruleset.delete::<StoredEntry>(known, author).await
}

fn validated(id: Uuid, draft: EntryDraft, now: Timestamp) -> Result<ListEntry, ValidationError> {
    if let Source::Country(code) = &draft.source
        && !(code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase()))
    {
        let detail = "`source.country` must be two letters such as DE";
        return Err(ValidationError::new("source.country", detail));
    }
    validation::in_future(draft.expires_at, now)?;
    let EntryDraft { list, source, applications, expires_at, reason } = draft;
    Ok(ListEntry { id, list, source, applications, expires_at, reason })
}
