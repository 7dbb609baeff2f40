//! Views: saved searches.

use crate::{
    error::ApiError,
    extract::{Analyst, Body, Id, IfMatch, Query, Reader, Tagged},
    paging::{Page, Slice},
    store::Store,
    use_cases::views,
    view::{View, ViewChange, ViewDraft},
};
use axum::{Json, extract::State, http::StatusCode};

/// Lists own and shared views, the newest first.
#[utoipa::path(
    get,
    path = "/views",
    security(("token" = ["reader"])),
    params(Slice),
    responses((status = 200, description = "A page of views.", body = Page<View>))
)]
pub(super) async fn list(
    Reader(actor): Reader,
    State(store): State<Store>,
    Query(slice): Query<Slice>,
) -> Result<Json<Page<View>>, ApiError> {
    Ok(Json(store.views(actor.id, &slice).await?))
}

/// A view.
#[utoipa::path(
    get,
    path = "/views/{id}",
    security(("token" = ["reader"])),
    params(Id),
    responses((status = 200, description = "The view; `ETag` is its revision.", body = View))
)]
pub(super) async fn one(
    Reader(actor): Reader,
    State(store): State<Store>,
    Id(id): Id,
    Query(()): Query<()>,
) -> Result<Tagged<View>, ApiError> {
    views::visible(&store, id, Some(actor.id)).await.map(Tagged)
}

/// Saves a search.
#[utoipa::path(
    post,
    path = "/views",
    security(("token" = ["analyst"])),
    request_body(content = ViewDraft, example = json!({"name": "Injections of today", "query": "type:sqli,nosqli", "from": "-24h", "sort": "-hits", "shared": true})),
    responses((status = 201, description = "The new view; `ETag` is its revision.", body = View), (status = 409, description = "The limit of views is reached."))
)]
pub(super) async fn add(
    Analyst(author): Analyst,
    State(store): State<Store>,
    Body(draft): Body<ViewDraft>,
) -> Result<(StatusCode, Tagged<View>), ApiError> {
    Ok((StatusCode::CREATED, Tagged(views::add(&store, &author, draft).await?)))
}

/// Changes the given fields of a view.
#[utoipa::path(
    patch,
    path = "/views/{id}",
    security(("token" = ["analyst"])),
    params(Id, IfMatch),
    request_body(content = ViewChange, example = json!({"name": "Injections of this week", "from": "-7d"})),
    responses((status = 200, description = "The changed view; `ETag` is its revision.", body = View))
)]
pub(super) async fn change(
    Analyst(author): Analyst,
    State(store): State<Store>,
    Id(id): Id,
    IfMatch(revision): IfMatch,
    Body(change): Body<ViewChange>,
) -> Result<Tagged<View>, ApiError> {
    views::change(&store, &author, (id, revision), change).await.map(Tagged)
}

/// Deletes a view.
#[utoipa::path(
    delete,
    path = "/views/{id}",
    security(("token" = ["analyst"])),
    params(Id, IfMatch),
    responses((status = 204, description = "Deleted."))
)]
pub(super) async fn delete(
    Analyst(author): Analyst,
    State(store): State<Store>,
    Id(id): Id,
    IfMatch(revision): IfMatch,
) -> Result<StatusCode, ApiError> {
    views::delete(&store, &author, (id, revision)).await?;
    Ok(StatusCode::NO_CONTENT)
}
