//! People who sign in with a password.

use crate::{
    access::{User, UserDraft},
    actor::{Admin, Role},
    error::ApiError,
    extract::{self, Id, IfMatch, Query, Tag, etag},
    paging::{Page, Slice},
    password::{Password, PasswordError},
    store::{Change, Store},
};
use axum::{
    Json,
    extract::{FromRequest, Request, State},
    http::StatusCode,
};
use uuid::Uuid;

type Tagged = (Tag, Json<User>);

/// The newest first.
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
    Ok(Json(store.users(&slice).await?))
}

/// A user.
#[utoipa::path(
    get,
    path = "/users/{id}",
    security(("token" = ["admin"])),
    params(Id),
    responses((status = 200, description = "The user; `ETag` is the revision.", body = User))
)]
pub(super) async fn one(
    _: Admin,
    State(store): State<Store>,
    Id(id): Id,
    Query(()): Query<()>,
) -> Result<Tagged, ApiError> {
    Ok(tagged(store.user(id).await?.ok_or(ApiError::NotFound("user"))?))
}

/// Adds a user, who can then sign in.
#[utoipa::path(
    post,
    path = "/users",
    security(("token" = ["admin"])),
    request_body(content = UserDraft, example = json!({"name": "ann", "role": "analyst", "password": "correct horse battery"})),
    responses(
        (status = 201, description = "The new user; `ETag` is the revision.", body = User),
        (status = 409, description = "There is a user of this name, or there are too many.")
    )
)]
pub(super) async fn add(
    Admin(author): Admin,
    State(store): State<Store>,
    Draft { name, role, password }: Draft,
) -> Result<(StatusCode, Tagged), ApiError> {
    let password =
        password.ok_or_else(|| ApiError::parameter("password", "`password` must be given for a new user"))?;
    let user = User { id: Uuid::now_v7(), name, role, revision: 1, created_at: author.at };
    let hash = password.hash().await.map_err(|cause| refused(&cause))?;
    let user = made(store.add_user(user, &hash, &author).await?)?;
    Ok((StatusCode::CREATED, tagged(user)))
}

/// Makes a user another, if nobody else has meanwhile. With another password, the user is signed out everywhere.
#[utoipa::path(
    put,
    path = "/users/{id}",
    security(("token" = ["admin"])),
    params(Id, IfMatch),
    request_body(content = UserDraft, example = json!({"name": "ann", "role": "admin"})),
    responses(
        (status = 200, description = "The user as it is now; `ETag` is the revision.", body = User),
        (status = 409, description = "There is another user of this name.")
    )
)]
pub(super) async fn replace(
    Admin(author): Admin,
    State(store): State<Store>,
    Id(id): Id,
    IfMatch(revision): IfMatch,
    Draft { name, role, password }: Draft,
) -> Result<Tagged, ApiError> {
    let hash = match password {
        Some(password) => Some(password.hash().await.map_err(|cause| refused(&cause))?),
        None => None,
    };
    let user = store.replace_user(revision, (id, name, role), hash.as_deref(), &author).await?;
    Ok(tagged(made(user)?))
}

/// Deletes a user, who is signed out at once.
#[utoipa::path(
    delete,
    path = "/users/{id}",
    security(("token" = ["admin"])),
    params(Id, IfMatch),
    responses((status = 204, description = "The user is gone."))
)]
pub(super) async fn delete(
    Admin(author): Admin,
    State(store): State<Store>,
    Id(id): Id,
    IfMatch(revision): IfMatch,
) -> Result<StatusCode, ApiError> {
    store.delete_user(id, revision, &author).await?.or_error("user", "users")?;
    Ok(StatusCode::NO_CONTENT)
}

fn made(change: Option<Change<User>>) -> Result<User, ApiError> {
    let taken = || ApiError::Conflict("there is another user of this name".to_owned());
    change.ok_or_else(taken)?.or_error("user", "users")
}

fn tagged(user: User) -> Tagged {
    (etag(user.revision), Json(user))
}

fn refused(cause: &PasswordError) -> ApiError {
    ApiError::parameter("password", cause.to_string())
}

/// The body of a call.
pub(super) struct Draft {
    name: String,
    role: Role,
    password: Option<Password>,
}

impl<S: Send + Sync> FromRequest<S> for Draft {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let draft: UserDraft = extract::json_body(request, state, "a user", super::BODY_LIMIT).await?;
        let UserDraft { name, role, password } = draft;
        checked_name(&name)?;
        if role == Role::Node {
            return Err(ApiError::parameter("role", "`role` must be admin, analyst or read_only"));
        }
        Ok(Self { name, role, password })
    }
}

/// Names of users and tokens stand in logs and on pages.
pub(super) fn checked_name(name: &str) -> Result<(), ApiError> {
    let fits = (1..=100).contains(&name.chars().count()) && !name.contains(char::is_control);
    let detail = "`name` must have 1 to 100 characters, and no control characters";
    if fits { Ok(()) } else { Err(ApiError::parameter("name", detail)) }
}
