//! Nodes, as they last reported.

use crate::{
    error::ApiError,
    extract::{Query, Reader},
    paging::Page,
    store::{Node, Store},
};
use axum::{Json, extract::State};

/// Lists all nodes, the latest seen first.
#[utoipa::path(
    get,
    path = "/nodes",
    security(("token" = ["reader"])),
    responses((status = 200, description = "All nodes.", body = Page<Node>))
)]
pub(super) async fn list(
    _: Reader,
    State(store): State<Store>,
    Query(()): Query<()>,
) -> Result<Json<Page<Node>>, ApiError> {
    Ok(Json(Page { items: store.nodes().await?, next_cursor: None }))
}
