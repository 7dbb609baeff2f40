//! People who sign in with a password: listed, added, changed, deleted.

use super::{Administrator, Known};
use crate::{
    access::User,
    actor::Role,
    error::ApiError,
    extract::{Id, Query},
    pages::{PageError, change::Api, render, view},
    paging::{Page, Slice},
    store::Store,
};
use askama::Template;
use axum::{
    Form,
    extract::State,
    http::Method,
    response::{Redirect, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};

/// Nodes do not sign in.
const ROLES: [Role; 3] = [Role::Admin, Role::Analyst, Role::ReadOnly];

#[derive(Template)]
#[template(path = "users.html")]
struct UsersPage {
    page: Page<User>,
    /// Who looks at it.
    name: String,
}

pub(in crate::pages) async fn list(
    Administrator(actor): Administrator,
    State(store): State<Store>,
    slice: Result<Query<Slice>, ApiError>,
) -> Result<Response, PageError> {
    let Query(slice) = slice?;
    Ok(render(&UsersPage { page: store.users(&slice).await?, name: actor.name }))
}

/// A user as the form has it.
#[derive(Deserialize)]
pub(in crate::pages) struct UserForm {
    name: String,
    role: String,
    /// Empty: it stays.
    password: String,
    #[serde(default)]
    revision: u32,
}

impl UserForm {
    fn draft(&self) -> Value {
        let mut draft = json!({"name": self.name.trim(), "role": self.role});
        if !self.password.is_empty() {
            draft["password"] = json!(self.password);
        }
        draft
    }
}

pub(in crate::pages) async fn add(api: Api, Form(form): Form<UserForm>) -> Result<Redirect, PageError> {
    api.post("/users", &form.draft()).await?;
    Ok(Redirect::to("/users"))
}

pub(in crate::pages) async fn replace(
    api: Api,
    id: Result<Id, ApiError>,
    Form(form): Form<UserForm>,
) -> Result<Redirect, PageError> {
    let Id(id) = id?;
    api.change(Method::PUT, &format!("/users/{id}"), Some(&form.draft()), form.revision).await?;
    Ok(Redirect::to("/users"))
}

pub(in crate::pages) async fn delete(
    api: Api,
    id: Result<Id, ApiError>,
    Form(Known { revision }): Form<Known>,
) -> Result<Redirect, PageError> {
    let Id(id) = id?;
    api.change(Method::DELETE, &format!("/users/{id}"), None, revision).await?;
    Ok(Redirect::to("/users"))
}
