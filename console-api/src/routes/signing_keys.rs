//! Keys that connectors sign their calls of nodes with.

use super::users::checked_name;
use crate::{
    actor::Admin,
    error::ApiError,
    extract::{self, Id, Query},
    paging::{Page, Slice},
    signing_key::{KeyDraft, KeyInfo, KeySecret, NewKey},
    store::Store,
};
use axum::{
    Json,
    extract::{FromRequest, Request, State},
    http::StatusCode,
};

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
    Draft(KeyDraft { name }): Draft,
) -> Result<(StatusCode, Json<NewKey>), ApiError> {
    let secret = KeySecret::generate();
    let info = store.add_signing_key(name, &secret, &author).await?.or_error("key", "keys")?;
    Ok((StatusCode::CREATED, Json(NewKey { info, secret: secret.reveal().to_owned() })))
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
    if store.delete_signing_key(id, &author).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::NotFound("key"))
    }
}

/// The body of a call.
pub(super) struct Draft(KeyDraft);

impl<S: Send + Sync> FromRequest<S> for Draft {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let draft: KeyDraft = extract::json_body(request, state, "a key", super::BODY_LIMIT).await?;
        checked_name(&draft.name)?;
        Ok(Self(draft))
    }
}
