//! Every address of the console.

mod attacks;
mod audit;
mod connectors;
mod export;
mod health;
mod hits;
mod ingest;
mod ip_lists;
mod marks;
mod node_config;
mod nodes;
mod not_inspected;
mod rules;
mod stream;

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

pub(crate) fn api() -> Router<App> {
    Router::new()
        .route("/attacks", get(attacks::list))
        .route("/attacks/export.csv", get(export::csv))
        .route("/attacks/export.ndjson", get(export::ndjson))
        .route("/attacks/stats", get(attacks::stats))
        .route("/attacks/stream", get(stream::attacks))
        .route("/attacks/schema", get(attacks::schema))
        .route("/attacks/{id}", get(attacks::one))
        .route("/attacks/{id}/hits", get(attacks::hits))
        .route("/attacks/{id}/mark", post(marks::mark))
        .route("/audit", get(audit::list))
        .route("/hits", get(hits::list))
        .route("/hits/{id}", get(hits::one))
        .route("/not-inspected", get(not_inspected::list))
        .route("/rules", get(rules::list).post(rules::add))
        .route("/rules/{id}", get(rules::one).put(rules::replace).delete(rules::delete))
        .route("/ip-lists", get(ip_lists::list).post(ip_lists::add))
        .route("/ip-lists/{id}", get(ip_lists::one).put(ip_lists::replace).delete(ip_lists::delete))
        .route("/node/config", get(node_config::current))
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
