//! Detectors tried on what was recorded.

use super::rules;
use crate::{
    actor::Analyst,
    clock::Clock,
    error::ApiError,
    extract,
    query::{self, Filter, Times},
    ruleset::RuleDraft,
    store::Store,
    trial::{Recorded, detector},
};
use axum::{
    Json,
    extract::{FromRequest, Request, State},
};
use jiff::Timestamp;
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
    recorded: WhichRecorded,
}

/// Which recorded requests, as people write it.
#[derive(Debug, Clone, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WhichRecorded {
    /// In the language of searches; false positives are not left out.
    #[serde(default)]
    query: String,
    #[serde(default)]
    from: Option<String>,
    #[serde(default)]
    to: Option<String>,
}

impl WhichRecorded {
    pub(super) fn read(&self, now: Timestamp) -> Result<Recorded, ApiError> {
        let filter = Filter::parse(&self.query, now)
            .map_err(|error| ApiError::parameter("recorded.query", format!("`recorded.query`: {error}")))?;
        let time = |name: &str, text: &Option<String>| {
            let Some(text) = text else { return Ok(None) };
            let wrong = || ApiError::parameter(name, format!("`{name}` must be {}", Times::MOMENT));
            query::moment(text, now).ok_or_else(wrong).map(Some)
        };
        let (from, to) = (time("recorded.from", &self.from)?, time("recorded.to", &self.to)?);
        Ok(Recorded { filter, times: Times { from, to } })
    }
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
