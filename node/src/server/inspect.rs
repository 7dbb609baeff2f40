//! Requests to inspect, and the reports on what came of them.

use super::{Node, Refusal, refusal};
use crate::metrics::{REQUEST, RESPONSE, ReasonLabels};
use axum::{
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use shared::{
    ConnectorInfo, Delivery, Encoding, InspectRequest, NotInspected, Record, ResponseReport, Verdict,
};
use std::sync::Arc;
use tracing::error;

/// `POST /v1/inspect/request`: a verdict in line, 202 out of band. Hits are in the spool before either leaves.
pub(super) async fn request(
    State(node): State<Arc<Node>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    node.metrics.seen.get_or_create(&REQUEST).inc();
    let (mut request, encoding) = counted(&node, refusal::message::<InspectRequest>(&headers, body))?;
    node.count_bypassed(request.connector.as_mut());
    let told = std::mem::take(&mut request.not_inspected);
    let delivery = request.delivery;
    let kept = node.keep_not_inspected(told);
    // In line the request is decided even when nothing can be written: protection goes before the record.
    if delivery == Delivery::OutOfBand {
        kept?;
    }
    let verdict = node.inspect(request);
    match delivery {
        Delivery::OutOfBand => verdict.map(|_| StatusCode::ACCEPTED.into_response()),
        Delivery::Inline => verdict.map(|verdict| reply(encoding, &verdict)),
    }
}

/// `POST /v1/inspect/response`: kept when its request had a hit, or may have had one at another node.
pub(super) async fn response(
    State(node): State<Arc<Node>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, Refusal> {
    node.metrics.seen.get_or_create(&RESPONSE).inc();
    let (mut report, _) = counted(&node, refusal::message::<ResponseReport>(&headers, body))?;
    node.count_bypassed(report.connector.as_mut());
    let told = std::mem::take(&mut report.not_inspected);
    node.keep_not_inspected(told)?;
    if !node.recent.is_clean(report.request_id) {
        node.keep(&[Record::Response(report)])?;
    }
    Ok(StatusCode::ACCEPTED)
}

impl Node {
    /// A number of the connector's own, which no record of this request should hold.
    fn count_bypassed(&self, connector: Option<&mut ConnectorInfo>) {
        let bypassed = connector.and_then(|connector| connector.bypassed.take());
        self.metrics.bypassed.inc_by(bypassed.unwrap_or_default());
    }

    /// The connector forgets these once it has our answer, so they are on disk before.
    fn keep_not_inspected(&self, told: Vec<NotInspected>) -> Result<(), Refusal> {
        if told.is_empty() {
            return Ok(());
        }
        self.metrics.not_inspected.inc_by(told.len() as u64);
        self.keep(&told.into_iter().map(Record::NotInspected).collect::<Vec<_>>())
    }

    pub(super) fn keep(&self, records: &[Record]) -> Result<(), Refusal> {
        self.spool.append(records).map_err(|cause| {
            self.metrics.lost.inc_by(records.len() as u64);
            error!("a record is lost: {cause}");
            Refusal::Unavailable
        })
    }
}

pub(super) fn counted<T>(node: &Node, result: Result<T, Refusal>) -> Result<T, Refusal> {
    if let Err(refusal) = &result {
        node.metrics.rejected.get_or_create(&ReasonLabels { reason: refusal.label() }).inc();
    }
    result
}

fn reply(encoding: Encoding, verdict: &Verdict) -> Response {
    match encoding.encode(verdict) {
        Ok(body) => ([(header::CONTENT_TYPE, encoding.content_type())], body).into_response(),
        Err(cause) => {
            error!("a verdict cannot be sent: {cause}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
