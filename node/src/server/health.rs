//! `/live`, `/ready`, and the external health check.

use super::Node;
use axum::{extract::State, http::StatusCode};
use std::sync::Arc;

/// The process responds.
pub(super) async fn live() -> &'static str {
    "ok\n"
}

/// The spool accepts records. The engine is compiled before this listener opens.
pub(super) async fn ready(State(node): State<Arc<Node>>) -> (StatusCode, &'static str) {
    if node.spool.is_writable() {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "cannot write to the spool\n")
    }
}
