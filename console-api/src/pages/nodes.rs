//! The page of nodes, with their reported status.

use super::{render, view};
use crate::{
    actor::Role,
    clock::Clock,
    error::ApiError,
    extract::{Admin, Id, Reader},
    store::{Node, Store},
    use_cases::nodes,
};
use askama::Template;
use axum::{
    extract::State,
    response::{Redirect, Response},
};
use jiff::{SignedDuration, Timestamp};

/// Running nodes report more often.
const HEARTBEAT_TIMEOUT: SignedDuration = SignedDuration::from_mins(5);

#[derive(Template)]
#[template(path = "nodes.html")]
struct NodesPage {
    nodes: Vec<Node>,
    ruleset: u64,
    now: Timestamp,
    is_admin: bool,
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
    Reader(actor): Reader,
    State(store): State<Store>,
    State(clock): State<Clock>,
) -> Result<Response, ApiError> {
    let (ruleset, _) = store.ruleset_head().await?;
    let (nodes, is_admin) = (store.nodes().await?, actor.role == Role::Admin);
    Ok(render(&NodesPage { nodes, ruleset, now: clock.now(), is_admin }))
}

pub(super) async fn release(
    Admin(author): Admin,
    State(store): State<Store>,
    Id(id): Id,
) -> Result<Redirect, ApiError> {
    nodes::release(&store, &author, id).await?;
    Ok(Redirect::to("/nodes"))
}
