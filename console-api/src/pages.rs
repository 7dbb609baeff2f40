//! What people see: plain HTML from the server, without scripts.

mod api;
mod attacks;
mod error;
mod hits;
mod not_inspected;
pub(crate) mod session;
mod view;

pub(crate) use error::PageError;

use crate::app::App;
use axum::{
    Router,
    http::{HeaderValue, header},
    middleware,
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use serde_json::Value;

/// No scripts, no styles but ours, no frames: what an attacker wrote can at most be read.
const CONTENT_SECURITY_POLICY: &str =
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

pub(crate) fn table(document: &Value) -> Router<App> {
    let api = api::page(document);
    Router::new()
        .route("/api/docs", get(async || api))
        .route("/", get(async || Redirect::to("/attacks")))
        .route("/attacks", get(attacks::list))
        .route("/attacks/{id}", get(attacks::one))
        .route("/hits/{id}", get(hits::one))
        .route("/not-inspected", get(not_inspected::list))
        .route("/sign-in", get(session::form).post(session::sign_in))
        .route("/sign-out", post(session::sign_out))
        .route("/static/style.css", get(style))
        .fallback(error::unknown_page)
        .layer(middleware::map_response(guarded))
}

async fn guarded(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_SECURITY_POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

async fn style() -> impl IntoResponse {
    let headers = [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")];
    (headers, include_str!("../web/style.css"))
}

/// A template as an answer.
fn render(page: &impl askama::Template) -> Response {
    match page.render() {
        Ok(html) => Html(html).into_response(),
        Err(cause) => {
            tracing::error!(error = %cause, "a page could not be rendered");
            axum::http::StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
