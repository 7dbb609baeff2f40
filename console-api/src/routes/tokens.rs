//! Tokens for programs.

use crate::{
    access::{NewToken, TokenDraft, TokenInfo},
    error::ApiError,
    extract::{Admin, Body, Id, Query},
    paging::{Page, Slice},
    store::Store,
    use_cases::tokens,
};
use axum::{Json, extract::State, http::StatusCode};

/// The newest first, those of token files and of the command line too. Without the secrets, of which only digests are kept.
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
    Ok(Json(store.tokens(&slice).await?))
}

/// Makes a token. This answer is the only place where it is shown.
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

/// Takes a token back. Who signed in with it is signed out.
#[utoipa::path(
    delete,
    path = "/tokens/{id}",
    security(("token" = ["admin"])),
    params(Id),
    responses((status = 204, description = "It is gone."))
)]
pub(super) async fn delete(
    Admin(author): Admin,
    State(store): State<Store>,
    Id(id): Id,
) -> Result<StatusCode, ApiError> {
    tokens::revoke(&store, &author, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
