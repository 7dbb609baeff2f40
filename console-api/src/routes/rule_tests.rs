//! Detectors tried on what was recorded.

use super::rules;
use crate::{
    actor::Analyst, clock::Clock, error::ApiError, extract, replay::Selection, ruleset::RuleDraft,
    simulation::detector, store::Store,
};
use axum::{
    Json,
    extract::{FromRequest, Request, State},
};
use serde::Deserialize;
use shared::ruleset::Effect;
use uuid::Uuid;

/// What is tried, and on which requests.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TestDraft {
    #[serde(deserialize_with = "extract::object")]
    rule: RuleDraft,
    #[serde(default, deserialize_with = "extract::object")]
    recorded: Selection,
}

/// Says what a detector would have found. Changes nothing.
#[utoipa::path(
    post,
    path = "/rules/test",
    security(("token" = ["analyst"])),
    request_body(content = TestDraft, example = json!({"rule": {"effect": {"kind": "detector", "pattern": {"regex": "(?i)legacy-[0-9]+"}, "attack_type": "rce", "severity": "high"}}, "recorded": {"query": "host:shop.example.com", "from": "-7d"}})),
    responses((status = 200, description = "What it would have found.", body = detector::Test))
)]
pub(super) async fn test(
    _: Analyst,
    State(store): State<Store>,
    State(clock): State<Clock>,
    Draft(draft): Draft,
) -> Result<Json<detector::Test>, ApiError> {
    let rule = rules::checked(Uuid::now_v7(), 1, draft.rule)?;
    if !matches!(rule.effect, Effect::Detector { .. }) {
        let detail = "`effect.kind` must be detector: other rules are tried by replays";
        return Err(ApiError::parameter("effect.kind", detail));
    }
    Ok(Json(detector::test(&store, &rule, draft.recorded.read(clock.now())?).await?))
}

/// The body of a call.
pub(super) struct Draft(TestDraft);

impl<S: Send + Sync> FromRequest<S> for Draft {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        extract::json_body(request, state, "a test of a detector", super::BODY_LIMIT).await.map(Self)
    }
}
