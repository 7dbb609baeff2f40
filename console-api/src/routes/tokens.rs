//! Tokens for programs.

use super::users::checked_name;
use crate::{
    access::{NewToken, TokenDraft, TokenInfo},
    actor::Admin,
    error::ApiError,
    extract::{self, Id, Query},
    paging::{Page, Slice},
    store::Store,
    token::Token,
};
use axum::{
    Json,
    extract::{FromRequest, Request, State},
    http::StatusCode,
};
use uuid::Uuid;

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
    Draft(TokenDraft { name, role, expires_at }): Draft,
) -> Result<(StatusCode, Json<NewToken>), ApiError> {
    if expires_at.is_some_and(|end| end <= author.at) {
        return Err(ApiError::parameter("expires_at", "`expires_at` must be in the future"));
    }
    let info = TokenInfo { id: Uuid::now_v7(), name, role, created_at: author.at, expires_at };
    let token = Token::generate();
    store.issue_token(&token, &info, &author).await?;
    Ok((StatusCode::CREATED, Json(NewToken { info, token: token.reveal().to_owned() })))
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
    if store.revoke_token(id, &author).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::NotFound("token"))
    }
}

/// The body of a call.
pub(super) struct Draft(TokenDraft);

impl<S: Send + Sync> FromRequest<S> for Draft {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let draft: TokenDraft = extract::json_body(request, state, "a token", super::BODY_LIMIT).await?;
        checked_name(&draft.name)?;
        Ok(Self(draft))
    }
}
