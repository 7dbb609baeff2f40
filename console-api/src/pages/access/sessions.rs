//! The page of sessions: list, end.

use crate::{
    access::Session,
    error::ApiError,
    extract::{Admin, Id, Query},
    pages::{render, view},
    paging::{Page, Slice},
    session_cookie,
    store::Store,
    use_cases::sign_in,
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
    /// The session of this browser.
    own: Option<Uuid>,
}

impl SessionsPage {
    fn is_own(&self, session: &Session) -> bool {
        self.own == Some(session.id)
    }
}

pub(in crate::pages) async fn list(
    Admin(author): Admin,
    State(store): State<Store>,
    headers: HeaderMap,
    Query(slice): Query<Slice>,
) -> Result<Response, ApiError> {
    let own = match session_cookie::read(&headers) {
        Some(secret) => store.session(&secret, author.at).await?.map(|session| session.id),
        None => None,
    };
    Ok(render(&SessionsPage { page: store.sessions(&slice, author.at).await?, own }))
}

pub(in crate::pages) async fn end(
    Admin(author): Admin,
    State(store): State<Store>,
    Id(id): Id,
) -> Result<Redirect, ApiError> {
    sign_in::end(&store, &author, id).await?;
    Ok(Redirect::to("/sessions"))
}
