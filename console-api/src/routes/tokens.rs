//! Access tokens.

use crate::{
    access::{NewToken, TokenDraft, TokenInfo},
    error::ApiError,
    extract::{Admin, Body, Id, Query},
    paging::{Page, Slice},
    store::Store,
    use_cases::tokens,
};
use axum::{Json, extract::State, http::StatusCode};

/// Lists tokens, the newest first, including those of token files and the command line. Only
/// digests of secrets are stored.
#[utoipa::path(
    get,
    path = "/tokens",
    security(("token" = ["admin"])),
    params(Slice),
    responses((status = 200, description = "A page of tokens.", body = Page<TokenInfo>))
)]
pub(super) async fn list(
    _: Admin,
    State(store): State<Store>,
    Query(slice): Query<Slice>,
) -> Result<Json<Page<TokenInfo>>, ApiError> {
    Ok(Json(store.list(&slice).await?))
}

/// Issues a token. Only this response contains its secret.
#[utoipa::path(
    post,
    path = "/tokens",
    security(("token" = ["admin"])),
    request_body(content = TokenDraft, example = json!({"name": "node-2", "role": "node"})),
    responses((status = 201, description = "The new token.", body = NewToken))
)]
pub(super) async fn add(
    Admin(author): Admin,
    State(store): State<Store>,
    Body(draft): Body<TokenDraft>,
) -> Result<(StatusCode, Json<NewToken>), ApiError> {
    Ok((StatusCode::CREATED, Json(tokens::issue(&store, &author, draft).await?)))
}

/// Revokes a token, and ends its sessions.
#[utoipa::path(
    delete,
    path = "/tokens/{id}",
    security(("token" = ["admin"])),
    params(Id),
    responses((status = 204, description = "Revoked."))
)]
pub(super) async fn delete(
    Admin(author): Admin,
    State(store): State<Store>,
    Id(id): Id,
) -> Result<StatusCode, ApiError> {
    tokens::revoke(&store, &author, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
