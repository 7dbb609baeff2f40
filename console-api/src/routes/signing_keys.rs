//! Signing keys of connectors.

use crate::{
    error::ApiError,
    extract::{Admin, Body, Id, Query},
    paging::{Page, Slice},
    signing_key::{KeyDraft, KeyInfo, NewKey},
    store::Store,
    use_cases::signing_keys,
};
use axum::{Json, extract::State, http::StatusCode};

/// Lists keys, the newest first, without secrets.
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
    Ok(Json(store.list(&slice).await?))
}

/// Adds a key. Only this response contains the secret; bundles are ordered with the id.
#[utoipa::path(
    post,
    path = "/connectors/keys",
    security(("token" = ["admin"])),
    request_body(content = KeyDraft, example = json!({"name": "shop, 2026"})),
    responses((status = 201, description = "The new key.", body = NewKey), (status = 409, description = "The limit of keys is reached."))
)]
pub(super) async fn add_signing_key(
    Admin(author): Admin,
    State(store): State<Store>,
    Body(draft): Body<KeyDraft>,
) -> Result<(StatusCode, Json<NewKey>), ApiError> {
    Ok((StatusCode::CREATED, Json(signing_keys::add(&store, &author, draft).await?)))
}

/// Deletes a key: new bundles cannot contain it. Nodes accept it until it is removed from their
/// configuration.
#[utoipa::path(
    delete,
    path = "/connectors/keys/{id}",
    security(("token" = ["admin"])),
    params(Id),
    responses((status = 204, description = "Deleted."))
)]
pub(super) async fn delete_signing_key(
    Admin(author): Admin,
    State(store): State<Store>,
    Id(id): Id,
) -> Result<StatusCode, ApiError> {
    signing_keys::delete(&store, &author, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
