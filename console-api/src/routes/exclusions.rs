//! Exclusions from a hit: preview, add.

use crate::{
    audit::Author,
    error::ApiError,
    extract::{Analyst, Body, FromParameters, Id, Named, Parameters, Query, Searching, Tagged},
    hit::{HitDetail, RecordedHit},
    openapi::query_parameter,
    paging::Slice,
    ruleset::StoredRule,
    simulation::{HitRule, exclusion::ExclusionDraft, preview},
    use_cases::{RulesetWriter, hit_rules},
};
use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use utoipa::{
    IntoParams,
    openapi::{
        ObjectBuilder, Type,
        path::{Parameter, ParameterIn},
    },
};

/// Add the rule, or only preview it.
pub(super) enum Wanted {
    Rule,
    Preview(Slice),
}

impl Wanted {
    pub(super) async fn respond(
        self,
        ruleset: &RulesetWriter,
        author: &Author,
        hit: &RecordedHit,
        draft: impl HitRule,
    ) -> Result<Response, ApiError> {
        Ok(match self {
            Self::Rule => {
                let rule = hit_rules::add(ruleset, author, hit, draft).await?;
                (StatusCode::CREATED, Tagged(rule)).into_response()
            }
            Self::Preview(slice) => {
                Json(hit_rules::preview(&ruleset.store, hit, draft, &slice).await?).into_response()
            }
        })
    }
}

impl FromParameters for Wanted {
    fn from_parameters(parameters: &mut Parameters) -> Result<Self, ApiError> {
        Ok(if parameters.flag("dry_run")? {
            Self::Preview(Slice::from_parameters(parameters)?)
        } else {
            Self::Rule
        })
    }
}

impl IntoParams for Wanted {
    fn into_params(parameter_in: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let about = "Preview only; `limit` and `cursor` page its list of hits.";
        let flag = ObjectBuilder::new().schema_type(Type::Boolean);
        let mut parameters = vec![query_parameter("dry_run", about, flag)];
        parameters.extend(Slice::into_params(parameter_in));
        parameters
    }
}

/// Adds an exclusion made from a hit; with `dry_run`, previews the recorded hits that it would
/// suppress.
#[utoipa::path(
    post,
    path = "/hits/{id}/exclusion",
    security(("token" = ["analyst"])),
    params(Id, Wanted),
    request_body(content = ExclusionDraft, example = json!({"width": "type"})),
    responses(
        (status = 200, description = "The preview.", body = preview::Preview),
        (status = 201, description = "The new rule; `ETag` is its revision.", body = StoredRule),
        (status = 409, description = "The limit of rules is reached."),
        (status = 503, description = "Too many searches at a time, or the search takes too long."),
    )
)]
pub(super) async fn exclude(
    Searching { caller: Analyst(author), .. }: Searching<Analyst>,
    State(ruleset): State<RulesetWriter>,
    Query(wanted): Query<Wanted>,
    Named(HitDetail { hit, .. }): Named<HitDetail>,
    Body(draft): Body<ExclusionDraft>,
) -> Result<Response, ApiError> {
    wanted.respond(&ruleset, &author, &hit, draft).await
}
