//! Before and around all calls of connectors: who may call, and how long an answer may take.

use super::{Node, Refusal, health};
use crate::{doors::Peer, metrics::ReasonLabels};
use axum::{
    extract::{Request, State},
    http::{Method, Uri},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Lets calls in from the networks of the configuration, and answers them in its time.
pub(super) async fn check(
    State(node): State<Arc<Node>>,
    request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    let arrived = Instant::now();
    let (is_allowed, deadline) = {
        let connector = &node.config.load().connector;
        let peer = request.extensions().get::<Peer>();
        (peer.is_none_or(|Peer(peer)| connector.allows_network(peer.ip())), connector.reply_timeout)
    };
    let answered = match deadline {
        _ if !is_allowed => Err(Refusal::Network),
        None => Ok(next.run(request).await),
        Some((limit, status)) => {
            in_time(limit, arrived, next.run(request)).await.ok_or(Refusal::TooLate(status))
        }
    };
    node.metrics.request_seconds.observe(arrived.elapsed().as_secs_f64());
    answered.inspect_err(|refusal| {
        node.metrics.rejected.get_or_create(&ReasonLabels { reason: refusal.label() }).inc();
    })
}

/// An analysis under way is not broken off, but its answer does not count when it is late.
async fn in_time(
    limit: Duration,
    arrived: Instant,
    answer: impl Future<Output = Response>,
) -> Option<Response> {
    let answer = tokio::time::timeout(limit, answer).await.ok()?;
    (arrived.elapsed() <= limit).then_some(answer)
}

/// `connector.external_health_check`, or nothing.
pub(super) async fn elsewhere(
    State(node): State<Arc<Node>>,
    method: Method,
    uri: Uri,
) -> Result<Response, Refusal> {
    let is_health = node.config.load().connector.health_path.as_deref() == Some(uri.path());
    if is_health && method == Method::GET {
        return Ok(health::live().await.into_response());
    }
    Err(Refusal::NotFound)
}
