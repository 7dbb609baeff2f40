//! The requests that went on without a verdict.

use super::{PageError, render, view};
use crate::{
    actor::Visitor,
    error::ApiError,
    extract::Query,
    paging::{Page, Slice},
    store::{NotInspectedCounts, Store},
};
use askama::Template;
use axum::{extract::State, response::Response};
use shared::NotInspected;

#[derive(Template)]
#[template(path = "not_inspected.html")]
struct NotInspectedPage {
    page: Page<NotInspected>,
    counts: NotInspectedCounts,
}

pub(super) async fn list(
    _: Visitor,
    State(store): State<Store>,
    slice: Result<Query<Slice>, ApiError>,
) -> Result<Response, PageError> {
    let Query(slice) = slice?;
    let page = store.not_inspected(&slice).await?;
    Ok(render(&NotInspectedPage { page, counts: store.not_inspected_counts().await? }))
}
