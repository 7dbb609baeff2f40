//! Ruleset versions: list, compare, roll back.

use crate::{
    error::ApiError,
    extract::{Analyst, FromParameters, IfMatch, Number, Parameters, Query, Reader, Tag, etag},
    openapi::query_parameter,
    paging::{Page, Slice},
    ruleset::{Difference, Version, VersionContent},
    store::Store,
    use_cases::{RulesetWriter, rulesets},
};
use axum::{Json, extract::State, http::StatusCode};
use utoipa::{
    IntoParams,
    openapi::{
        ObjectBuilder, Type,
        path::{Parameter, ParameterIn},
    },
};

/// Lists versions, the latest first. The tag is the active version.
#[utoipa::path(
    get,
    path = "/rulesets",
    security(("token" = ["reader"])),
    params(Slice),
    responses((status = 200, description = "A page of versions; `ETag` is the active one.", body = Page<Version>))
)]
pub(super) async fn list(
    _: Reader,
    State(store): State<Store>,
    Query(slice): Query<Slice>,
) -> Result<(Tag, Json<Page<Version>>), ApiError> {
    Ok((current(&store).await?, Json(store.versions(&slice).await?)))
}

/// The rules and entries of a version.
#[utoipa::path(
    get,
    path = "/rulesets/{version}",
    security(("token" = ["reader"])),
    params(Number),
    responses((status = 200, description = "The version; `ETag` is the active one.", body = VersionContent))
)]
pub(super) async fn one(
    _: Reader,
    State(store): State<Store>,
    Number(version): Number,
    Query(()): Query<()>,
) -> Result<(Tag, Json<VersionContent>), ApiError> {
    let content = store.version(version).await?;
    let content = content.ok_or_else(|| ApiError::not_found("ruleset", version))?;
    Ok((current(&store).await?, Json(content)))
}

/// The version to compare with; the active one when absent.
pub(super) struct To(Option<u64>);

impl IntoParams for To {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let about = "The later version; the active one when absent.";
        vec![query_parameter("to", about, ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)))]
    }
}

impl FromParameters for To {
    fn from_parameters(parameters: &mut Parameters) -> Result<Self, ApiError> {
        parameters.parse("to", "the number of a version").map(Self)
    }
}

/// The differences between two versions.
#[utoipa::path(
    get,
    path = "/rulesets/{version}/diff",
    security(("token" = ["reader"])),
    params(Number, To),
    responses((status = 200, description = "The differences.", body = Page<Difference>))
)]
pub(super) async fn difference(
    _: Reader,
    State(store): State<Store>,
    Number(version): Number,
    Query(To(to)): Query<To>,
) -> Result<Json<Page<Difference>>, ApiError> {
    if to.is_some_and(|to| to < version) {
        return Err(ApiError::parameter("to", "`to` must be the later version"));
    }
    let items = store.difference(version, to).await?;
    Ok(Json(Page { items, next_cursor: None }))
}

/// Rolls rules and lists back to a version, as a new version; nodes apply it within a second.
#[utoipa::path(
    post,
    path = "/rulesets/{version}/activate",
    security(("token" = ["analyst"])),
    params(Number, IfMatch),
    responses((status = 201, description = "The new version; `ETag` is its number.", body = Version))
)]
pub(super) async fn activate(
    Analyst(author): Analyst,
    State(ruleset): State<RulesetWriter>,
    Number(version): Number,
    IfMatch(current): IfMatch,
    Query(()): Query<()>,
) -> Result<(StatusCode, Tag, Json<Version>), ApiError> {
    let activated = rulesets::activate(&ruleset, &author, version, current).await?;
    Ok((StatusCode::CREATED, etag(activated.number()), Json(activated)))
}

async fn current(store: &Store) -> Result<Tag, ApiError> {
    let (version, _) = store.ruleset_head().await?;
    Ok(etag(u32::try_from(version).unwrap_or(u32::MAX)))
}
