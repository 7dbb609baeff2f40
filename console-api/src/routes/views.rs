//! Searches that people keep.

use crate::{
    actor::{Analyst, Reader},
    audit::Author,
    error::ApiError,
    extract::{self, Id, IfMatch, Query, Tag, etag},
    paging::{Page, Slice},
    store::Store,
    view::{View, ViewChange, ViewDraft},
};
use axum::{
    Json,
    extract::{FromRequest, Request, State},
    http::StatusCode,
};
use uuid::Uuid;

type Tagged = (Tag, Json<View>);

/// One's own and those for all, the newest first.
#[utoipa::path(
    get,
    path = "/views",
    security(("token" = ["reader"])),
    params(Slice),
    responses((status = 200, description = "A page of views.", body = Page<View>))
)]
pub(super) async fn list(
    Reader(actor): Reader,
    State(store): State<Store>,
    Query(slice): Query<Slice>,
) -> Result<Json<Page<View>>, ApiError> {
    Ok(Json(store.views(&actor.name, &slice).await?))
}

/// A view.
#[utoipa::path(
    get,
    path = "/views/{id}",
    security(("token" = ["reader"])),
    params(Id),
    responses((status = 200, description = "The view; `ETag` is its revision.", body = View))
)]
pub(super) async fn one(
    Reader(actor): Reader,
    State(store): State<Store>,
    Id(id): Id,
    Query(()): Query<()>,
) -> Result<Tagged, ApiError> {
    Ok(tagged(seen(&store, id, &actor.name).await?))
}

/// Keeps a search.
#[utoipa::path(
    post,
    path = "/views",
    security(("token" = ["analyst"])),
    request_body(content = ViewDraft, example = json!({"name": "Injections of today", "query": "type:sqli,nosqli", "from": "-24h", "sort": "-hits", "shared": true})),
    responses((status = 201, description = "The new view; `ETag` is its revision.", body = View), (status = 409, description = "There are too many views."))
)]
pub(super) async fn add(
    Analyst(author): Analyst,
    State(store): State<Store>,
    Body(draft): Body<ViewDraft>,
) -> Result<(StatusCode, Tagged), ApiError> {
    let draft = draft.checked(author.at)?;
    Ok((StatusCode::CREATED, tagged(store.add_view(draft, &author).await?.or_error("view", "views")?)))
}

/// Makes some of a view another; what is left out stays.
#[utoipa::path(
    patch,
    path = "/views/{id}",
    security(("token" = ["analyst"])),
    params(Id, IfMatch),
    request_body(content = ViewChange, example = json!({"name": "Injections of this week", "from": "-7d"})),
    responses((status = 200, description = "The view as it is now; `ETag` is its revision.", body = View))
)]
pub(super) async fn change(
    Analyst(author): Analyst,
    State(store): State<Store>,
    Id(id): Id,
    IfMatch(revision): IfMatch,
    Body(change): Body<ViewChange>,
) -> Result<Tagged, ApiError> {
    let draft = own(&store, id, &author).await?.draft.with(change).checked(author.at)?;
    Ok(tagged(store.change_view(id, revision, Some(draft), &author).await?.or_error("view", "views")?))
}

/// Deletes a view.
#[utoipa::path(
    delete,
    path = "/views/{id}",
    security(("token" = ["analyst"])),
    params(Id, IfMatch),
    responses((status = 204, description = "It is gone."))
)]
pub(super) async fn delete(
    Analyst(author): Analyst,
    State(store): State<Store>,
    Id(id): Id,
    IfMatch(revision): IfMatch,
) -> Result<StatusCode, ApiError> {
    own(&store, id, &author).await?;
    store.change_view(id, revision, None, &author).await?.or_error("view", "views")?;
    Ok(StatusCode::NO_CONTENT)
}

async fn seen(store: &Store, id: Uuid, name: &str) -> Result<View, ApiError> {
    let view = store.view(id).await?.filter(|view| view.is_seen_by(name));
    view.ok_or(ApiError::NotFound("view"))
}

/// A view that this person may change.
async fn own(store: &Store, id: Uuid, author: &Author) -> Result<View, ApiError> {
    let view = seen(store, id, &author.name).await?;
    if view.is_changed_by(author) {
        Ok(view)
    } else {
        Err(ApiError::Forbidden("its owner, or an administrator"))
    }
}

fn tagged(view: View) -> Tagged {
    (etag(view.revision), Json(view))
}

/// The body of a call.
pub(super) struct Body<T>(T);

impl<S: Send + Sync, T: serde::de::DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        extract::json_body(request, state, "a view", super::BODY_LIMIT).await.map(Self)
    }
}
