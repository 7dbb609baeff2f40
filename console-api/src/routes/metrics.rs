//! Metrics for Prometheus.

use crate::{clock::Clock, error::ApiError, extract::Reader, metrics::Metrics, store::Store};
use axum::{
    extract::{MatchedPath, Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

/// `GET /metrics`, for tokens that may read: the series reveal which hosts are attacked.
pub(super) async fn show(
    _: Reader,
    State(store): State<Store>,
    State(clock): State<Clock>,
    State(metrics): State<Metrics>,
) -> Result<Response, ApiError> {
    const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let (bytes, counts) = (store.database_bytes().await?, store.not_inspected_counts().await?);
    let (deliveries, nodes) = (store.delivery_counts().await?, store.nodes(clock.now()).await?);
    let coverage = store.recent_coverage(clock.now()).await?;
    let text = metrics.text(bytes, &counts, &deliveries, &nodes, &coverage);
    Ok(match text {
        Ok(text) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    })
}

/// Counts responses by route and status.
pub(crate) async fn count(State(metrics): State<Metrics>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    metrics.responded(route.as_ref().map_or("none", MatchedPath::as_str), response.status().as_u16());
    response
}
