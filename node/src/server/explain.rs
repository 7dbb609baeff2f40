//! `POST /v1/explain`: how a request would be parsed and decided. Nothing is recorded.

use super::{Message, Node, Refusal};
use crate::explain::Explanation;
use axum::{Json, extract::State, http::header};
use shared::InspectRequest;
use std::{sync::Arc, time::Instant};
use subtle::ConstantTimeEq as _;

pub(super) async fn explain(
    State(node): State<Arc<Node>>,
    message: Message,
) -> Result<Json<Explanation>, Refusal> {
    node.authorize(&message)?;
    let (mut request, _) = message.decode::<InspectRequest>()?;
    let (route, policy) = (node.route(&mut request)?, node.policy.get());
    let start = Instant::now();
    let evaluation = node.evaluate(&policy, &request, &route, None);
    let took = start.elapsed();
    Ok(Json(Explanation::of(&node.engine, &request, evaluation, took)))
}

impl Node {
    fn authorize(&self, message: &Message) -> Result<(), Refusal> {
        let presented =
            message.header(header::AUTHORIZATION.as_str()).and_then(|value| value.strip_prefix("Bearer "));
        let config = self.config.load();
        match (&config.admin.token, presented) {
            (Some(token), Some(presented))
                if token.expose().as_bytes().ct_eq(presented.as_bytes()).into() =>
            {
                Ok(())
            }
            _ => Err(Refusal::Unauthorized),
        }
    }
}
