//! Users, who sign in with a password or at the OpenID provider.

use crate::{
    access::{User, UserDraft},
    error::ApiError,
    extract::{Admin, Body, Id, IfMatch, Named, Query, Tagged},
    paging::{Page, Slice},
    store::Store,
    use_cases::users,
};
use axum::{Json, extract::State, http::StatusCode};

/// Lists users, the newest first.
#[utoipa::path(
    get,
    path = "/users",
    security(("token" = ["admin"])),
    params(Slice),
    responses((status = 200, description = "A page of users.", body = Page<User>))
)]
pub(super) async fn list(
    _: Admin,
    State(store): State<Store>,
    Query(slice): Query<Slice>,
) -> Result<Json<Page<User>>, ApiError> {
    Ok(Json(store.list(&slice).await?))
}

/// A user.
#[utoipa::path(
    get,
    path = "/users/{id}",
    security(("token" = ["admin"])),
    params(Id),
    responses((status = 200, description = "The user; `ETag` is the revision.", body = User))
)]
pub(super) async fn one(_: Admin, Query(()): Query<()>, Named(user): Named<User>) -> Tagged<User> {
    Tagged(user)
}

/// Adds a user.
#[utoipa::path(
    post,
    path = "/users",
    security(("token" = ["admin"])),
    request_body(content = UserDraft, example = json!({"name": "ann", "role": "analyst", "password": "correct horse battery"})),
    responses(
        (status = 201, description = "The new user; `ETag` is the revision.", body = User),
        (status = 409, description = "The name is in use, or the limit of users is reached.")
    )
)]
pub(super) async fn add(
    Admin(author): Admin,
    State(store): State<Store>,
    Body(draft): Body<UserDraft>,
) -> Result<(StatusCode, Tagged<User>), ApiError> {
    Ok((StatusCode::CREATED, Tagged(users::add(&store, &author, draft).await?)))
}

/// Replaces a user, unless the revision changed. A new password ends all sessions of the user.
#[utoipa::path(
    put,
    path = "/users/{id}",
    security(("token" = ["admin"])),
    params(Id, IfMatch),
    request_body(content = UserDraft, example = json!({"name": "ann", "role": "admin"})),
    responses(
        (status = 200, description = "The replaced user; `ETag` is the revision.", body = User),
        (status = 409, description = "The name is in use, or the user is one of the OpenID provider.")
    )
)]
pub(super) async fn replace(
    Admin(author): Admin,
    State(store): State<Store>,
    Id(id): Id,
    IfMatch(revision): IfMatch,
    Body(draft): Body<UserDraft>,
) -> Result<Tagged<User>, ApiError> {
    users::replace(&store, &author, (id, revision), draft).await.map(Tagged)
}

/// Deletes a user, and ends all sessions of the user.
#[utoipa::path(
    delete,
    path = "/users/{id}",
    security(("token" = ["admin"])),
    params(Id, IfMatch),
    responses((status = 204, description = "Deleted."))
)]
pub(super) async fn delete(
    Admin(author): Admin,
    State(store): State<Store>,
    Id(id): Id,
    IfMatch(revision): IfMatch,
) -> Result<StatusCode, ApiError> {
    users::delete(&store, &author, (id, revision)).await?;
    Ok(StatusCode::NO_CONTENT)
}
