//! Nodes that have delivered here.

use crate::{
    actor::Reader,
    error::ApiError,
    extract::Query,
    paging::Page,
    store::{Node, Store},
};
use axum::{Json, extract::State};

/// All nodes, the latest seen first.
pub(super) async fn list(
    _: Reader,
    State(store): State<Store>,
    Query(()): Query<()>,
) -> Result<Json<Page<Node>>, ApiError> {
    Ok(Json(Page { items: store.nodes().await?, next_cursor: None }))
}
