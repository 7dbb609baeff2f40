//! Saved searches: read, add, change, delete.

use crate::{
    audit::Author,
    error::ApiError,
    store::Store,
    view::{View, ViewChange, ViewDraft},
};
use uuid::Uuid;

/// A view that this user or token can see.
pub async fn visible(store: &Store, id: Uuid, caller: Option<Uuid>) -> Result<View, ApiError> {
    let view = store.find::<View>(id).await?.filter(|view| view.is_visible_to(caller));
    view.ok_or_else(|| ApiError::not_found("view", id))
}

pub async fn add(store: &Store, author: &Author, draft: ViewDraft) -> Result<View, ApiError> {
    Ok(store.add_view(draft.validated(author.at)?, author).await?)
}

pub async fn change(
    store: &Store,
    author: &Author,
    known: (Uuid, u32),
    change: ViewChange,
) -> Result<View, ApiError> {
    let draft = editable(store, known.0, author).await?.draft.with(change);
    Ok(store.replace_view(known, draft.validated(author.at)?, author).await?)
}

/// Replaces the whole search.
pub async fn replace(
    store: &Store,
    author: &Author,
    known: (Uuid, u32),
    draft: ViewDraft,
) -> Result<View, ApiError> {
    editable(store, known.0, author).await?;
    Ok(store.replace_view(known, draft.validated(author.at)?, author).await?)
}

/// Adds a deleted view again, with its id and its owner.
pub async fn restore(store: &Store, author: &Author, view: View) -> Result<View, ApiError> {
    let view = allowed(view, author)?;
    let draft = view.draft.clone().validated(author.at)?;
    Ok(store.put_view(View { draft, ..view }, author).await?)
}

pub async fn delete(store: &Store, author: &Author, known: (Uuid, u32)) -> Result<(), ApiError> {
    editable(store, known.0, author).await?;
    Ok(store.delete_view(known, author).await?)
}

async fn editable(store: &Store, id: Uuid, author: &Author) -> Result<View, ApiError> {
    allowed(visible(store, id, author.id).await?, author)
}

/// The view, if the author may change it.
fn allowed(view: View, author: &Author) -> Result<View, ApiError> {
    if view.is_editable_by(author.id, author.role) {
        Ok(view)
    } else {
        Err(ApiError::Forbidden("its owner, or an administrator"))
    }
}
