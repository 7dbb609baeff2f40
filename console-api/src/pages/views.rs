//! The page of saved searches: list, add, rename, delete.

use super::{access::KnownRevision, render, search, view};
use crate::{
    actor::Actor,
    error::ApiError,
    extract::{Analyst, Id, Query, Reader},
    paging::{Page, Slice},
    store::Store,
    use_cases::views,
    view::{View, ViewChange, ViewDraft},
};
use askama::Template;
use axum::{
    Form,
    extract::State,
    response::{Redirect, Response},
};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "views.html")]
struct ViewsPage {
    page: Page<View>,
    actor: Actor,
}

impl ViewsPage {
    fn can_edit(&self, view: &View) -> bool {
        self.actor.role.can_edit() && view.is_editable_by(Some(self.actor.id), Some(self.actor.role))
    }

    /// The search, in one line.
    fn search(view: &View) -> String {
        let ViewDraft { query, group_by, sort, from, to, .. } = &view.draft;
        let parts = [("", query), ("by ", group_by), ("sorted by ", sort), ("since ", from), ("until ", to)];
        let present = parts.into_iter().filter(|(_, value)| !value.is_empty());
        present.map(|(label, value)| format!("{label}{value}")).collect::<Vec<_>>().join(" · ")
    }
}

pub(super) async fn list(
    Reader(actor): Reader,
    State(store): State<Store>,
    Query(slice): Query<Slice>,
) -> Result<Response, ApiError> {
    Ok(render(&ViewsPage { page: store.views(actor.id, &slice).await?, actor }))
}

/// The form next to the list of attacks.
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

/// Saves a search, and returns to it.
pub(super) async fn add(
    Analyst(author): Analyst,
    State(store): State<Store>,
    Form(form): Form<ViewForm>,
) -> Result<Redirect, ApiError> {
    let ViewForm { name, query, group_by, sort, from, to, shared } = form;
    let draft = ViewDraft { name: name.trim().to_owned(), query, group_by, sort, from, to, shared };
    let view = views::add(&store, &author, draft).await?;
    Ok(Redirect::to(&format!("/attacks?{}", search::of_view(&view.draft))))
}

#[derive(Debug, Deserialize)]
pub(super) struct Renamed {
    name: String,
    #[serde(default)]
    shared: bool,
    revision: u32,
}

pub(super) async fn change(
    Analyst(author): Analyst,
    State(store): State<Store>,
    Id(id): Id,
    Form(Renamed { name, shared, revision }): Form<Renamed>,
) -> Result<Redirect, ApiError> {
    let name = Some(name.trim().to_owned());
    let change = ViewChange { name, shared: Some(shared), ..ViewChange::default() };
    views::change(&store, &author, (id, revision), change).await?;
    Ok(Redirect::to("/views"))
}

pub(super) async fn delete(
    Analyst(author): Analyst,
    State(store): State<Store>,
    Id(id): Id,
    Form(KnownRevision { revision }): Form<KnownRevision>,
) -> Result<Redirect, ApiError> {
    views::delete(&store, &author, (id, revision)).await?;
    Ok(Redirect::to("/views"))
}
