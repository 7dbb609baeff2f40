//! `POST /v1/explain`: how a request would be read and decided. Nothing is recorded.

use super::{Node, Refusal, refusal};
use crate::explain::Explanation;
use axum::{
    Json,
    body::Bytes,
    extract::State,
    http::{HeaderMap, header},
};
use shared::InspectRequest;
use std::{sync::Arc, time::Instant};
use subtle::ConstantTimeEq as _;

pub(super) async fn explain(
    State(node): State<Arc<Node>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Explanation>, Refusal> {
    node.authorize(&headers)?;
    let (mut request, _) = refusal::message::<InspectRequest>(&headers, &body)?;
    let (routed, policy) = (node.route(&mut request)?, node.policy.get());
    let start = Instant::now();
    let evaluation = node.evaluate(&policy, &request, &routed, None);
    let took = start.elapsed();
    Ok(Json(Explanation::of(&node.engine, &request, evaluation, took)))
}

impl Node {
    fn authorize(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let given =
            headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        let config = self.config.load();
        match (&config.admin.token, given) {
            (Some(token), Some(given)) if token.expose().as_bytes().ct_eq(given.as_bytes()).into() => Ok(()),
            _ => Err(Refusal::Unauthorized),
        }
    }
}
