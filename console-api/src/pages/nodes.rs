//! The page of nodes, with their reported status.

use super::{render, view};
use crate::{
    clock::Clock,
    error::ApiError,
    extract::Reader,
    store::{Node, Store},
};
use askama::Template;
use axum::{extract::State, response::Response};
use jiff::{SignedDuration, Timestamp};

/// Running nodes report more often.
const HEARTBEAT_TIMEOUT: SignedDuration = SignedDuration::from_mins(5);

#[derive(Template)]
#[template(path = "nodes.html")]
struct NodesPage {
    nodes: Vec<Node>,
    ruleset: u64,
    now: Timestamp,
}

impl NodesPage {
    fn is_behind(&self, node: &Node) -> bool {
        let version = node.status.as_ref().and_then(|status| status.ruleset);
        version.is_some_and(|version| version < self.ruleset)
    }

    fn is_unreachable(&self, node: &Node) -> bool {
        self.now.duration_since(node.last_seen) > HEARTBEAT_TIMEOUT
    }
}

pub(super) async fn list(
    _: Reader,
    State(store): State<Store>,
    State(clock): State<Clock>,
) -> Result<Response, ApiError> {
    let (ruleset, _) = store.ruleset_head().await?;
    Ok(render(&NodesPage { nodes: store.nodes().await?, ruleset, now: clock.now() }))
}
