//! Sign-in with a password or a token, and sign-out.

use super::render;
use crate::{
    clock::Clock, error::ApiError, session_cookie, store::Store, token::Token, transport::Client,
    use_cases::sign_in::SignIn,
};
use askama::Template;
use axum::{
    Extension, Form,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    /// Why the last attempt failed.
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

/// Opens a session for a password or a token: the browser stores a secret that expires.
pub(super) async fn sign_in(
    State(sign_in): State<SignIn>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
    Form(credentials): Form<Credentials>,
) -> Result<Response, ApiError> {
    if !session_cookie::is_same_origin(&headers, client.is_https) {
        return Ok(refuse(StatusCode::FORBIDDEN, "Submit this form from the console’s own page."));
    }
    let Credentials { user, password, token } = credentials;
    let opened = if user.is_empty() {
        sign_in.by_token(client.address, &Token::presented(token.trim())).await
    } else {
        sign_in.by_password(client.address, &user, password).await
    };
    match opened {
        Ok(opened) => {
            let cookie = session_cookie::start(&opened.secret, client.is_https);
            Ok((cookie, Redirect::to("/attacks")).into_response())
        }
        Err(error) => {
            let reason = match error {
                ApiError::Unauthorized => "Unknown token.",
                ApiError::WrongPassword => "Wrong user name or password.",
                ApiError::Forbidden(_) => "Node tokens cannot sign in.",
                ApiError::TooMany { .. } => "Too many sign-in attempts. Try again in a few minutes.",
                other => return Err(other),
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

pub(super) async fn sign_out(
    State(store): State<Store>,
    State(clock): State<Clock>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    if let Some(session) = own_session(&headers, client) {
        store.close_session(&session, clock.now()).await?;
    }
    Ok((session_cookie::end(client.is_https), Redirect::to("/sign-in")).into_response())
}

/// Ends all sessions of this user but that of this browser.
pub(super) async fn sign_out_others(
    State(store): State<Store>,
    State(clock): State<Clock>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
) -> Result<Redirect, ApiError> {
    if let Some(session) = own_session(&headers, client) {
        store.close_other_sessions(&session, clock.now()).await?;
    }
    Ok(Redirect::to("/settings"))
}

/// The session of a request that a page of this console sent.
fn own_session(headers: &HeaderMap, client: Client) -> Option<Token> {
    session_cookie::read(headers).filter(|_| session_cookie::is_same_origin(headers, client.is_https))
}
