//! The page of users: list, add, change, delete.

use super::KnownRevision;
use crate::{
    access::{User, UserDraft},
    actor::Role,
    error::ApiError,
    extract::{Admin, Id, Query},
    pages::{render, view},
    paging::{Page, Slice},
    password::Password,
    store::Store,
    use_cases::users,
};
use askama::Template;
use axum::{
    Form,
    extract::State,
    response::{Redirect, Response},
};
use serde::Deserialize;

/// Nodes do not sign in.
const ROLES: [Role; 3] = [Role::Admin, Role::Analyst, Role::ReadOnly];

#[derive(Template)]
#[template(path = "users.html")]
struct UsersPage {
    page: Page<User>,
    /// The name of the current user.
    name: String,
}

pub(in crate::pages) async fn list(
    Admin(author): Admin,
    State(store): State<Store>,
    Query(slice): Query<Slice>,
) -> Result<Response, ApiError> {
    Ok(render(&UsersPage { page: store.list(&slice).await?, name: author.name }))
}

/// The form of a user.
#[derive(Deserialize)]
pub(in crate::pages) struct UserForm {
    name: String,
    role: Role,
    /// Empty: unchanged.
    password: String,
    #[serde(default)]
    revision: u32,
}

impl UserForm {
    fn draft(self) -> Result<UserDraft, ApiError> {
        let password = Some(self.password).filter(|password| !password.is_empty());
        let password = password.map(Password::parse).transpose()?;
        Ok(UserDraft { name: self.name.trim().to_owned(), role: self.role, password })
    }
}

pub(in crate::pages) async fn add(
    Admin(author): Admin,
    State(store): State<Store>,
    Form(form): Form<UserForm>,
) -> Result<Redirect, ApiError> {
    users::add(&store, &author, form.draft()?).await?;
    Ok(Redirect::to("/users"))
}

pub(in crate::pages) async fn replace(
    Admin(author): Admin,
    State(store): State<Store>,
    Id(id): Id,
    Form(form): Form<UserForm>,
) -> Result<Redirect, ApiError> {
    let known = (id, form.revision);
    users::replace(&store, &author, known, form.draft()?).await?;
    Ok(Redirect::to("/users"))
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
