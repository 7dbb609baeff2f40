//! Outer layers of calls: allowed networks, reply deadline, counting of refusals.

use super::{Node, Refusal, health, metrics::ServerMetrics, refusal::RefusalLabel};
use axum::{
    extract::{Request, State},
    http::{Method, Uri},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use listener::Peer;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Accepts calls from allowed networks, and replies within the deadline.
pub(super) async fn check(State(node): State<Arc<Node>>, request: Request, next: Next) -> Response {
    let arrived = Instant::now();
    let (refused, deadline) = {
        let connector = &node.config.load().connector;
        let peer = request.extensions().get::<Peer>().map(|peer| peer.address().ip());
        (peer.filter(|peer| !connector.allows_network(*peer)), connector.reply_timeout)
    };
    let response = match (refused, deadline) {
        (Some(peer), _) => Refusal::Network(peer).into_response(),
        (None, None) => next.run(request).await,
        (None, Some((limit, status))) => in_time(limit, arrived, next.run(request))
            .await
            .unwrap_or_else(|| Refusal::ReplyTimeout { limit, status }.into_response()),
    };
    node.metrics.request_seconds.observe(arrived.elapsed().as_secs_f64());
    response
}

/// Counts refusals by reason.
pub(super) async fn count(State(node): State<Arc<Node>>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    if let Some(RefusalLabel(reason)) = response.extensions().get() {
        ServerMetrics::count(&node.metrics.rejected, reason, 1);
    }
    response
}

/// Drops a late response. An analysis in progress runs on.
async fn in_time(
    limit: Duration,
    arrived: Instant,
    response: impl Future<Output = Response>,
) -> Option<Response> {
    let response = tokio::time::timeout(limit, response).await.ok()?;
    (arrived.elapsed() <= limit).then_some(response)
}

/// Serves `connector.external_health_check`, and refuses every other path.
pub(super) async fn fallback(
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
