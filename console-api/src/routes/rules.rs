//! The rules that nodes decide by.

use crate::{
    actor::{Analyst, Reader},
    audit::Author,
    change_notifier::ChangeNotifier,
    error::ApiError,
    extract::{self, Id, IfMatch, Query, Tag, etag},
    paging::{Page, Slice},
    ruleset::{RuleDraft, StoredRule},
    store::Store,
};
use axum::{
    Json,
    extract::{FromRequest, Request, State},
    http::StatusCode,
};
use shared::ruleset::Rule;
use uuid::Uuid;

pub(super) type Tagged = (Tag, Json<StoredRule>);

/// The newest first.
#[utoipa::path(
    get,
    path = "/rules",
    security(("token" = ["reader"])),
    params(Slice),
    responses((status = 200, description = "A page of rules.", body = Page<StoredRule>))
)]
pub(super) async fn list(
    _: Reader,
    State(store): State<Store>,
    Query(slice): Query<Slice>,
) -> Result<Json<Page<StoredRule>>, ApiError> {
    Ok(Json(store.rules(&slice).await?))
}

/// A rule.
#[utoipa::path(
    get,
    path = "/rules/{id}",
    security(("token" = ["reader"])),
    params(Id),
    responses((status = 200, description = "The rule; `ETag` is its revision.", body = StoredRule))
)]
pub(super) async fn one(
    _: Reader,
    State(store): State<Store>,
    Id(id): Id,
    Query(()): Query<()>,
) -> Result<Tagged, ApiError> {
    Ok(tagged(store.rule(id).await?.ok_or(ApiError::NotFound("rule"))?))
}

/// Adds a rule; nodes follow within a second.
#[utoipa::path(
    post,
    path = "/rules",
    security(("token" = ["analyst"])),
    request_body(content = RuleDraft, example = json!({"scope": {"host": "shop.example.com", "path": "/search"}, "effect": {"kind": "ignore", "findings": {"type": "sqli"}, "points": [[["get", "q"]]]}, "comment": "a search for words"})),
    responses((status = 201, description = "The new rule; `ETag` is its revision.", body = StoredRule), (status = 409, description = "There are too many rules."))
)]
pub(super) async fn add(
    Analyst(author): Analyst,
    State(store): State<Store>,
    State(notifier): State<ChangeNotifier>,
    Draft(draft): Draft,
) -> Result<(StatusCode, Tagged), ApiError> {
    create(&store, &notifier, draft, &author).await
}

pub(super) async fn create(
    store: &Store,
    notifier: &ChangeNotifier,
    draft: RuleDraft,
    author: &Author,
) -> Result<(StatusCode, Tagged), ApiError> {
    let rule = checked(Uuid::now_v7(), 1, draft)?;
    let rule = store.add_rule(rule, author).await?.or_error("rule", "rules")?;
    notifier.announce();
    Ok((StatusCode::CREATED, tagged(rule)))
}

/// Makes a rule another, if nobody else has meanwhile.
#[utoipa::path(
    put,
    path = "/rules/{id}",
    security(("token" = ["analyst"])),
    params(Id, IfMatch),
    request_body(content = RuleDraft, example = json!({"scope": {"host": "shop.example.com", "path": "/search"}, "effect": {"kind": "ignore", "findings": {"type": "sqli"}, "points": [[["get", "q"]]]}, "comment": "a search for words"})),
    responses((status = 200, description = "The rule as it is now.", body = StoredRule))
)]
pub(super) async fn replace(
    Analyst(author): Analyst,
    State(store): State<Store>,
    State(notifier): State<ChangeNotifier>,
    Id(id): Id,
    IfMatch(revision): IfMatch,
    Draft(draft): Draft,
) -> Result<Tagged, ApiError> {
    checked(id, revision, draft.clone())?;
    let rule = store.replace_rule(id, revision, draft, &author).await?.or_error("rule", "rules")?;
    notifier.announce();
    Ok(tagged(rule))
}

/// Deletes a rule, if nobody else has changed it meanwhile.
#[utoipa::path(
    delete,
    path = "/rules/{id}",
    security(("token" = ["analyst"])),
    params(Id, IfMatch),
    responses((status = 204, description = "It is gone."))
)]
pub(super) async fn delete(
    Analyst(author): Analyst,
    State(store): State<Store>,
    State(notifier): State<ChangeNotifier>,
    Id(id): Id,
    IfMatch(revision): IfMatch,
) -> Result<StatusCode, ApiError> {
    store.delete_rule(id, revision, &author).await?.or_error("rule", "rules")?;
    notifier.announce();
    Ok(StatusCode::NO_CONTENT)
}

/// A rule that nodes can use.
pub(super) fn checked(
    id: Uuid,
    revision: u32,
    RuleDraft { scope, effect, comment }: RuleDraft,
) -> Result<Rule, ApiError> {
    let rule = Rule { id, revision, scope, effect, comment };
    engine::rules::check(&rule)
        .map_err(|error| ApiError::parameter(error.field, format!("`{}` {}", error.field, error.cause)))?;
    Ok(rule)
}

fn tagged(rule: StoredRule) -> Tagged {
    (etag(rule.rule.revision), Json(rule))
}

/// The body of a call.
pub(super) struct Draft(RuleDraft);

impl<S: Send + Sync> FromRequest<S> for Draft {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        extract::json_body(request, state, "a rule", super::BODY_LIMIT).await.map(Self)
    }
}
