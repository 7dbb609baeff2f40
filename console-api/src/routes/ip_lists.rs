//! Who is on which list.

use crate::{
    actor::{Admin, Reader},
    changes::Changes,
    clock::Clock,
    error::ApiError,
    extract::{self, FromParameters, Id, Parameters, Query},
    openapi::query_parameter,
    paging::{Page, Slice},
    ruleset::{EntryDraft, StoredEntry},
    store::{Change, Store},
};
use axum::{
    Json,
    extract::{FromRequest, Request, State},
    http::StatusCode,
};
use jiff::Timestamp;
use shared::ruleset::{List, ListEntry, Source};
use utoipa::{
    IntoParams, PartialSchema as _,
    openapi::path::{Parameter, ParameterIn},
};
use uuid::Uuid;

/// Of which list; of all when it is not said.
pub(super) struct WhichList(Option<List>);

impl FromParameters for WhichList {
    fn from_parameters(parameters: &mut Parameters) -> Result<Self, ApiError> {
        let all = [List::Allow, List::Deny, List::Gray];
        let list = parameters
            .read("list", "allow, deny or gray", |word| all.into_iter().find(|list| list.as_str() == word))?;
        Ok(Self(list))
    }
}

/// The newest first.
#[utoipa::path(
    get,
    path = "/ip-lists",
    security(("token" = ["reader"])),
    params(WhichList, Slice),
    responses((status = 200, description = "A page of entries.", body = Page<StoredEntry>))
)]
pub(super) async fn list(
    _: Reader,
    State(store): State<Store>,
    Query((WhichList(list), slice)): Query<(WhichList, Slice)>,
) -> Result<Json<Page<StoredEntry>>, ApiError> {
    Ok(Json(store.entries(list, &slice).await?))
}

/// Puts somebody on a list; nodes follow within a second.
#[utoipa::path(
    post,
    path = "/ip-lists",
    security(("token" = ["admin"])),
    request_body(content = EntryDraft, example = json!({"list": "deny", "source": {"network": "203.0.113.0/24"}, "reason": "scanner"})),
    responses((status = 201, description = "The new entry.", body = StoredEntry), (status = 409, description = "The lists are full."))
)]
pub(super) async fn add(
    _: Admin,
    State(store): State<Store>,
    State(clock): State<Clock>,
    State(changes): State<Changes>,
    Draft(draft): Draft,
) -> Result<(StatusCode, Json<StoredEntry>), ApiError> {
    let now = clock.now();
    match store.add_entry(checked(draft, now)?, now).await? {
        Change::Made(entry) => {
            changes.announce();
            Ok((StatusCode::CREATED, Json(entry)))
        }
        Change::Full(limit) => {
            Err(ApiError::Conflict(format!("there are {limit} entries, and that is the limit")))
        }
        Change::Unknown | Change::Stale(_) => Err(ApiError::NotFound("entry")),
    }
}

/// Takes somebody off a list.
#[utoipa::path(
    delete,
    path = "/ip-lists/{id}",
    security(("token" = ["admin"])),
    params(Id),
    responses((status = 204, description = "It is gone."))
)]
pub(super) async fn delete(
    _: Admin,
    State(store): State<Store>,
    State(changes): State<Changes>,
    Id(id): Id,
) -> Result<StatusCode, ApiError> {
    if !store.delete_entry(id).await? {
        return Err(ApiError::NotFound("entry"));
    }
    changes.announce();
    Ok(StatusCode::NO_CONTENT)
}

fn checked(draft: EntryDraft, now: Timestamp) -> Result<ListEntry, ApiError> {
    if let Source::Country(code) = &draft.source
        && !(code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase()))
    {
        return Err(ApiError::parameter("source.country", "`source.country` must be two letters such as DE"));
    }
    if draft.expires_at.is_some_and(|end| end <= now) {
        return Err(ApiError::parameter("expires_at", "`expires_at` must be in the future"));
    }
    let EntryDraft { list, source, applications, expires_at, reason } = draft;
    Ok(ListEntry { id: Uuid::now_v7(), list, source, applications, expires_at, reason })
}

/// The body of a call.
pub(super) struct Draft(EntryDraft);

impl<S: Send + Sync> FromRequest<S> for Draft {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        extract::json_body(request, state, "an entry of a list", super::BODY_LIMIT).await.map(Self)
    }
}

impl IntoParams for WhichList {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![query_parameter("list", "Which list; all when left out.", List::schema())]
    }
}
