//! Tokens for programs: listed, made and shown once, taken back.

use super::Administrator;
use crate::{
    access::TokenInfo,
    clock::Clock,
    error::ApiError,
    extract::{Id, Query},
    pages::{PageError, change::Api, render, view},
    paging::{Page, Slice},
    store::Store,
};
use askama::Template;
use axum::{
    Form,
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::json;

#[derive(Template)]
#[template(path = "tokens.html")]
struct TokensPage {
    page: Page<TokenInfo>,
    now: Timestamp,
    /// What was just made: its name and its secret, which is not shown again.
    made: Option<(String, String)>,
}

impl TokensPage {
    fn has_ended(&self, token: &TokenInfo) -> bool {
        token.expires_at.is_some_and(|end| end <= self.now)
    }
}

pub(in crate::pages) async fn list(
    _: Administrator,
    State(store): State<Store>,
    State(clock): State<Clock>,
    slice: Result<Query<Slice>, ApiError>,
) -> Result<Response, PageError> {
    let Query(slice) = slice?;
    Ok(render(&TokensPage { page: store.tokens(&slice).await?, now: clock.now(), made: None }))
}

#[derive(Deserialize)]
pub(in crate::pages) struct TokenForm {
    name: String,
    role: String,
    /// Days; none: for good.
    r#for: u32,
}

/// Makes a token, and answers the page with it: an address to go on to could be opened again.
pub(in crate::pages) async fn add(
    api: Api,
    State(store): State<Store>,
    Form(form): Form<TokenForm>,
) -> Result<Response, PageError> {
    let now = api.now();
    let days = SignedDuration::from_hours(24 * i64::from(form.r#for));
    let end = now.checked_add(days).ok().filter(|_| form.r#for > 0);
    let draft = json!({"name": form.name.trim(), "role": form.role, "expires_at": end});
    let made = api.post("/tokens", &draft).await?;
    let text = |name: &str| made[name].as_str().unwrap_or_default().to_owned();
    let made = Some((text("name"), text("token")));
    let page = store.tokens(&Slice::default()).await?;
    Ok((StatusCode::CREATED, render(&TokensPage { page, now, made })).into_response())
}

pub(in crate::pages) async fn delete(api: Api, id: Result<Id, ApiError>) -> Result<Redirect, PageError> {
    let Id(id) = id?;
    api.delete(&format!("/tokens/{id}")).await?;
    Ok(Redirect::to("/tokens"))
}
