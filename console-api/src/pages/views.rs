//! The page of saved searches: list, add, rename, delete.

use super::{access::KnownRevision, form::Rejected, ip_lists::Deleted, render, search, view};
use crate::{
    actor::Actor,
    audit::ObjectKind,
    error::ApiError,
    extract::{Analyst, Id, Query, Reader},
    paging::{Page, Slice},
    store::Store,
    use_cases::{undo, views},
    view::{Subject, View, ViewChange, ViewDraft},
};
use askama::Template;
use axum::{
    Form,
    extract::State,
    response::{IntoResponse as _, Redirect, Response},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The fields of a search, with their titles.
const FIELDS: [(&str, &str); 6] = [
    ("query", "Search"),
    ("group_by", "Group by"),
    ("sort", "Sort by"),
    ("from", "From"),
    ("to", "To"),
    ("columns", "Columns"),
];

#[derive(Template)]
#[template(path = "views.html")]
struct ViewsPage {
    page: Page<View>,
    actor: Actor,
    /// The audit line of a deletion, to undo it.
    undo: Option<Uuid>,
    rejected: Rejected,
}

impl ViewsPage {
    fn can_edit(&self, view: &View) -> bool {
        self.actor.role.can_edit() && view.is_editable_by(Some(self.actor.id), Some(self.actor.role))
    }

    /// The value of the checkbox to share.
    fn flag(view: &View) -> &'static str {
        if view.draft.shared { "true" } else { "" }
    }

    /// The search, in one line.
    fn search(view: &View) -> String {
        let ViewDraft { query, group_by, sort, from, to, columns, .. } = &view.draft;
        let parts = [
            ("", query),
            ("by ", group_by),
            ("sorted by ", sort),
            ("since ", from),
            ("until ", to),
            ("columns ", columns),
        ];
        let present = parts.into_iter().filter(|(_, value)| !value.is_empty());
        present.map(|(label, value)| format!("{label}{value}")).collect::<Vec<_>>().join(" · ")
    }
}

pub(super) async fn list(
    Reader(actor): Reader,
    State(store): State<Store>,
    Query((Deleted(deleted), slice)): Query<(Deleted, Slice)>,
) -> Result<Response, ApiError> {
    let page = store.views(actor.id, &slice).await?;
    let undo = match deleted {
        Some(id) => undo::of_deleted(&store, ObjectKind::View, id).await?,
        None => None,
    };
    Ok(render(&ViewsPage { page, actor, undo, rejected: Rejected::default() }))
}

/// The list with a rejected form.
async fn reject(store: &Store, actor: Actor, rejected: Rejected) -> Result<Response, ApiError> {
    let page = store.views(actor.id, &Slice::default()).await?;
    let page = ViewsPage { page, actor, undo: None, rejected };
    Ok(page.rejected.respond(&page))
}

/// The form next to a list.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ViewForm {
    name: String,
    #[serde(default)]
    list: Subject,
    query: String,
    group_by: String,
    sort: String,
    from: String,
    to: String,
    #[serde(default)]
    columns: String,
    #[serde(default)]
    shared: bool,
}

impl ViewForm {
    fn draft(&self) -> ViewDraft {
        let Self { name, list, query, group_by, sort, from, to, columns, shared } = self.clone();
        ViewDraft { name: name.trim().to_owned(), list, query, group_by, sort, from, to, columns, shared }
    }
}

/// Saves a search, and returns to it.
pub(super) async fn add(
    Reader(actor): Reader,
    Analyst(author): Analyst,
    State(store): State<Store>,
    Form(form): Form<ViewForm>,
) -> Result<Response, ApiError> {
    match views::add(&store, &author, form.draft()).await {
        Ok(view) => Ok(Redirect::to(&search::of_view(&view.draft)).into_response()),
        Err(error) => reject(&store, actor, Rejected::new(&form, None, error)?).await,
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Renamed {
    name: String,
    #[serde(default)]
    shared: bool,
    revision: u32,
}

pub(super) async fn change(
    Reader(actor): Reader,
    Analyst(author): Analyst,
    State(store): State<Store>,
    Id(id): Id,
    Form(form): Form<Renamed>,
) -> Result<Response, ApiError> {
    let name = Some(form.name.trim().to_owned());
    let change = ViewChange { name, shared: Some(form.shared), ..ViewChange::default() };
    match views::change(&store, &author, (id, form.revision), change).await {
        Ok(_) => Ok(Redirect::to("/views").into_response()),
        Err(error) => reject(&store, actor, Rejected::new(&form, Some(id), error)?).await,
    }
}

pub(super) async fn delete(
    Analyst(author): Analyst,
    State(store): State<Store>,
    Id(id): Id,
    Form(KnownRevision { revision }): Form<KnownRevision>,
) -> Result<Redirect, ApiError> {
    views::delete(&store, &author, (id, revision)).await?;
    Ok(Redirect::to(&format!("/views?deleted={id}")))
}
