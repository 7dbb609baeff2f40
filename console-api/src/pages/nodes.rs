//! The nodes, as they say they are.

use super::{PageError, render, view};
use crate::{
    actor::Visitor,
    clock::Clock,
    store::{Node, Store},
};
use askama::Template;
use axum::{extract::State, response::Response};
use jiff::{SignedDuration, Timestamp};

/// Nodes that run say so more often than that.
const SILENCE: SignedDuration = SignedDuration::from_mins(5);

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

    fn is_silent(&self, node: &Node) -> bool {
        self.now.duration_since(node.last_seen) > SILENCE
    }
}

pub(super) async fn list(
    _: Visitor,
    State(store): State<Store>,
    State(clock): State<Clock>,
) -> Result<Response, PageError> {
    let (ruleset, _) = store.ruleset_head().await?;
    Ok(render(&NodesPage { nodes: store.nodes().await?, ruleset, now: clock.now() }))
}
