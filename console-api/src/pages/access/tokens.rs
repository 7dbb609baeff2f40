//! The page of tokens: list, issue, revoke.

use crate::{
    access::{TokenDraft, TokenInfo},
    actor::Role,
    error::ApiError,
    extract::{Admin, Id, Query},
    pages::{ip_lists, render, view},
    paging::{Page, Slice},
    store::Store,
    use_cases::tokens,
};
use askama::Template;
use axum::{
    Form,
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use jiff::Timestamp;
use serde::Deserialize;

#[derive(Template)]
#[template(path = "tokens.html")]
struct TokensPage {
    page: Page<TokenInfo>,
    now: Timestamp,
    /// The name and the secret of a new token.
    made: Option<(String, String)>,
}

impl TokensPage {
    fn has_ended(&self, token: &TokenInfo) -> bool {
        token.expires_at.is_some_and(|end| end <= self.now)
    }
}

pub(in crate::pages) async fn list(
    Admin(author): Admin,
    State(store): State<Store>,
    Query(slice): Query<Slice>,
) -> Result<Response, ApiError> {
    Ok(render(&TokensPage { page: store.list(&slice).await?, now: author.at, made: None }))
}

#[derive(Deserialize)]
pub(in crate::pages) struct TokenForm {
    name: String,
    role: Role,
    /// Days; 0: no end.
    r#for: u32,
}

/// Issues a token, and shows its secret in the response: the address of a page could be opened
/// again.
pub(in crate::pages) async fn add(
    Admin(author): Admin,
    State(store): State<Store>,
    Form(TokenForm { name, role, r#for: days }): Form<TokenForm>,
) -> Result<Response, ApiError> {
    let expires_at = ip_lists::end(author.at, days.saturating_mul(24));
    let draft = TokenDraft { name: name.trim().to_owned(), role, expires_at };
    let new = tokens::issue(&store, &author, draft).await?;
    let made = Some((new.info.name, new.token));
    let page = store.list(&Slice::default()).await?;
    Ok((StatusCode::CREATED, render(&TokensPage { page, now: author.at, made })).into_response())
}

pub(in crate::pages) async fn delete(
    Admin(author): Admin,
    State(store): State<Store>,
    Id(id): Id,
) -> Result<Redirect, ApiError> {
    tokens::revoke(&store, &author, id).await?;
    Ok(Redirect::to("/tokens"))
}
