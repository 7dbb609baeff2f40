//! Every address of the console.

mod attacks;
mod connectors;
mod export;
mod health;
mod hits;
mod ingest;
mod nodes;
mod not_inspected;

use crate::{app::App, error::ApiError, pages};
use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderValue, header},
    middleware,
    response::Response,
    routing::{get, post},
};

/// Largest body of a call, deliveries of nodes aside.
const BODY_LIMIT: usize = 64 * 1024;

pub(crate) fn table() -> Router<App> {
    Router::new()
        .route("/live", get(health::live))
        .route("/ready", get(health::ready))
        .nest("/api/v1", api())
        .merge(pages::table())
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
}

fn api() -> Router<App> {
    Router::new()
        .route("/attacks", get(attacks::list))
        .route("/attacks/export.csv", get(export::csv))
        .route("/attacks/export.ndjson", get(export::ndjson))
        .route("/attacks/schema", get(attacks::schema))
        .route("/attacks/{id}", get(attacks::one))
        .route("/attacks/{id}/hits", get(attacks::hits))
        .route("/hits", get(hits::list))
        .route("/hits/{id}", get(hits::one))
        .route("/not-inspected", get(not_inspected::list))
        .route("/nodes", get(nodes::list))
        .route("/connectors/cloudfront/bundle", post(connectors::cloudfront_bundle))
        .route("/ingest", post(ingest::take).layer(DefaultBodyLimit::max(ingest::BODY_LIMIT)))
        .fallback(async || ApiError::NotFound("address"))
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
        .layer(middleware::map_response(private))
}

/// Answers hold what attackers sent: no cache keeps them, and no browser guesses what they are.
async fn private(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
