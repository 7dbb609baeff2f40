//! Entries of the IP lists.

use crate::{
    audit::ObjectKind,
    clock::Clock,
    error::ApiError,
    extract::{Analyst, Body, FromParameters, Id, IfMatch, Named, Parameters, Query, Reader, Tagged},
    openapi::query_parameter,
    paging::{Page, Slice},
    ruleset::{Activity, EntryDraft, StoredEntry},
    store::Store,
    use_cases::{RulesetWriter, ip_lists},
};
use axum::{Json, extract::State, http::StatusCode};
use shared::ruleset::List;
use utoipa::{
    IntoParams, PartialSchema as _,
    openapi::path::{Parameter, ParameterIn},
};

/// The list; all lists when absent.
pub(super) struct WhichList(Option<List>);

impl FromParameters for WhichList {
    fn from_parameters(parameters: &mut Parameters) -> Result<Self, ApiError> {
        let all = [List::Allow, List::Deny, List::Gray];
        let list = parameters
            .read("list", "allow, deny or gray", |word| all.into_iter().find(|list| list.as_str() == word))?;
        Ok(Self(list))
    }
}

/// Lists entries, the newest first.
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

/// An IP list entry.
#[utoipa::path(
    get,
    path = "/ip-lists/{id}",
    security(("token" = ["reader"])),
    params(Id),
    responses((status = 200, description = "The entry; `ETag` is its revision.", body = StoredEntry))
)]
pub(super) async fn one(
    _: Reader,
    Query(()): Query<()>,
    Named(entry): Named<StoredEntry>,
) -> Tagged<StoredEntry> {
    Tagged(entry)
}

/// The use of an entry: its hits of the last 24 hours and 30 days, and its latest change.
#[utoipa::path(
    get,
    path = "/ip-lists/{id}/activity",
    security(("token" = ["reader"])),
    params(Id),
    responses((status = 200, description = "The use of the entry.", body = Activity))
)]
pub(super) async fn activity(
    _: Reader,
    State(store): State<Store>,
    State(clock): State<Clock>,
    Query(()): Query<()>,
    Named(StoredEntry { entry, .. }): Named<StoredEntry>,
) -> Result<Json<Activity>, ApiError> {
    let mut activities = store.activities(ObjectKind::IpListEntry, &[entry.id], clock.now()).await?;
    Ok(Json(activities.remove(&entry.id).unwrap_or_default()))
}

/// Adds an entry; nodes apply it within a second.
#[utoipa::path(
    post,
    path = "/ip-lists",
    security(("token" = ["analyst"])),
    request_body(content = EntryDraft, example = json!({"list": "deny", "source": {"network": "203.0.113.0/24"}, "reason": "scanner"})),
    responses((status = 201, description = "The new entry; `ETag` is its revision.", body = StoredEntry), (status = 409, description = "The limit of entries is reached."))
)]
pub(super) async fn add(
    Analyst(author): Analyst,
    State(ruleset): State<RulesetWriter>,
    Body(draft): Body<EntryDraft>,
) -> Result<(StatusCode, Tagged<StoredEntry>), ApiError> {
    Ok((StatusCode::CREATED, Tagged(ip_lists::add(&ruleset, &author, draft).await?)))
}

/// Replaces an entry, unless its revision changed.
#[utoipa::path(
    put,
    path = "/ip-lists/{id}",
    security(("token" = ["analyst"])),
    params(Id, IfMatch),
    request_body(content = EntryDraft, example = json!({"list": "deny", "source": {"network": "203.0.113.0/24"}, "reason": "scanner"})),
    responses((status = 200, description = "The replaced entry.", body = StoredEntry))
)]
pub(super) async fn replace(
    Analyst(author): Analyst,
    State(ruleset): State<RulesetWriter>,
    Id(id): Id,
    IfMatch(revision): IfMatch,
    Body(draft): Body<EntryDraft>,
) -> Result<Tagged<StoredEntry>, ApiError> {
    ip_lists::replace(&ruleset, &author, (id, revision), draft).await.map(Tagged)
}

/// Deletes an entry, unless its revision changed.
#[utoipa::path(
    delete,
    path = "/ip-lists/{id}",
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
    ip_lists::delete(&ruleset, &author, (id, revision)).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl IntoParams for WhichList {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![query_parameter("list", "The list; all lists when absent.", List::schema())]
    }
}
