//! The caller's own account: sessions and password.

use crate::{
    access::{Account, PasswordChange},
    clock::Clock,
    error::ApiError,
    extract::{Body, FromBody, Id, Query, Reader},
    session_cookie,
    store::Store,
    transport::Client,
    use_cases::sign_in::{self, SignIn},
};
use axum::{
    Extension, Json,
    extract::State,
    http::{HeaderMap, StatusCode},
};

/// The account of the caller, with its active sessions.
#[utoipa::path(
    get,
    path = "/account",
    security(("token" = ["reader"])),
    responses((status = 200, description = "The account.", body = Account))
)]
pub(super) async fn one(
    Reader(actor): Reader,
    State(store): State<Store>,
    State(clock): State<Clock>,
    State(sign_in): State<SignIn>,
    Query(()): Query<()>,
) -> Result<Json<Account>, ApiError> {
    let sessions = store.sessions_of(actor.id, clock.now()).await?;
    let is_user = sign_in.has_password(actor.id).await?;
    Ok(Json(Account { id: actor.id, name: actor.name, role: actor.role, is_user, sessions }))
}

/// Replaces the password of the caller, and ends the other sessions of the caller.
#[utoipa::path(
    put,
    path = "/account/password",
    security(("token" = ["reader"])),
    request_body(content = PasswordChange, example = json!({"current": "correct horse battery", "password": "staple of the correct horse"})),
    responses(
        (status = 204, description = "The new password is valid."),
        (status = 429, description = "Too many attempts with a wrong password.")
    )
)]
pub(super) async fn change_password(
    Reader(actor): Reader,
    State(sign_in): State<SignIn>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
    Body(change): Body<PasswordChange>,
) -> Result<StatusCode, ApiError> {
    let own = session_cookie::read(&headers);
    sign_in.change_password(client.address, &actor, own.as_ref(), change).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends a session of the caller.
#[utoipa::path(
    delete,
    path = "/account/sessions/{id}",
    security(("token" = ["reader"])),
    params(Id),
    responses((status = 204, description = "The session is closed."))
)]
pub(super) async fn end_session(
    Reader(actor): Reader,
    State(store): State<Store>,
    State(clock): State<Clock>,
    Id(id): Id,
) -> Result<StatusCode, ApiError> {
    sign_in::end_own(&store, actor, clock.now(), id).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl FromBody for PasswordChange {
    const NAME: &'static str = "the current and the new password";
}
