//! Tests of custom detectors on recorded requests.

use crate::{
    clock::Clock,
    error::ApiError,
    extract::{Analyst, Body, FromBody},
    json_object,
    replay::Selection,
    ruleset::RuleDraft,
    simulation::detector,
    store::Store,
    use_cases::rules,
};
use axum::{Json, extract::State};
use serde::Deserialize;

/// The detector, and the requests to test it on.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TestDraft {
    #[serde(deserialize_with = "json_object::required")]
    rule: RuleDraft,
    #[serde(default, deserialize_with = "json_object::required")]
    recorded: Selection,
}

/// Tests a detector on recorded requests: its matches and its cost. Changes nothing.
#[utoipa::path(
    post,
    path = "/rules/test",
    security(("token" = ["analyst"])),
    request_body(content = TestDraft, example = json!({"rule": {"effect": {"kind": "detector", "pattern": {"regex": "(?i)legacy-[0-9]+"}, "attack_type": "rce", "severity": "high"}}, "recorded": {"query": "host:shop.example.com", "from": "-7d"}})),
    responses((status = 200, description = "The matches and the cost of the detector.", body = detector::Test))
)]
pub(super) async fn test(
    _: Analyst,
    State(store): State<Store>,
    State(clock): State<Clock>,
    Body(draft): Body<TestDraft>,
) -> Result<Json<detector::Test>, ApiError> {
    let hits = draft.recorded.read(clock.now())?;
    Ok(Json(rules::test(&store, draft.rule, hits).await?))
}

impl FromBody for TestDraft {
    const NAME: &'static str = "a test of a detector";
}
