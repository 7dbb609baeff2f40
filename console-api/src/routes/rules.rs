//! Rules.

use crate::{
    audit::ObjectKind,
    clock::Clock,
    error::ApiError,
    extract::{Analyst, Body, Id, IfMatch, Named, Query, Reader, Tagged},
    paging::{Page, Slice},
    ruleset::{Activity, RuleDraft, StoredRule},
    store::Store,
    use_cases::{RulesetWriter, rules},
};
use axum::{Json, extract::State, http::StatusCode};

/// Lists rules, the newest first.
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
    Ok(Json(store.list(&slice).await?))
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
    Query(()): Query<()>,
    Named(rule): Named<StoredRule>,
) -> Tagged<StoredRule> {
    Tagged(rule)
}

/// The use of a rule: its hits of the last 24 hours and 30 days, and its latest change.
#[utoipa::path(
    get,
    path = "/rules/{id}/activity",
    security(("token" = ["reader"])),
    params(Id),
    responses((status = 200, description = "The use of the rule.", body = Activity))
)]
pub(super) async fn activity(
    _: Reader,
    State(store): State<Store>,
    State(clock): State<Clock>,
    Query(()): Query<()>,
    Named(StoredRule { rule, .. }): Named<StoredRule>,
) -> Result<Json<Activity>, ApiError> {
    let mut activities = store.activities(ObjectKind::Rule, &[rule.id], clock.now()).await?;
    Ok(Json(activities.remove(&rule.id).unwrap_or_default()))
}

/// Adds a rule; nodes apply it within a second.
#[utoipa::path(
    post,
    path = "/rules",
    security(("token" = ["analyst"])),
    request_body(content = RuleDraft, example = json!({"scope": {"host": "shop.example.com", "path": "/search"}, "effect": {"kind": "ignore", "findings": {"type": "sqli"}, "points": [[["get", "q"]]]}, "comment": "a search for words"})),
    responses((status = 201, description = "The new rule; `ETag` is its revision.", body = StoredRule), (status = 409, description = "The limit of rules is reached."))
)]
pub(super) async fn add(
    Analyst(author): Analyst,
    State(ruleset): State<RulesetWriter>,
    Body(draft): Body<RuleDraft>,
) -> Result<(StatusCode, Tagged<StoredRule>), ApiError> {
    Ok((StatusCode::CREATED, Tagged(rules::add(&ruleset, &author, draft).await?)))
}

/// Replaces a rule, unless its revision changed.
#[utoipa::path(
    put,
    path = "/rules/{id}",
    security(("token" = ["analyst"])),
    params(Id, IfMatch),
    request_body(content = RuleDraft, example = json!({"scope": {"host": "shop.example.com", "path": "/search"}, "effect": {"kind": "ignore", "findings": {"type": "sqli"}, "points": [[["get", "q"]]]}, "comment": "a search for words"})),
    responses((status = 200, description = "The replaced rule.", body = StoredRule))
)]
pub(super) async fn replace(
    Analyst(author): Analyst,
    State(ruleset): State<RulesetWriter>,
    Id(id): Id,
    IfMatch(revision): IfMatch,
    Body(draft): Body<RuleDraft>,
) -> Result<Tagged<StoredRule>, ApiError> {
    rules::replace(&ruleset, &author, (id, revision), draft).await.map(Tagged)
}

/// Deletes a rule, unless its revision changed.
#[utoipa::path(
    delete,
    path = "/rules/{id}",
    security(("token" = ["analyst"])),
    params(Id, IfMatch),
    responses((status = 204, description = "Deleted."))
)]
pub(super) async fn delete(
    Analyst(author): Analyst,
    State(ruleset): State<RulesetWriter>,
    Id(id): Id,
    IfMatch(revision): IfMatch,
) -> Result<StatusCode, ApiError> {
    rules::delete(&ruleset, &author, (id, revision)).await?;
    Ok(StatusCode::NO_CONTENT)
}
