//! From a hit to a rule that silences such hits.

use super::rules;
use crate::{
    actor::Analyst,
    change_notifier::ChangeNotifier,
    error::ApiError,
    extract::{self, FromParameters, Id, Parameters, Query},
    openapi::query_parameter,
    paging::Slice,
    ruleset::StoredRule,
    simulation::{exclusion::ExclusionDraft, preview},
    store::Store,
};
use axum::{
    Json,
    extract::{FromRequest, Request, State},
    response::{IntoResponse as _, Response},
};
use utoipa::{
    IntoParams,
    openapi::{
        ObjectBuilder, Type,
        path::{Parameter, ParameterIn},
    },
};

/// What is wanted: the rule, or only to know what it would do.
pub(super) enum Wanted {
    Rule,
    Preview(Slice),
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
    fn into_params(place: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let about = "Changes nothing, and says what would be; `limit` and `cursor` are for its list.";
        let flag = ObjectBuilder::new().schema_type(Type::Boolean);
        let mut parameters = vec![query_parameter("dry_run", about, flag)];
        parameters.extend(Slice::into_params(place));
        parameters
    }
}

/// Adds an exclusion made of a hit, or with `dry_run` says which recorded hits it would have silenced.
#[utoipa::path(
    post,
    path = "/hits/{id}/exclusion",
    security(("token" = ["analyst"])),
    params(Id, Wanted),
    request_body(content = ExclusionDraft, example = json!({"width": "type"})),
    responses(
        (status = 200, description = "What the exclusion would have done.", body = preview::Preview),
        (status = 201, description = "The new rule; `ETag` is its revision.", body = StoredRule),
        (status = 409, description = "There are too many rules."),
    )
)]
pub(super) async fn exclude(
    Analyst(author): Analyst,
    State(store): State<Store>,
    State(notifier): State<ChangeNotifier>,
    Id(id): Id,
    Query(wanted): Query<Wanted>,
    Draft(draft): Draft,
) -> Result<Response, ApiError> {
    let hit = store.hit(id).await?.ok_or(ApiError::NotFound("hit"))?.hit;
    let attack = store.attack(hit.attack_id).await?.ok_or(ApiError::NotFound("attack"))?;
    let draft = draft.rule(&hit, &attack.path)?;
    match wanted {
        Wanted::Rule => Ok(rules::create(&store, &notifier, draft, &author).await?.into_response()),
        Wanted::Preview(slice) => {
            let rule = rules::checked(hit.id, 1, draft)?;
            Ok(Json(preview::preview(&store, &rule, &slice).await?).into_response())
        }
    }
}

/// The body of a call.
pub(super) struct Draft(ExclusionDraft);

impl<S: Send + Sync> FromRequest<S> for Draft {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        extract::json_body(request, state, "an exclusion", super::BODY_LIMIT).await.map(Self)
    }
}
