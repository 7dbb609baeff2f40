//! Changes that people make on pages go through the API: one place that checks, one that writes the audit log.

use super::PageError;
use crate::{
    actor::{Actor, SignedIn, Visitor},
    app::App,
    error::ApiError,
    routes,
};
use axum::{
    body::{self, Body},
    extract::{FromRequestParts, Request},
    http::{HeaderName, Method, StatusCode, header, request::Parts},
};
use jiff::Timestamp;
use serde_json::Value;
use shared::Problem;
use tower::ServiceExt as _;

/// Answers of the API that pages are made of are no longer.
const ANSWER_LIMIT: usize = 16 << 20;

/// The API, called by somebody who is signed in and sent a form of ours.
pub(super) struct Api {
    app: App,
    pub(super) actor: Actor,
}

impl Api {
    pub(super) fn now(&self) -> Timestamp {
        self.app.clock.now()
    }

    pub(super) async fn get(&self, path: &str) -> Result<Value, PageError> {
        self.call(Method::GET, path, None, None).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Value, PageError> {
        self.call(Method::POST, path, Some(body), None).await
    }

    /// Deletes what has no revision.
    pub(super) async fn delete(&self, path: &str) -> Result<Value, PageError> {
        self.call(Method::DELETE, path, None, None).await
    }

    pub(super) async fn change(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        revision: u32,
    ) -> Result<Value, PageError> {
        self.call(method, path, body, Some(revision)).await
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        revision: Option<u32>,
    ) -> Result<Value, PageError> {
        let answer = self.answer(method, path, body, revision).await;
        let (status, bytes) = answer.ok_or(ApiError::BadBody("the answer could not be read".to_owned()))?;
        if status.is_success() {
            return Ok(serde_json::from_slice(&bytes).unwrap_or_default());
        }
        let problem: Result<Problem, _> = serde_json::from_slice(&bytes);
        let detail = problem.ok().map_or_else(|| status.to_string(), |problem| problem.detail);
        Err(PageError::Refused { status, detail })
    }

    /// The answer as it is.
    pub(super) async fn answer(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        revision: Option<u32>,
    ) -> Option<(StatusCode, body::Bytes)> {
        let headers: [(HeaderName, Option<String>); 2] = [
            (header::CONTENT_TYPE, body.map(|_| "application/json".to_owned())),
            (header::IF_MATCH, revision.map(|revision| format!("\"{revision}\""))),
        ];
        let request = Request::builder().method(method).uri(path).extension(SignedIn(self.actor.clone()));
        let given = headers.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let request = given.fold(request, |request, (name, value)| request.header(name, value));
        let request =
            request.body(body.map_or_else(Body::empty, |body| Body::from(body.to_string()))).ok()?;
        let response = routes::for_pages().with_state(self.app.clone()).oneshot(request).await.ok()?;
        let status = response.status();
        Some((status, body::to_bytes(response.into_body(), ANSWER_LIMIT).await.ok()?))
    }
}

impl FromRequestParts<App> for Api {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, PageError> {
        // By session, this checks that the form is ours.
        let Visitor(actor) = Visitor::from_request_parts(parts, app).await?;
        Ok(Self { app: app.clone(), actor })
    }
}
