//! The ruleset for nodes, with long polling.

use crate::{
    app::App,
    error::ApiError,
    extract::{FromParameters, NodeCaller, Parameters, Query},
    openapi::query_parameter,
};
use axum::{
    Json,
    extract::{FromRequestParts as _, State},
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use shared::ruleset::Ruleset;
use std::time::Duration;
use tokio::time::Instant;
use utoipa::{
    IntoParams,
    openapi::{
        ObjectBuilder, Type,
        path::{Parameter, ParameterIn},
    },
};

/// Maximum delay until a change by another console on the same database is noticed.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// The time to wait for a change.
pub(super) struct Wait(Duration);

impl FromParameters for Wait {
    fn from_parameters(parameters: &mut Parameters) -> Result<Self, ApiError> {
        let seconds = parameters.read("wait", "a number of seconds from 0 to 60", |text| {
            text.parse().ok().filter(|seconds| *seconds <= Ruleset::MAX_WAIT_SECONDS)
        })?;
        Ok(Self(Duration::from_secs(seconds.unwrap_or_default())))
    }
}

/// The ruleset, as soon as it differs from the known one (`If-None-Match`); 304 if it does not
/// change in time.
#[utoipa::path(
    get,
    path = "/node/config",
    security(("token" = ["node"])),
    params(Wait, ("If-None-Match" = Option<String>, Header, description = "The `ETag` of the known ruleset.")),
    responses(
        (status = 200, description = "The ruleset.", body = Ruleset),
        (status = 304, description = "No change within the time."),
        (status = 429, description = "Too many calls of this token wait for a change."),
        (status = 503, description = "Too many calls wait for a change."),
    )
)]
pub(super) async fn current(
    NodeCaller { token_id, .. }: NodeCaller,
    mut caller: Parts,
    State(app): State<App>,
    Query(Wait(wait)): Query<Wait>,
) -> Result<Response, ApiError> {
    let App { store, clock, change_notifier: notifier, polls, .. } = &app;
    let known = caller.headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let known = known.map(str::to_owned);
    // Nodes retry within a second, with the rules that they have.
    let _permit = polls.enter(token_id).await?;
    let deadline = Instant::now() + wait;
    // Before the first read, so that no change is missed.
    let mut waiting = notifier.subscribe();
    let mut has_waited = false;
    loop {
        let (_, id) = store.ruleset_head().await?;
        if known.as_deref() != Some(Ruleset::etag(id).as_str()) {
            // The token can end while the call waits.
            if has_waited {
                NodeCaller::from_request_parts(&mut caller, &app).await?;
            }
            let ruleset = store.ruleset(clock.now()).await?;
            return Ok(([(header::ETAG, Ruleset::etag(ruleset.id))], Json(ruleset)).into_response());
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || !waiting.is_open() {
            let etag = [(header::ETAG, Ruleset::etag(id))];
            return Ok((StatusCode::NOT_MODIFIED, etag).into_response());
        }
        waiting.change(left.min(POLL_INTERVAL)).await;
        has_waited = true;
    }
}

impl IntoParams for Wait {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let seconds = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0));
        let seconds = seconds.maximum(Some(Ruleset::MAX_WAIT_SECONDS)).examples([30]);
        vec![query_parameter("wait", "Seconds to wait for a change.", seconds)]
    }
}
