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
use std::sync::Arc;
use subtle::ConstantTimeEq as _;

pub(super) async fn explain(
    State(node): State<Arc<Node>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Explanation>, Refusal> {
    node.authorize(&headers)?;
    let (request, _) = refusal::message::<InspectRequest>(&headers, &body)?;
    let settings = node.settings_of(&request);
    Ok(Json(Explanation::of(&node.engine, &request, &settings)))
}

impl Node {
    fn authorize(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let given =
            headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        match (&self.admin_token, given) {
            (Some(token), Some(given)) if token.expose().as_bytes().ct_eq(given.as_bytes()).into() => Ok(()),
            _ => Err(Refusal::Unauthorized),
        }
    }
}
