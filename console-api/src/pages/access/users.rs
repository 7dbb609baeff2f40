//! The page of users: list, add, change, delete.

use super::KnownRevision;
use crate::{
    access::{User, UserDraft},
    actor::Role,
    audit::Author,
    error::ApiError,
    extract::{Admin, Id, Query},
    pages::{form::Rejected, view},
    paging::{Page, Slice},
    password::Password,
    store::Store,
    use_cases::users,
};
use askama::Template;
use axum::{
    Form,
    extract::State,
    response::{IntoResponse as _, Redirect, Response},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Nodes do not sign in.
const ROLES: [Role; 3] = [Role::Admin, Role::Analyst, Role::ReadOnly];

#[derive(Template)]
#[template(path = "users.html")]
struct UsersPage {
    page: Page<User>,
    /// The id of the current user.
    own: Option<Uuid>,
    rejected: Rejected,
}

impl UsersPage {
    fn is_own(&self, user: &User) -> bool {
        self.own == Some(user.id)
    }
}

pub(in crate::pages) async fn list(
    Admin(author): Admin,
    State(store): State<Store>,
    Query(slice): Query<Slice>,
) -> Result<Response, ApiError> {
    page(&store, &author, &slice, Rejected::default()).await
}

async fn page(
    store: &Store,
    author: &Author,
    slice: &Slice,
    rejected: Rejected,
) -> Result<Response, ApiError> {
    let page = UsersPage { page: store.list(slice).await?, own: author.id, rejected };
    Ok(page.rejected.respond(&page))
}

/// The form of a user.
#[derive(Serialize, Deserialize)]
pub(in crate::pages) struct UserForm {
    name: String,
    role: Role,
    /// Empty: unchanged.
    password: String,
    #[serde(default)]
    revision: u32,
}

impl UserForm {
    fn draft(&self) -> Result<UserDraft, ApiError> {
        let password = Some(self.password.clone()).filter(|password| !password.is_empty());
        let password = password.map(Password::parse).transpose()?;
        Ok(UserDraft { name: self.name.trim().to_owned(), role: self.role, password })
    }
}

pub(in crate::pages) async fn add(
    Admin(author): Admin,
    State(store): State<Store>,
    Form(form): Form<UserForm>,
) -> Result<Response, ApiError> {
    let added = async { users::add(&store, &author, form.draft()?).await };
    respond(added.await, &store, &author, (&form, None)).await
}

pub(in crate::pages) async fn replace(
    Admin(author): Admin,
    State(store): State<Store>,
    Id(id): Id,
    Form(form): Form<UserForm>,
) -> Result<Response, ApiError> {
    let replaced = async { users::replace(&store, &author, (id, form.revision), form.draft()?).await };
    respond(replaced.await, &store, &author, (&form, Some(id))).await
}

/// The list, or the form with its error.
async fn respond(
    changed: Result<User, ApiError>,
    store: &Store,
    author: &Author,
    (form, id): (&UserForm, Option<Uuid>),
) -> Result<Response, ApiError> {
    match changed {
        Ok(_) => Ok(Redirect::to("/users").into_response()),
        Err(error) => page(store, author, &Slice::default(), Rejected::new(form, id, error)?).await,
    }
}

pub(in crate::pages) async fn delete(
    Admin(author): Admin,
    State(store): State<Store>,
    Id(id): Id,
    Form(KnownRevision { revision }): Form<KnownRevision>,
) -> Result<Redirect, ApiError> {
    users::delete(&store, &author, (id, revision)).await?;
    Ok(Redirect::to("/users"))
}
