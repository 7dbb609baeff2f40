//! The overview.

use crate::{
    clock::Clock,
    error::ApiError,
    extract::{Query, Reader, Searching},
    overview::{Overview, OverviewCache},
    store::Store,
};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse as _, Response},
};

/// The last day against the same day of last week, coverage, nodes, and what needs attention.
#[utoipa::path(
    get,
    path = "/overview",
    security(("token" = ["reader"])),
    responses(
        (status = 200, description = "The overview.", body = Overview),
        (status = 503, description = "Too many searches at a time, or the search takes too long."),
    )
)]
pub(super) async fn read(
    _: Searching<Reader>,
    State(store): State<Store>,
    State(cache): State<OverviewCache>,
    State(clock): State<Clock>,
    Query(()): Query<()>,
) -> Result<Response, ApiError> {
    let overview = cache.read(&store, clock.now()).await?;
    Ok(Json(&*overview).into_response())
}
