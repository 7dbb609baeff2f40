//! Sign-in with a password or a token, and sign-out.

pub(super) mod oidc;

use super::render;
use crate::{
    browser, clock::Clock, error::ApiError, oidc::Oidc, session_cookie, store::Store, token::Token,
    transport::Client, use_cases::sign_in::SignIn,
};
use askama::Template;
use axum::{
    Extension, Form,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use form_urlencoded::Serializer;
use serde::Deserialize;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    /// Why the last attempt failed.
    refusal: Option<String>,
    /// The page to return to.
    to: String,
    /// The label and the address of the sign-in at the OpenID provider.
    provider: Option<(String, String)>,
    passwords: bool,
}

impl SignInPage {
    fn new(oidc: Option<&Oidc>, refusal: Option<String>, to: String) -> Self {
        let provider = oidc.map(|oidc| (oidc.button().to_owned(), address("/sign-in/oidc", Some(&to))));
        Self { refusal, to, provider, passwords: oidc.is_none_or(Oidc::allows_passwords) }
    }
}

/// The page that a sign-in leads to by default.
const START: &str = "/attacks";

/// The address of the sign-in page, for a page that needs a session.
pub(super) fn sign_in_for(page: Option<&str>) -> String {
    address("/sign-in", page)
}

/// The address of a sign-in that leads to a page.
fn address(sign_in: &str, page: Option<&str>) -> String {
    match page.filter(|page| is_page(page) && *page != START && *page != "/") {
        Some(page) => {
            let query = Serializer::new(String::new()).append_pair("to", page).finish();
            format!("{sign_in}?{query}")
        }
        None => sign_in.to_owned(),
    }
}

/// Whether a path leads to a page of this console. Browsers take `//` and `/\` for another host.
fn is_page(path: &str) -> bool {
    let own = path.starts_with('/') && !path.starts_with("//") && !path.contains(['\\', '\r', '\n', '\t']);
    own && !["/sign-in", "/sign-out", "/alerts"].iter().any(|other| path.starts_with(other))
}

#[derive(Deserialize)]
pub(super) struct Target {
    #[serde(default)]
    to: String,
}

pub(super) async fn form(State(sign_in): State<SignIn>, Query(Target { to }): Query<Target>) -> Response {
    render(&SignInPage::new(sign_in.oidc.as_ref(), None, to))
}

#[derive(Deserialize)]
pub(super) struct Credentials {
    #[serde(default)]
    user: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    token: String,
    /// The page to return to.
    #[serde(default)]
    to: String,
}

/// Opens a session for a password or a token: the browser stores a secret that expires.
pub(super) async fn sign_in(
    State(sign_in): State<SignIn>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
    Form(credentials): Form<Credentials>,
) -> Result<Response, ApiError> {
    if !session_cookie::is_same_origin(&headers, client.is_https) {
        let error = ApiError::Refused("Submit this form from the console’s own page.".to_owned());
        return refuse(sign_in.oidc.as_ref(), error, String::new());
    }
    let Credentials { user, password, token, to } = credentials;
    let browser = browser::name(&headers);
    let opened = if user.is_empty() {
        sign_in.by_token(client.address, browser, &Token::presented(token.trim())).await
    } else {
        sign_in.by_password(client.address, browser, &user, password).await
    };
    match opened {
        Ok(opened) => {
            let cookie = session_cookie::start(&opened.secret, client.is_https);
            Ok((cookie, Redirect::to(target(&to))).into_response())
        }
        Err(error) => refuse(sign_in.oidc.as_ref(), error, to),
    }
}

/// The page that a sign-in leads to.
fn target(to: &str) -> &str {
    if is_page(to) { to } else { START }
}

/// The sign-in page with the reason of a failed attempt.
fn refuse(oidc: Option<&Oidc>, error: ApiError, to: String) -> Result<Response, ApiError> {
    let (status, retry_after) = (error.status(), error.retry_after());
    let (status, reason) = match error {
        ApiError::Unauthorized => (StatusCode::FORBIDDEN, "Unknown token.".to_owned()),
        ApiError::WrongPassword => (StatusCode::FORBIDDEN, "Wrong user name or password.".to_owned()),
        ApiError::Forbidden(_) => (status, "Node tokens cannot sign in.".to_owned()),
        ApiError::TooMany { .. } => {
            (status, "Too many sign-in attempts. Try again in a few minutes.".to_owned())
        }
        ApiError::Refused(reason) => (status, reason),
        ApiError::Provider(reason) => (status, reason.to_owned()),
        other => return Err(other),
    };
    let mut response = (status, render(&SignInPage::new(oidc, Some(reason), to))).into_response();
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    Ok(response)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_in_returns_only_to_pages_of_this_console() {
        for page in ["/rules", "/attacks?q=type%3Asqli&from=-24h", "/hits/1"] {
            assert!(is_page(page), "{page}");
        }
        for other in
            ["", "//evil.example/", "/\\evil.example", "https://evil.example/", "/\t/evil", "/sign-out"]
        {
            assert!(!is_page(other), "{other:?}");
        }
        assert_eq!(sign_in_for(Some("/rules?a=b&c")), "/sign-in?to=%2Frules%3Fa%3Db%26c");
        assert_eq!(sign_in_for(Some("/attacks")), "/sign-in");
    }
}
