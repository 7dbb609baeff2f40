//! Sign-in at the OpenID provider: the redirect to it, and the one back.

use super::{Target, is_page, refuse, target};
use crate::{
    app::App,
    browser,
    error::{ApiError, with_sources},
    oidc::{Answer, Oidc, SignInAttempt},
    pages::render,
    session_cookie,
    transport::Client,
    use_cases::sign_in::SignIn,
};
use askama::Template;
use axum::{
    Extension,
    extract::{Query, State, rejection::QueryRejection},
    http::HeaderMap,
    response::{AppendHeaders, IntoResponse as _, Redirect, Response},
};

/// The page after a sign-in, which leads on. A redirect would not do: browsers send no
/// `SameSite=Strict` cookie to where another site has sent them.
#[derive(Template)]
#[template(path = "signed_in.html")]
struct SignedInPage {
    to: String,
}

/// Sends the browser to the provider.
pub(in crate::pages) async fn begin(
    State(app): State<App>,
    Extension(client): Extension<Client>,
    Query(Target { to }): Query<Target>,
) -> Result<Response, ApiError> {
    let oidc = configured(&app)?;
    let page = if is_page(&to) { to.as_str() } else { "" };
    match oidc.begin(page, app.clock.now()).await {
        Ok((address, attempt)) => {
            let cookie = session_cookie::start_attempt(&attempt.seal(app.store.keys()), client.is_https);
            Ok((cookie, Redirect::to(address.as_str())).into_response())
        }
        Err(error) => {
            tracing::warn!(error = with_sources(&error), "cannot begin a sign-in at the OpenID provider");
            refuse(Some(oidc), ApiError::Provider(error.sentence()), to)
        }
    }
}

/// Opens a session for the user whom the provider has authenticated.
pub(in crate::pages) async fn callback(
    State(app): State<App>,
    State(sign_in): State<SignIn>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
    answer: Result<Query<Answer>, QueryRejection>,
) -> Result<Response, ApiError> {
    let oidc = configured(&app)?;
    let cookie = session_cookie::attempt(&headers);
    let attempt = cookie.and_then(|cookie| SignInAttempt::open(app.store.keys(), cookie, app.clock.now()));
    let answer = answer.map(|Query(answer)| answer).unwrap_or_default();
    let browser = browser::name(&headers);
    let opened = sign_in.by_provider(oidc, (client.address, browser), attempt.as_ref(), answer).await;
    let to = attempt.map(|attempt| attempt.to).unwrap_or_default();
    let [ended] = session_cookie::end_attempt(client.is_https);
    match opened {
        Ok(opened) => {
            let [started] = session_cookie::start(&opened.secret, client.is_https);
            let page = render(&SignedInPage { to: target(&to).to_owned() });
            Ok((AppendHeaders([ended, started]), page).into_response())
        }
        Err(error) => Ok((AppendHeaders([ended]), refuse(Some(oidc), error, to)?).into_response()),
    }
}

fn configured(app: &App) -> Result<&Oidc, ApiError> {
    app.oidc.as_ref().ok_or_else(|| ApiError::not_found("page", "/sign-in/oidc"))
}
