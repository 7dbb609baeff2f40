//! The HTTP endpoints, by listener.

mod explain;
mod health;
mod inspect;
mod intake;
mod refusal;
mod signed;
mod status;

use crate::{
    Config,
    admission::{Admission, Patience, processors},
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
pub use intake::Intake;
use refusal::Refusal;
use shared::{INSPECT_REQUEST_PATH, INSPECT_RESPONSE_PATH, InspectRequest};
pub use signed::Signatures;
use std::sync::Arc;
use uuid::Uuid;

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
    pub intake: Intake,
    pub turns: Turns,
}

/// Who may work now. Small messages do not stand in line behind large ones.
pub struct Turns {
    pub small: Admission,
    pub large: Admission,
}

impl Turns {
    /// Messages that may stand in line. They have been received, so they take memory.
    const MAX_WAITING: usize = 10_000;

    pub fn new(patience: Patience) -> Self {
        let admission = || Admission::new(processors(), Self::MAX_WAITING, patience);
        Self { small: admission(), large: admission() }
    }
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
        .route_layer(from_fn_with_state(node.clone(), intake::take_in))
        .route("/wallarm-external-health", get(health::live))
        .fallback(|| async { Refusal::NotFound })
        .layer(DefaultBodyLimit::disable())
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
        .route("/v1/explain", post(explain::explain))
        .route_layer(from_fn_with_state(node.clone(), intake::take_in))
        .route("/wallarm-status", get(status::status))
        .layer(DefaultBodyLimit::disable())
        .with_state(node)
}

#[cfg(test)]
mod tests;
