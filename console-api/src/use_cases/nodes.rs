//! Nodes: release from a token, remove.

use crate::{audit::Author, error::ApiError, store::Store};
use uuid::Uuid;

/// Releases a node from its token, so that another one can deliver for it.
pub async fn release(store: &Store, author: &Author, id: Uuid) -> Result<(), ApiError> {
    Ok(store.release_node(id, author).await?)
}

/// Removes a node that no longer exists. One that still does is listed again.
pub async fn remove(store: &Store, author: &Author, id: Uuid) -> Result<(), ApiError> {
    Ok(store.remove_node(id, author).await?)
}
