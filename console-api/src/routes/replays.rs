//! Replays: a candidate ruleset on recorded requests.

use crate::{
    clock::Clock,
    error::ApiError,
    extract::{Analyst, Body, Id, Named, Query, Reader},
    paging::{Page, Slice},
    replay::{Replay, ReplayDraft},
    simulation::replay::Replays,
    store::Store,
    use_cases::replays,
};
use axum::{Json, extract::State, http::StatusCode};

/// Lists replays, the latest first.
#[utoipa::path(
    get,
    path = "/replays",
    security(("token" = ["reader"])),
    params(Slice),
    responses((status = 200, description = "A page of replays.", body = Page<Replay>))
)]
pub(super) async fn list(
    _: Reader,
    State(store): State<Store>,
    State(clock): State<Clock>,
    Query(slice): Query<Slice>,
) -> Result<Json<Page<Replay>>, ApiError> {
    Ok(Json(store.replays(&slice, clock.now()).await?))
}

/// A replay with its progress and report.
#[utoipa::path(
    get,
    path = "/replays/{id}",
    security(("token" = ["reader"])),
    params(Id),
    responses((status = 200, description = "The replay.", body = Replay))
)]
pub(super) async fn one(_: Reader, Query(()): Query<()>, Named(replay): Named<Replay>) -> Json<Replay> {
    Json(replay)
}

/// Starts a replay of a candidate ruleset. Nodes are not affected.
#[utoipa::path(
    post,
    path = "/replays",
    security(("token" = ["analyst"])),
    request_body(content = ReplayDraft, example = json!({"recorded": {"from": "-7d"}, "candidate": {"add": [{"effect": {"kind": "ignore", "findings": {"type": "sqli"}, "points": [[["get", "q"]]]}}]}})),
    responses(
        (status = 202, description = "Started; poll its address for the progress.", body = Replay),
        (status = 409, description = "Another replay is running."),
        (status = 503, description = "The search for recorded hits takes too long."),
    )
)]
pub(super) async fn start(
    Analyst(author): Analyst,
    State(store): State<Store>,
    State(clock): State<Clock>,
    State(running): State<Replays>,
    Body(draft): Body<ReplayDraft>,
) -> Result<(StatusCode, Json<Replay>), ApiError> {
    Ok((StatusCode::ACCEPTED, Json(replays::start(store, clock, &running, author, draft).await?)))
}
