//! The HTTP endpoints, by listener, and the [`Node`] they share.

mod allowlist;
mod body_limit;
mod decide;
mod explain;
mod firehose;
mod health;
mod inspect;
mod log_lines;
mod log_records;
mod log_tally;
mod message;
pub mod metrics;
mod refusal;
mod replay_guard;
mod route;
mod status;

use crate::{
    Config,
    admission::{Admission, processors},
    behaviour::{Behaviour, Sharing},
    config::QueueTimeouts,
    connectors::Connectors,
    coverage::{CoverageKeys, journal::Journal},
    log::Logs,
    metrics::counter,
    policy::{AutomaticLists, CurrentPolicy, GeoIp},
    recent::RecentRequests,
    spool::Spool,
};
use anyhow::Context as _;
use arc_swap::ArcSwap;
use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware::from_fn_with_state,
    routing::{get, post},
};
use body_limit::BodyLimit;
use engine::Engine;
pub use log_lines::LogLines;
pub use log_tally::{LogTally, LogTotals};
use message::{Message, SignedMessage};
use metrics::ServerMetrics;
use prometheus_client::{metrics::counter::Counter, registry::Registry};
pub use refusal::Refusal;
use replay_guard::ReplayGuard;
use shared::{FIREHOSE_PATH, INSPECT_REQUEST_PATH, INSPECT_RESPONSE_PATH};
use std::sync::Arc;
use uuid::Uuid;

/// The parts that the endpoints use.
pub struct Node {
    pub id: Uuid,
    pub engine: Engine,
    /// Replaced as a whole when its file changes.
    pub config: Arc<ArcSwap<Config>>,
    pub policy: Arc<CurrentPolicy>,
    pub automatic: AutomaticLists,
    pub geoip: Arc<GeoIp>,
    pub behaviour: Arc<Behaviour>,
    pub spool: Arc<Spool>,
    pub recent: RecentRequests,
    /// Of access logs: the requests that were counted, and what they count for.
    journal: Journal,
    coverage_keys: CoverageKeys,
    /// Whether logs were configured at the start.
    reads_logs: bool,
    /// Lines of access logs.
    pub log_totals: Arc<LogTotals>,
    pub registry: Registry,
    pub metrics: ServerMetrics,
    pub connections_refused: Counter,
    pub logs: Logs,
    pub connectors: Connectors,
    replay_guard: ReplayGuard,
    body_limit: BodyLimit,
    admission: Queues,
}

/// Admission by message size: small messages do not queue behind large ones.
struct Queues {
    small: Admission,
    large: Admission,
}

impl Queues {
    /// Messages that may wait. They have been received, so they take memory.
    const MAX_WAITING: usize = 10_000;

    fn new(timeouts: QueueTimeouts) -> Self {
        let admission = || Admission::new(processors(), Self::MAX_WAITING, timeouts);
        Self { small: admission(), large: admission() }
    }
}

impl Node {
    /// Builds the parts from the configuration, with their metrics registered. Also returns the
    /// task that shares the counts of behavior, if configured.
    pub fn build(config: Config, logs: Logs) -> anyhow::Result<(Self, Option<Sharing>)> {
        let mut registry = Registry::with_prefix(&config.metrics.namespace);
        let metrics = ServerMetrics::new(&config.metrics, &mut registry);
        let connections_refused = counter(
            &mut registry,
            "connections_refused",
            "Connections closed on arrival, and calls without credentials refused, beyond a limit",
        );
        let spool = Arc::new(Spool::open(&config.spool)?);
        spool.register(&mut registry);
        let policy: Arc<CurrentPolicy> = Arc::default();
        policy.register(&mut registry);
        let (behaviour, sharing) =
            Behaviour::build(&config.behaviour).context("behaviour.shared.url_file")?;
        behaviour.register(&mut registry);
        logs.register(&mut registry);
        let geoip = Arc::new(GeoIp::open(&config.geoip)?);
        let replay_guard = ReplayGuard::new(&mut registry);
        let (body_limit, admission) = (BodyLimit::new(&config.limits), Queues::new(config.limits.queue));
        let reads_logs = config.logs.remembered().is_some();
        let remembered = config.logs.remembered().unwrap_or(RecentRequests::DEFAULT_CAPACITY);
        let recent = RecentRequests::new(remembered);
        let journal = Journal::open(&config.spool.directory, remembered, &recent)
            .with_context(|| format!("cannot read the journal in {}", config.spool.directory.display()))?;
        let log_totals: Arc<LogTotals> = Arc::default();
        log_totals.register(&mut registry);
        let config = Arc::new(ArcSwap::from_pointee(config));
        metrics::register_info(&mut registry, config.clone());
        let node = Self {
            id: spool.node_id()?,
            engine: Engine::new(),
            config,
            policy,
            automatic: AutomaticLists::default(),
            geoip,
            behaviour,
            spool,
            recent,
            journal,
            coverage_keys: CoverageKeys::default(),
            reads_logs,
            log_totals,
            registry,
            metrics,
            connections_refused,
            logs,
            connectors: Connectors::default(),
            replay_guard,
            body_limit,
            admission,
        };
        Ok((node, sharing))
    }
}

/// The endpoints for connectors.
pub fn connector_router(node: Arc<Node>) -> Router {
    Router::new()
        .route(INSPECT_REQUEST_PATH, post(inspect::request))
        .route(INSPECT_RESPONSE_PATH, post(inspect::response))
        .route(FIREHOSE_PATH, post(firehose::deliver))
        .route_layer(from_fn_with_state(node.clone(), allowlist::check))
        .route_layer(from_fn_with_state(node.clone(), allowlist::count))
        .fallback(allowlist::fallback)
        .layer(DefaultBodyLimit::disable())
        .with_state(node)
}

/// The endpoint for Prometheus.
pub fn metrics_router(node: Arc<Node>) -> Router {
    Router::new().route("/metrics", get(status::metrics)).with_state(node)
}

/// The probes of an orchestrator.
pub fn health_router(node: Arc<Node>) -> Router {
    Router::new().route("/live", get(health::live)).route("/ready", get(health::ready)).with_state(node)
}

/// The endpoints for operators.
pub fn status_router(node: Arc<Node>) -> Router {
    Router::new()
        .route("/v1/explain", post(explain::explain))
        .route("/wallarm-status", get(status::status))
        .route_layer(from_fn_with_state(node.clone(), allowlist::count))
        .layer(DefaultBodyLimit::disable())
        .with_state(node)
}

#[cfg(test)]
mod tests;
