//! Saved searches: read, add, change, delete.

use crate::{
    audit::Author,
    error::ApiError,
    store::Store,
    view::{View, ViewChange, ViewDraft},
};
use uuid::Uuid;

/// A view that this user can see.
pub async fn visible(store: &Store, id: Uuid, name: &str) -> Result<View, ApiError> {
    let view = store.view(id).await?.filter(|view| view.is_visible_to(name));
    view.ok_or(ApiError::NotFound("view"))
}

pub async fn add(store: &Store, author: &Author, draft: ViewDraft) -> Result<View, ApiError> {
    store.add_view(draft.validated(author.at)?, author).await?.or_error("view", "views")
}

pub async fn change(
    store: &Store,
    author: &Author,
    (id, revision): (Uuid, u32),
    change: ViewChange,
) -> Result<View, ApiError> {
    let draft = editable(store, id, author).await?.draft.with(change).validated(author.at)?;
    store.change_view(id, revision, Some(draft), author).await?.or_error("view", "views")
}

pub async fn delete(store: &Store, author: &Author, (id, revision): (Uuid, u32)) -> Result<(), ApiError> {
    editable(store, id, author).await?;
    store.change_view(id, revision, None, author).await?.or_error("view", "views").map(drop)
}

async fn editable(store: &Store, id: Uuid, author: &Author) -> Result<View, ApiError> {
    let view = visible(store, id, &author.name).await?;
    if view.is_editable_by(&author.name, author.role) {
        Ok(view)
    } else {
        Err(ApiError::Forbidden("its owner, or an administrator"))
    }
}
