//! The rules that nodes decide by.

use crate::{
    actor::{Admin, Reader},
    changes::Changes,
    clock::Clock,
    error::ApiError,
    extract::{self, Id, IfMatch, Query},
    paging::{Page, Slice},
    ruleset::{RuleDraft, StoredRule},
    store::{Change, Store},
};
use axum::{
    Json,
    extract::{FromRequest, Request, State},
    http::{HeaderName, StatusCode, header},
};
use shared::ruleset::Rule;
use uuid::Uuid;

type Tagged = ([(HeaderName, String); 1], Json<StoredRule>);

/// The newest first.
pub(super) async fn list(
    _: Reader,
    State(store): State<Store>,
    Query(slice): Query<Slice>,
) -> Result<Json<Page<StoredRule>>, ApiError> {
    Ok(Json(store.rules(&slice).await?))
}

pub(super) async fn one(
    _: Reader,
    State(store): State<Store>,
    Id(id): Id,
    Query(()): Query<()>,
) -> Result<Tagged, ApiError> {
    tagged(store.rule(id).await?)
}

/// Adds a rule; nodes follow within a second.
pub(super) async fn add(
    _: Admin,
    State(store): State<Store>,
    State(clock): State<Clock>,
    State(changes): State<Changes>,
    Draft(draft): Draft,
) -> Result<(StatusCode, Tagged), ApiError> {
    let rule = checked(Uuid::now_v7(), 1, draft)?;
    let rule = made(store.add_rule(rule, clock.now()).await?)?;
    changes.announce();
    Ok((StatusCode::CREATED, tagged(Some(rule))?))
}

/// Makes a rule another, if nobody else has meanwhile.
pub(super) async fn replace(
    _: Admin,
    State(store): State<Store>,
    State(clock): State<Clock>,
    State(changes): State<Changes>,
    Id(id): Id,
    IfMatch(revision): IfMatch,
    Draft(draft): Draft,
) -> Result<Tagged, ApiError> {
    checked(id, revision, draft.clone())?;
    made(store.replace_rule(id, revision, &draft, clock.now()).await?)?;
    changes.announce();
    tagged(store.rule(id).await?)
}

pub(super) async fn delete(
    _: Admin,
    State(store): State<Store>,
    State(changes): State<Changes>,
    Id(id): Id,
    IfMatch(revision): IfMatch,
) -> Result<StatusCode, ApiError> {
    made(store.delete_rule(id, revision).await?)?;
    changes.announce();
    Ok(StatusCode::NO_CONTENT)
}

/// A rule that nodes can use.
fn checked(
    id: Uuid,
    revision: u32,
    RuleDraft { scope, effect, comment }: RuleDraft,
) -> Result<Rule, ApiError> {
    let rule = Rule { id, revision, scope, effect, comment };
    engine::rules::check(&rule)
        .map_err(|error| ApiError::parameter(error.field, format!("`{}` {}", error.field, error.cause)))?;
    Ok(rule)
}

fn made<T>(change: Change<T>) -> Result<T, ApiError> {
    match change {
        Change::Made(it) => Ok(it),
        Change::Unknown => Err(ApiError::NotFound("rule")),
        Change::Stale(revision) => Err(ApiError::Stale(revision)),
        Change::Full(limit) => {
            Err(ApiError::Conflict(format!("there are {limit} rules, and that is the limit")))
        }
    }
}

fn tagged(rule: Option<StoredRule>) -> Result<Tagged, ApiError> {
    let rule = rule.ok_or(ApiError::NotFound("rule"))?;
    Ok(([(header::ETAG, format!("\"{}\"", rule.rule.revision))], Json(rule)))
}

/// The body of a call.
pub(super) struct Draft(RuleDraft);

impl<S: Send + Sync> FromRequest<S> for Draft {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        extract::json_body(request, state, "a rule", super::BODY_LIMIT).await.map(Self)
    }
}
