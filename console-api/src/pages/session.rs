//! Signing in with a password or a token, and out again.

use super::{PageError, render};
use crate::{
    access::SESSION,
    actor::{self, SESSION_COOKIE},
    app::App,
    error::ApiError,
    sign_in::{self, Source, is_ours},
    token::Token,
};
use askama::Template;
use axum::{
    Form,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;

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
    user: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    token: String,
}

/// Trades a password or a token for a session: the browser then keeps something that ends by itself.
pub(super) async fn sign_in(
    State(app): State<App>,
    Source(source): Source,
    headers: HeaderMap,
    Form(credentials): Form<Credentials>,
) -> Result<Response, PageError> {
    if !is_ours(&headers) {
        return Ok(refuse(StatusCode::FORBIDDEN, "Submit this form from the console’s own page."));
    }
    let Credentials { user, password, token } = credentials;
    let opened = if user.is_empty() {
        sign_in::by_token(&app, source, &Token::presented(token.trim())).await
    } else {
        sign_in::by_password(&app, source, &user, password).await
    };
    match opened {
        Ok(opened) => {
            let cookie = cookie(opened.secret.reveal(), SESSION.as_secs(), is_https(&headers));
            Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/attacks")).into_response())
        }
        Err(error) => {
            let reason = match error {
                ApiError::Unauthorized => "Unknown token.",
                ApiError::WrongPassword => "Wrong user name or password.",
                ApiError::Forbidden(_) => "Node tokens cannot sign in.",
                ApiError::TooMany { .. } => "Too many sign-in attempts. Try again in a few minutes.",
                other => return Err(other.into()),
            };
            let status =
                if let ApiError::TooMany { .. } = error { error.status() } else { StatusCode::FORBIDDEN };
            let mut response = refuse(status, reason);
            if let Some(seconds) = error.retry_after() {
                response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
            }
            Ok(response)
        }
    }
}

fn refuse(status: StatusCode, reason: &'static str) -> Response {
    (status, render(&SignInPage { refusal: Some(reason) })).into_response()
}

pub(super) async fn sign_out(State(app): State<App>, headers: HeaderMap) -> Result<Response, PageError> {
    if let Some(session) = actor::session(&headers).filter(|_| is_ours(&headers)) {
        app.store.close_session(&session, app.clock.now()).await?;
    }
    let cookie = cookie("", 0, is_https(&headers));
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/sign-in")).into_response())
}

/// Leaves only the session of this browser.
pub(super) async fn sign_out_others(
    State(app): State<App>,
    headers: HeaderMap,
) -> Result<Redirect, PageError> {
    if let Some(session) = actor::session(&headers).filter(|_| is_ours(&headers)) {
        app.store.close_other_sessions(&session, app.clock.now()).await?;
    }
    Ok(Redirect::to("/settings"))
}

pub(crate) fn cookie(value: &str, max_age: i64, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!("{SESSION_COOKIE}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Strict{secure}")
}

/// Whether the browser came over TLS. Who makes this up only keeps their own cookie from plain HTTP.
pub(crate) fn is_https(headers: &HeaderMap) -> bool {
    headers.get("x-forwarded-proto").is_some_and(|scheme| scheme == "https")
}
