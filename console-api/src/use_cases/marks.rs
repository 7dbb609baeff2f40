//! Marks of attacks: true positive, false positive, none.

use crate::{
    attack::{Attack, MarkDraft},
    audit::Author,
    error::ApiError,
    store::Store,
};
use uuid::Uuid;

const MAX_NOTE_CHARS: usize = 2_000;

/// Marks an attack, or clears its mark. Later hits of the attack share the mark.
pub async fn mark(
    store: &Store,
    author: &Author,
    known: (Uuid, u32),
    draft: MarkDraft,
) -> Result<Attack, ApiError> {
    if draft.note.chars().count() > MAX_NOTE_CHARS {
        let detail = format!("`note` must be at most {MAX_NOTE_CHARS} characters long");
        return Err(ApiError::parameter("note", detail));
    }
    store.mark(known, draft, author).await?;
    store.attack(known.0).await?.ok_or_else(|| ApiError::not_found("attack", known.0))
}
