//! `/wallarm-status` and `/metrics`: the counters, as JSON and for Prometheus.

use super::{LogTally, Node, metrics::Totals};
use crate::{VERSION, behaviour::BehaviourStats, spool::SpoolStats};
use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};
use decision::PolicySummary;
use prometheus_client::encoding::text;
use serde::Serialize;
use shared::{Mode, record::NodeStatus};
use std::sync::Arc;
use uuid::Uuid;

#[derive(Serialize)]
pub(super) struct Status {
    version: &'static str,
    node_id: Uuid,
    mode: Mode,
    #[serde(flatten)]
    totals: Totals,
    ruleset: PolicySummary,
    spool: SpoolStats,
    behaviour: BehaviourStats,
    /// Lines of access logs.
    logs: LogTally,
}

/// `GET /wallarm-status`
pub(super) async fn status(State(node): State<Arc<Node>>) -> Json<Status> {
    Json(Status {
        version: VERSION,
        node_id: node.id,
        mode: node.config.load().route_config.default.mode.mode,
        totals: node.metrics.totals(),
        ruleset: node.policy.get().summary.clone(),
        spool: node.spool.stats(),
        behaviour: node.behaviour.stats(),
        logs: node.log_totals.get(),
    })
}

impl Node {
    /// The status sent to the console.
    pub fn status(&self, started_at: jiff::Timestamp) -> NodeStatus {
        let (totals, policy, spool) = (self.metrics.totals(), self.policy.get(), self.spool.stats());
        NodeStatus {
            started_at,
            mode: self.config.load().route_config.default.mode.mode,
            ruleset: policy.summary.version,
            left_out: policy.summary.left_out_count as u64,
            requests: totals.requests,
            bypassed: self.metrics.bypassed("mode_off") + self.metrics.bypassed("input_filters"),
            bypassed_by_connectors: self.metrics.bypassed("connector"),
            attacks: totals.attacks,
            blocked: totals.blocked,
            pending: spool.pending,
            dropped: spool.dropped,
            spool_failed: !spool.writable,
            connectors: self.connectors.all(),
        }
    }
}

/// `GET /metrics`
pub(super) async fn metrics(State(node): State<Arc<Node>>) -> impl IntoResponse {
    const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let mut text = String::new();
    text::encode(&mut text, &node.registry).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok::<_, StatusCode>(([(header::CONTENT_TYPE, CONTENT_TYPE)], text))
}
