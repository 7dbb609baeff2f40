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

#[derive(Serialize)]
pub(super) struct NotInspectedList {
    #[serde(flatten)]
    page: Page<NotInspected>,
    #[serde(flatten)]
    counts: NotInspectedCounts,
}

/// The requests, the latest first, and how many there are in all.
pub(super) async fn list(
    _: Reader,
    State(store): State<Store>,
    Query(slice): Query<Slice>,
) -> Result<Json<NotInspectedList>, ApiError> {
    let page = store.not_inspected(&slice).await?;
    let counts = store.not_inspected_counts().await?;
    Ok(Json(NotInspectedList { page, counts }))
}
