//! Nodes, as they last reported.

use crate::{
    clock::Clock,
    error::ApiError,
    extract::{Admin, Id, Query, Reader},
    paging::Page,
    store::{Node, Store},
    use_cases::nodes,
};
use axum::{Json, extract::State, http::StatusCode};

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
    State(clock): State<Clock>,
    Query(()): Query<()>,
) -> Result<Json<Page<Node>>, ApiError> {
    Ok(Json(Page { items: store.nodes(clock.now()).await?, next_cursor: None }))
}

/// Removes a node that no longer exists. One that still delivers is listed again.
#[utoipa::path(
    delete,
    path = "/nodes/{id}",
    security(("token" = ["admin"])),
    params(Id),
    responses((status = 204, description = "Removed."))
)]
pub(super) async fn remove(
    Admin(author): Admin,
    State(store): State<Store>,
    Id(id): Id,
) -> Result<StatusCode, ApiError> {
    nodes::remove(&store, &author, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Releases a node from its token: the next token that delivers for it is bound to it.
#[utoipa::path(
    delete,
    path = "/nodes/{id}/token",
    security(("token" = ["admin"])),
    params(Id),
    responses((status = 204, description = "Released."))
)]
pub(super) async fn release(
    Admin(author): Admin,
    State(store): State<Store>,
    Id(id): Id,
) -> Result<StatusCode, ApiError> {
    nodes::release(&store, &author, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
