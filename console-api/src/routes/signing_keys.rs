//! Keys that connectors sign their calls of nodes with.

use crate::{
    error::ApiError,
    extract::{Admin, Body, Id, Query},
    paging::{Page, Slice},
    signing_key::{KeyDraft, KeyInfo, NewKey},
    store::Store,
    use_cases::signing_keys,
};
use axum::{Json, extract::State, http::StatusCode};

/// The newest first, without the secrets.
#[utoipa::path(
    get,
    path = "/connectors/keys",
    security(("token" = ["admin"])),
    params(Slice),
    responses((status = 200, description = "A page of keys.", body = Page<KeyInfo>))
)]
pub(super) async fn signing_keys(
    _: Admin,
    State(store): State<Store>,
    Query(slice): Query<Slice>,
) -> Result<Json<Page<KeyInfo>>, ApiError> {
    Ok(Json(store.signing_keys(&slice).await?))
}

/// Makes a key. This answer is the only place where its secret is shown; bundles are ordered with its id.
#[utoipa::path(
    post,
    path = "/connectors/keys",
    security(("token" = ["admin"])),
    request_body(content = KeyDraft, example = json!({"name": "shop, 2026"})),
    responses((status = 201, description = "The new key.", body = NewKey), (status = 409, description = "There are too many keys."))
)]
pub(super) async fn add_signing_key(
    Admin(author): Admin,
    State(store): State<Store>,
    Body(draft): Body<KeyDraft>,
) -> Result<(StatusCode, Json<NewKey>), ApiError> {
    Ok((StatusCode::CREATED, Json(signing_keys::add(&store, &author, draft).await?)))
}

/// Forgets a key: no bundle is made with it any more. Nodes take it until it is taken out of their configuration.
#[utoipa::path(
    delete,
    path = "/connectors/keys/{id}",
    security(("token" = ["admin"])),
    params(Id),
    responses((status = 204, description = "It is gone."))
)]
pub(super) async fn delete_signing_key(
    Admin(author): Admin,
    State(store): State<Store>,
    Id(id): Id,
) -> Result<StatusCode, ApiError> {
    signing_keys::delete(&store, &author, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
