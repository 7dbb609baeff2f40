//! Access tokens: issue, revoke.

use crate::{
    access::{NewToken, TokenDraft, TokenInfo},
    audit::Author,
    error::ApiError,
    store::Store,
    token::Token,
    validation,
};
use uuid::Uuid;

/// Issues a token. Only its digest is stored: the secret cannot be read again.
pub async fn issue(store: &Store, author: &Author, draft: TokenDraft) -> Result<NewToken, ApiError> {
    let TokenDraft { name, role, expires_at } = draft;
    validation::name(&name)?;
    validation::in_future(expires_at, author.at)?;
    let info = TokenInfo { id: Uuid::now_v7(), name, role, created_at: author.at, expires_at };
    let token = Token::generate();
    let info = store.issue_token(&token, info, author).await?;
    Ok(NewToken { info, token: token.reveal().to_owned() })
}

/// Revokes a token and ends its sessions.
pub async fn revoke(store: &Store, author: &Author, id: Uuid) -> Result<(), ApiError> {
    Ok(store.revoke_token(id, author).await?)
}
