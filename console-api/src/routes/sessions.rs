//! Who is signed in.

use crate::{
    access::{SESSION, Session},
    actor::{self, Admin},
    app::App,
    error::ApiError,
    extract::{self, Id, Query},
    pages::session::{cookie, is_https},
    paging::{Page, Slice},
    sign_in::{self, Opened, Source, is_ours},
    store::Store,
};
use axum::{
    Json,
    extract::{FromRequest, Request, State},
    http::{HeaderMap, HeaderName, StatusCode, header},
};
use serde::Deserialize;

/// Who signs in.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SignIn {
    user: String,
    password: String,
}

/// Who is signed in, the latest first.
#[utoipa::path(
    get,
    path = "/sessions",
    security(("token" = ["admin"])),
    params(Slice),
    responses((status = 200, description = "A page of sessions that have not ended.", body = Page<Session>))
)]
pub(super) async fn list(
    Admin(author): Admin,
    State(store): State<Store>,
    Query(slice): Query<Slice>,
) -> Result<Json<Page<Session>>, ApiError> {
    Ok(Json(store.sessions(&slice, author.at).await?))
}

/// Signs in. The session is a cookie (`HttpOnly`, `SameSite=Strict`) that ends after twelve hours; calls with it that change
/// something must come from the console's own pages.
#[utoipa::path(
    post,
    path = "/sessions",
    request_body(content = SignIn, example = json!({"user": "admin", "password": "correct horse battery"})),
    responses(
        (status = 201, description = "The session; the cookie is in `Set-Cookie`.", body = Session),
        (status = 401, description = "The name or the password is wrong."),
        (status = 429, description = "Too many tries.")
    )
)]
pub(super) async fn open(
    State(app): State<App>,
    Source(source): Source,
    headers: HeaderMap,
    Who(SignIn { user, password }): Who,
) -> Result<(StatusCode, [(HeaderName, String); 1], Json<Session>), ApiError> {
    let Opened { session, secret } = sign_in::by_password(&app, source, &user, password).await?;
    let cookie = cookie(secret.reveal(), SESSION.as_secs(), is_https(&headers));
    Ok((StatusCode::CREATED, [(header::SET_COOKIE, cookie)], Json(session)))
}

/// Signs out: ends the session of the cookie. Without one there is nothing to do.
#[utoipa::path(
    delete,
    path = "/sessions/current",
    responses(
        (status = 204, description = "Nobody is signed in with this cookie any more."),
        (status = 403, description = "Another site's page sent it.")
    )
)]
pub(super) async fn close(State(app): State<App>, headers: HeaderMap) -> Result<StatusCode, ApiError> {
    if let Some(session) = actor::session(&headers) {
        if !is_ours(&headers) {
            return Err(ApiError::Forbidden("a page of this console's"));
        }
        app.store.close_session(&session, app.clock.now()).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Signs somebody out.
#[utoipa::path(
    delete,
    path = "/sessions/{id}",
    security(("token" = ["admin"])),
    params(Id),
    responses((status = 204, description = "The session is over."))
)]
pub(super) async fn end(
    Admin(author): Admin,
    State(store): State<Store>,
    Id(id): Id,
) -> Result<StatusCode, ApiError> {
    if store.end_session(id, &author).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::NotFound("session"))
    }
}

/// The body of a call.
pub(super) struct Who(SignIn);

impl<S: Send + Sync> FromRequest<S> for Who {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        extract::json_body(request, state, "a name and a password", super::BODY_LIMIT).await.map(Self)
    }
}
