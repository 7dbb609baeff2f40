//! Who is signed in, and how that ends.

use super::Administrator;
use crate::{
    access::Session,
    actor,
    clock::Clock,
    error::ApiError,
    extract::{Id, Query},
    pages::{PageError, change::Api, render, view},
    paging::{Page, Slice},
    store::Store,
};
use askama::Template;
use axum::{
    extract::State,
    http::HeaderMap,
    response::{Redirect, Response},
};
use uuid::Uuid;

#[derive(Template)]
#[template(path = "sessions.html")]
struct SessionsPage {
    page: Page<Session>,
    /// The one of whoever looks at it.
    own: Option<Uuid>,
}

impl SessionsPage {
    fn is_own(&self, session: &Session) -> bool {
        self.own == Some(session.id)
    }
}

pub(in crate::pages) async fn list(
    _: Administrator,
    State(store): State<Store>,
    State(clock): State<Clock>,
    headers: HeaderMap,
    slice: Result<Query<Slice>, ApiError>,
) -> Result<Response, PageError> {
    let Query(slice) = slice?;
    let own = match actor::session(&headers) {
        Some(secret) => store.session(&secret, clock.now()).await?.map(|session| session.id),
        None => None,
    };
    Ok(render(&SessionsPage { page: store.sessions(&slice, clock.now()).await?, own }))
}

pub(in crate::pages) async fn end(api: Api, id: Result<Id, ApiError>) -> Result<Redirect, PageError> {
    let Id(id) = id?;
    api.delete(&format!("/sessions/{id}")).await?;
    Ok(Redirect::to("/sessions"))
}
