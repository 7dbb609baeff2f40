//! The HTTP endpoints, by listener.

mod explain;
mod health;
mod inspect;
mod refusal;
mod signed;
mod status;

use crate::{
    Config,
    config::Secret,
    metrics::Metrics,
    recent::RecentRequests,
    routes::{RouteSettings, path},
    spool::Spool,
};
use arc_swap::ArcSwap;
use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware::from_fn_with_state,
    routing::{get, post},
};
use engine::Engine;
use refusal::Refusal;
use shared::{INSPECT_REQUEST_PATH, INSPECT_RESPONSE_PATH, InspectRequest};
pub use signed::Signatures;
use std::sync::Arc;
use uuid::Uuid;

/// CloudFront hands a function at most 1 MB of body; as base64 in JSON, with headers and URL, that stays below this.
const MAX_MESSAGE_BYTES: usize = 4 * 1024 * 1024;

/// What the endpoints work with.
pub struct Node {
    pub id: Uuid,
    pub engine: Engine,
    /// Replaced as a whole when its file changes.
    pub config: ArcSwap<Config>,
    pub spool: Arc<Spool>,
    pub recent: RecentRequests,
    pub metrics: Arc<Metrics>,
    pub admin_token: Option<Secret>,
    /// Absent: calls need no signature.
    pub signatures: Option<Signatures>,
}

impl Node {
    fn check_host(&self, request: &InspectRequest) -> Result<(), Refusal> {
        let is_allowed = self.config.load().connector.allows_host(&request.host);
        if is_allowed { Ok(()) } else { Err(Refusal::Host) }
    }

    fn settings_of(&self, request: &InspectRequest) -> Arc<RouteSettings> {
        let config = self.config.load();
        let normalizes = config.connector.url_normalize;
        let path = if normalizes { path::normalize(&request.path) } else { request.path.as_str().into() };
        config.route_config.settings(&request.host, &path).clone()
    }
}

/// For connectors.
pub fn connector_router(node: Arc<Node>) -> Router {
    Router::new()
        .route(INSPECT_REQUEST_PATH, post(inspect::request))
        .route(INSPECT_RESPONSE_PATH, post(inspect::response))
        .route_layer(from_fn_with_state(node.clone(), signed::check))
        .route("/wallarm-external-health", get(health::live))
        .fallback(|| async { Refusal::NotFound })
        .layer(DefaultBodyLimit::max(MAX_MESSAGE_BYTES))
        .with_state(node)
}

/// For Prometheus.
pub fn metrics_router(node: Arc<Node>) -> Router {
    Router::new().route("/metrics", get(status::metrics)).with_state(node)
}

/// For whoever starts and restarts the node.
pub fn health_router() -> Router {
    Router::new().route("/live", get(health::live)).route("/ready", get(health::ready))
}

/// For the operator.
pub fn status_router(node: Arc<Node>) -> Router {
    Router::new()
        .route("/wallarm-status", get(status::status))
        .route("/v1/explain", post(explain::explain))
        .layer(DefaultBodyLimit::max(MAX_MESSAGE_BYTES))
        .with_state(node)
}

#[cfg(test)]
mod tests;
