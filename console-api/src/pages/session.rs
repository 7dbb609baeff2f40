//! Signing in with a token, and out again.

use super::{PageError, render};
use crate::{
    actor::{self, SESSION_COOKIE},
    clock::Clock,
    store::Store,
    token::Token,
};
use askama::Template;
use axum::{
    Form,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use jiff::SignedDuration;
use serde::Deserialize;

/// A working day; then the token is asked for again.
const SESSION: SignedDuration = SignedDuration::from_hours(12);

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    /// Why the last try failed.
    refusal: Option<&'static str>,
}

pub(super) async fn form() -> Response {
    render(&SignInPage { refusal: None })
}

#[derive(Deserialize)]
pub(super) struct Credentials {
    #[serde(default)]
    token: String,
}

/// Trades a token for a session: the browser then keeps something that ends by itself.
pub(super) async fn sign_in(
    State(store): State<Store>,
    State(clock): State<Clock>,
    headers: HeaderMap,
    Form(credentials): Form<Credentials>,
) -> Result<Response, PageError> {
    let token = Token::presented(credentials.token.trim());
    let Some(actor) = store.actor_of_token(&token).await? else {
        return Ok(refuse("This token is not known."));
    };
    if !actor.role.may_read() {
        return Ok(refuse("This token is for nodes; it cannot read."));
    }
    let (session, now) = (Token::generate(), clock.now());
    store.open_session(&session, &token, now, now + SESSION).await?;
    tracing::info!(name = actor.name, role = actor.role.as_str(), "somebody signed in");
    let cookie = cookie(session.reveal(), SESSION.as_secs(), is_https(&headers));
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/attacks")).into_response())
}

fn refuse(reason: &'static str) -> Response {
    (StatusCode::FORBIDDEN, render(&SignInPage { refusal: Some(reason) })).into_response()
}

pub(super) async fn sign_out(State(store): State<Store>, headers: HeaderMap) -> Result<Response, PageError> {
    if let Some(session) = actor::session(&headers) {
        store.close_session(&session).await?;
    }
    let cookie = cookie("", 0, is_https(&headers));
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/sign-in")).into_response())
}

fn cookie(value: &str, max_age: i64, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!("{SESSION_COOKIE}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Strict{secure}")
}

/// Whether the browser came over TLS. Who makes this up only keeps their own cookie from plain HTTP.
fn is_https(headers: &HeaderMap) -> bool {
    headers.get("x-forwarded-proto").is_some_and(|scheme| scheme == "https")
}
