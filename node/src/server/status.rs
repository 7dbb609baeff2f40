//! The counters, for Prometheus and for people.

use super::Node;
use crate::{VERSION, metrics::Totals, spool::SpoolStats};
use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};
use serde::Serialize;
use shared::Mode;
use std::sync::Arc;
use uuid::Uuid;

#[derive(Serialize)]
pub(super) struct Status {
    version: &'static str,
    node_id: Uuid,
    mode: Mode,
    #[serde(flatten)]
    totals: Totals,
    spool: SpoolStats,
}

/// `GET /wallarm-status`
pub(super) async fn status(State(node): State<Arc<Node>>) -> Json<Status> {
    Json(Status {
        version: VERSION,
        node_id: node.id,
        mode: node.config.load().route_config.default.mode.mode,
        totals: node.metrics.totals(),
        spool: node.spool.stats(),
    })
}

/// `GET /metrics`
pub(super) async fn metrics(State(node): State<Arc<Node>>) -> impl IntoResponse {
    const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let text = node.metrics.to_text().map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok::<_, StatusCode>(([(header::CONTENT_TYPE, CONTENT_TYPE)], text))
}
