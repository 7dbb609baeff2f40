//! The HTTP endpoints, by listener.

mod decide;
mod explain;
mod gate;
mod health;
mod inspect;
mod intake;
mod refusal;
mod routed;
mod signed;
mod status;

use crate::{
    Config,
    admission::{Admission, Patience, processors},
    behaviour::Behaviour,
    connectors::Connectors,
    log::Logs,
    metrics::Metrics,
    policy::{AutomaticLists, CurrentPolicy, GeoIp},
    recent::RecentRequests,
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
use shared::{INSPECT_REQUEST_PATH, INSPECT_RESPONSE_PATH};
pub use signed::Signatures;
use std::sync::Arc;
use uuid::Uuid;

/// What the endpoints work with.
pub struct Node {
    pub id: Uuid,
    pub engine: Engine,
    /// Replaced as a whole when its file changes.
    pub config: ArcSwap<Config>,
    /// What the console says.
    pub policy: Arc<CurrentPolicy>,
    pub automatic: Arc<AutomaticLists>,
    pub geoip: Arc<GeoIp>,
    pub behaviour: Arc<Behaviour>,
    pub spool: Arc<Spool>,
    pub recent: RecentRequests,
    pub metrics: Arc<Metrics>,
    pub logs: Logs,
    pub signatures: Signatures,
    pub connectors: Connectors,
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

/// For connectors.
pub fn connector_router(node: Arc<Node>) -> Router {
    Router::new()
        .route(INSPECT_REQUEST_PATH, post(inspect::request))
        .route(INSPECT_RESPONSE_PATH, post(inspect::response))
        .route_layer(from_fn_with_state(node.clone(), signed::check))
        .route_layer(from_fn_with_state(node.clone(), intake::take_in))
        .route_layer(from_fn_with_state(node.clone(), gate::check))
        .fallback(gate::elsewhere)
        .layer(DefaultBodyLimit::disable())
        .with_state(node)
}

/// For Prometheus.
pub fn metrics_router(node: Arc<Node>) -> Router {
    Router::new().route("/metrics", get(status::metrics)).with_state(node)
}

/// For whoever starts and restarts the node.
pub fn health_router(node: Arc<Node>) -> Router {
    Router::new().route("/live", get(health::live)).route("/ready", get(health::ready)).with_state(node)
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
