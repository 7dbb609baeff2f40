//! `POST /v1/explain`: how a request would be read and decided. Nothing is recorded.

use super::{Node, Refusal, refusal};
use crate::decision;
use axum::{
    Json,
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::{HeaderMap, header},
};
use engine::ExplainedField;
use serde::Serialize;
use shared::{Finding, InspectRequest, Mode};
use std::sync::Arc;
use subtle::ConstantTimeEq as _;

#[derive(Serialize)]
pub(super) struct Explanation {
    mode: Mode,
    mode_source: String,
    would_block: bool,
    findings: Vec<Finding>,
    /// Each value that was looked at, with the layers peeled off it.
    fields: Vec<ExplainedField>,
}

pub(super) async fn explain(
    State(node): State<Arc<Node>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Explanation>, Refusal> {
    node.authorize(&headers)?;
    let (request, _) = refusal::message::<InspectRequest>(&headers, body)?;
    let mode = node.mode_of(&request);
    let findings = node.engine.inspect(&request).findings;
    let ruling = decision::rule(mode.mode, request.delivery, &findings);
    Ok(Json(Explanation {
        mode: mode.mode,
        mode_source: mode.source,
        would_block: ruling.would_block,
        findings,
        fields: node.engine.explain(&request),
    }))
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
