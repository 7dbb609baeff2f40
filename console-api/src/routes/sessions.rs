//! Sessions: list, sign in, sign out.

use crate::{
    access::Session,
    browser,
    clock::Clock,
    error::ApiError,
    extract::{Admin, Body, FromBody, Id, Query},
    paging::{Page, Slice},
    session_cookie,
    store::Store,
    transport::Client,
    use_cases::sign_in::{self, Opened},
};
use axum::{
    Extension, Json,
    extract::State,
    http::{HeaderMap, HeaderName, StatusCode},
};
use serde::Deserialize;

/// Credentials.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SignIn)]
pub(super) struct Credentials {
    user: String,
    password: String,
}

/// Lists active sessions, the latest first.
#[utoipa::path(
    get,
    path = "/sessions",
    security(("token" = ["admin"])),
    params(Slice),
    responses((status = 200, description = "A page of active sessions.", body = Page<Session>))
)]
pub(super) async fn list(
    Admin(author): Admin,
    State(store): State<Store>,
    Query(slice): Query<Slice>,
) -> Result<Json<Page<Session>>, ApiError> {
    Ok(Json(store.sessions(&slice, author.at).await?))
}

/// Signs in. The session is a cookie (`HttpOnly`, `SameSite=Strict`) that expires after twelve
/// hours; calls with it that change something must come from pages of the console.
#[utoipa::path(
    post,
    path = "/sessions",
    request_body(content = Credentials, example = json!({"user": "admin", "password": "correct horse battery"})),
    responses(
        (status = 201, description = "The session; the cookie is in `Set-Cookie`.", body = Session),
        (status = 401, description = "The name or the password is wrong."),
        (status = 403, description = "Sign-in with passwords is switched off."),
        (status = 429, description = "Too many sign-in attempts.")
    )
)]
pub(super) async fn open(
    State(sign_in): State<sign_in::SignIn>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
    Body(Credentials { user, password }): Body<Credentials>,
) -> Result<(StatusCode, [(HeaderName, String); 1], Json<Session>), ApiError> {
    let browser = browser::name(&headers);
    let Opened { session, secret } = sign_in.by_password(client.address, browser, &user, password).await?;
    Ok((StatusCode::CREATED, session_cookie::start(&secret, client.is_https), Json(session)))
}

/// Signs out: ends the session of the cookie, if there is one.
#[utoipa::path(
    delete,
    path = "/sessions/current",
    responses(
        (status = 204, description = "The session of the cookie is closed."),
        (status = 403, description = "A page of another site sent the call.")
    )
)]
pub(super) async fn close(
    State(store): State<Store>,
    State(clock): State<Clock>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    if let Some(session) = session_cookie::read(&headers) {
        if !session_cookie::is_same_origin(&headers, client.is_https) {
            return Err(ApiError::Forbidden("a page of this console"));
        }
        store.close_session(&session, clock.now()).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Ends a session.
#[utoipa::path(
    delete,
    path = "/sessions/{id}",
    security(("token" = ["admin"])),
    params(Id),
    responses((status = 204, description = "The session is closed."))
)]
pub(super) async fn end(
    Admin(author): Admin,
    State(store): State<Store>,
    Id(id): Id,
) -> Result<StatusCode, ApiError> {
    sign_in::end(&store, &author, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl FromBody for Credentials {
    const NAME: &'static str = "a name and a password";
}
