//! Requests that went on without a verdict.

use crate::{
    actor::Reader,
    error::ApiError,
    extract::Query,
    paging::{Page, Slice},
    store::{NotInspectedCounts, Store},
};
use axum::{Json, extract::State};
use serde::Serialize;
use shared::NotInspected;

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct NotInspectedList {
    #[serde(flatten)]
    page: Page<NotInspected>,
    #[serde(flatten)]
    counts: NotInspectedCounts,
}

/// The requests, the latest first, and how many there are in all.
#[utoipa::path(
    get,
    path = "/not-inspected",
    security(("token" = ["reader"])),
    params(Slice),
    responses((status = 200, description = "A page of them, and the counts of all.", body = NotInspectedList))
)]
pub(super) async fn list(
    _: Reader,
    State(store): State<Store>,
    Query(slice): Query<Slice>,
) -> Result<Json<NotInspectedList>, ApiError> {
    let page = store.not_inspected(&slice).await?;
    let counts = store.not_inspected_counts().await?;
    Ok(Json(NotInspectedList { page, counts }))
}
