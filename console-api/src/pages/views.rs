//! Searches that people keep: listed, saved, renamed, deleted.

use super::{PageError, access::Known, change::Api, render, search, view};
use crate::{
    actor::{Actor, Role, Visitor},
    error::ApiError,
    extract::{Id, Query},
    paging::{Page, Slice},
    store::Store,
    view::{View, ViewDraft},
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

#[derive(Template)]
#[template(path = "views.html")]
struct ViewsPage {
    page: Page<View>,
    actor: Actor,
}

impl ViewsPage {
    fn may_change(&self, view: &View) -> bool {
        let is_own = view.owner == self.actor.name && self.actor.role.can_edit();
        is_own || self.actor.role == Role::Admin
    }

    /// What is searched, in one line.
    fn search(view: &View) -> String {
        let ViewDraft { query, group_by, sort, from, to, .. } = &view.draft;
        let parts = [("", query), ("by ", group_by), ("sorted by ", sort), ("since ", from), ("until ", to)];
        let given = parts.into_iter().filter(|(_, value)| !value.is_empty());
        given.map(|(word, value)| format!("{word}{value}")).collect::<Vec<_>>().join(" · ")
    }
}

pub(super) async fn list(
    Visitor(actor): Visitor,
    State(store): State<Store>,
    slice: Result<Query<Slice>, ApiError>,
) -> Result<Response, PageError> {
    let Query(slice) = slice?;
    Ok(render(&ViewsPage { page: store.views(&actor.name, &slice).await?, actor }))
}

/// A search and its name, as the form beside the list has them.
#[derive(Debug, Deserialize)]
pub(super) struct ViewForm {
    name: String,
    query: String,
    group_by: String,
    sort: String,
    from: String,
    to: String,
    #[serde(default)]
    shared: bool,
}

/// Keeps a search, and goes back to it.
pub(super) async fn add(api: Api, Form(form): Form<ViewForm>) -> Result<Redirect, PageError> {
    let ViewForm { name, query, group_by, sort, from, to, shared } = form;
    let draft = ViewDraft { name: name.trim().to_owned(), query, group_by, sort, from, to, shared };
    api.post("/views", &json!(draft)).await?;
    Ok(Redirect::to(&format!("/attacks?{}", search::of_view(&draft))))
}

#[derive(Debug, Deserialize)]
pub(super) struct Renamed {
    name: String,
    #[serde(default)]
    shared: bool,
    revision: u32,
}

pub(super) async fn change(
    api: Api,
    id: Result<Id, ApiError>,
    Form(form): Form<Renamed>,
) -> Result<Redirect, PageError> {
    let body = json!({"name": form.name.trim(), "shared": form.shared});
    call(&api, Method::PATCH, id, Some(&body), form.revision).await
}

pub(super) async fn delete(
    api: Api,
    id: Result<Id, ApiError>,
    Form(form): Form<Known>,
) -> Result<Redirect, PageError> {
    call(&api, Method::DELETE, id, None, form.revision).await
}

async fn call(
    api: &Api,
    method: Method,
    id: Result<Id, ApiError>,
    body: Option<&Value>,
    revision: u32,
) -> Result<Redirect, PageError> {
    let Id(id) = id?;
    api.change(method, &format!("/views/{id}"), body, revision).await?;
    Ok(Redirect::to("/views"))
}
