//! Who is on which list.

use crate::{
    actor::{Analyst, Reader},
    change_notifier::ChangeNotifier,
    error::ApiError,
    extract::{self, FromParameters, Id, IfMatch, Parameters, Query, Tag, etag},
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

type Tagged = (Tag, Json<StoredEntry>);

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

/// An entry.
#[utoipa::path(
    get,
    path = "/ip-lists/{id}",
    security(("token" = ["reader"])),
    params(Id),
    responses((status = 200, description = "The entry; `ETag` is its revision.", body = StoredEntry))
)]
pub(super) async fn one(
    _: Reader,
    State(store): State<Store>,
    Id(id): Id,
    Query(()): Query<()>,
) -> Result<Tagged, ApiError> {
    Ok(tagged(store.entry(id).await?.ok_or(ApiError::NotFound("entry"))?))
}

/// Puts somebody on a list; nodes follow within a second.
#[utoipa::path(
    post,
    path = "/ip-lists",
    security(("token" = ["analyst"])),
    request_body(content = EntryDraft, example = json!({"list": "deny", "source": {"network": "203.0.113.0/24"}, "reason": "scanner"})),
    responses((status = 201, description = "The new entry; `ETag` is its revision.", body = StoredEntry), (status = 409, description = "The lists are full."))
)]
pub(super) async fn add(
    Analyst(author): Analyst,
    State(store): State<Store>,
    State(notifier): State<ChangeNotifier>,
    Draft(draft): Draft,
) -> Result<(StatusCode, Tagged), ApiError> {
    let entry = made(store.add_entry(checked(Uuid::now_v7(), draft, author.at)?, &author).await?)?;
    notifier.announce();
    Ok((StatusCode::CREATED, tagged(entry)))
}

/// Makes an entry another, if nobody else has meanwhile.
#[utoipa::path(
    put,
    path = "/ip-lists/{id}",
    security(("token" = ["analyst"])),
    params(Id, IfMatch),
    request_body(content = EntryDraft, example = json!({"list": "deny", "source": {"network": "203.0.113.0/24"}, "reason": "scanner"})),
    responses((status = 200, description = "The entry as it is now.", body = StoredEntry))
)]
pub(super) async fn replace(
    Analyst(author): Analyst,
    State(store): State<Store>,
    State(notifier): State<ChangeNotifier>,
    Id(id): Id,
    IfMatch(revision): IfMatch,
    Draft(draft): Draft,
) -> Result<Tagged, ApiError> {
    let entry = checked(id, draft, author.at)?;
    let entry = made(store.replace_entry(revision, entry, &author).await?)?;
    notifier.announce();
    Ok(tagged(entry))
}

/// Takes somebody off a list, if nobody else has changed the entry meanwhile.
#[utoipa::path(
    delete,
    path = "/ip-lists/{id}",
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
    made(store.delete_entry(id, revision, &author).await?)?;
    notifier.announce();
    Ok(StatusCode::NO_CONTENT)
}

fn made(change: Change<StoredEntry>) -> Result<StoredEntry, ApiError> {
    change.or_error("entry", "entries")
}

fn tagged(entry: StoredEntry) -> Tagged {
    (etag(entry.revision), Json(entry))
}

fn checked(id: Uuid, draft: EntryDraft, now: Timestamp) -> Result<ListEntry, ApiError> {
    if let Source::Country(code) = &draft.source
        && !(code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase()))
    {
        return Err(ApiError::parameter("source.country", "`source.country` must be two letters such as DE"));
    }
    if draft.expires_at.is_some_and(|end| end <= now) {
        return Err(ApiError::parameter("expires_at", "`expires_at` must be in the future"));
    }
    let EntryDraft { list, source, applications, expires_at, reason } = draft;
    Ok(ListEntry { id, list, source, applications, expires_at, reason })
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
