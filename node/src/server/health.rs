//! `/live`, `/ready`, `/wallarm-external-health`.

use super::Node;
use axum::extract::State;
use std::sync::Arc;

/// The process answers.
pub(super) async fn live() -> &'static str {
    "ok\n"
}

/// The node can do its work: its spool was opened and its engine compiled before this listener was.
pub(super) async fn ready(State(_): State<Arc<Node>>) -> &'static str {
    "ok\n"
}
