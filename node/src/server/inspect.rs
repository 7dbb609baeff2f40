//! Requests to inspect, and the reports on what came of them.

use super::{Node, Refusal, refusal};
use crate::metrics::{REQUEST, RESPONSE, ReasonLabels};
use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use shared::{
    ConnectorInfo, Delivery, Encoding, InspectRequest, NotInspected, Record, ResponseReport, Verdict,
};
use std::{sync::Arc, time::Instant};
use tracing::error;

/// From this size on a message is read and analysed away from the threads that serve connections: it takes as long as
/// hundreds of small ones.
const LARGE_MESSAGE_BYTES: usize = 128 << 10;

/// `POST /v1/inspect/request`: a verdict in line, 202 out of band. Hits are in the spool before either leaves.
pub(super) async fn request(
    State(node): State<Arc<Node>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    node.metrics.seen.get_or_create(&REQUEST).inc();
    node.metrics.bytes.get_or_create(&REQUEST).inc_by(body.len() as u64);
    let is_large = body.len() >= LARGE_MESSAGE_BYTES;
    let turns = if is_large { &node.turns.large } else { &node.turns.small };
    let asked = Instant::now();
    let turn = turns.turn().await;
    node.metrics.queue_seconds.observe(asked.elapsed().as_secs_f64());
    let turn = counted(&node, turn.map_err(Refusal::from))?;
    if !is_large {
        return node.answer(&headers, &body);
    }
    let answered = tokio::task::spawn_blocking(move || {
        let answer = node.answer(&headers, &body);
        drop(turn);
        answer
    });
    answered.await.unwrap_or(Err(Refusal::Internal))
}

/// `POST /v1/inspect/response`: kept when its request had a hit, or may have had one at another node.
pub(super) async fn response(
    State(node): State<Arc<Node>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, Refusal> {
    node.metrics.seen.get_or_create(&RESPONSE).inc();
    node.metrics.bytes.get_or_create(&RESPONSE).inc_by(body.len() as u64);
    let (mut report, _) = counted(&node, refusal::message::<ResponseReport>(&headers, &body))?;
    let now = jiff::Timestamp::now();
    if let Some(connector) = &report.connector {
        node.connectors.seen(connector, None, report.not_inspected.len(), now);
    }
    node.count_bypassed(report.connector.as_mut());
    let told = std::mem::take(&mut report.not_inspected);
    node.keep_not_inspected(told)?;
    for listing in node.behaviour.response(report.request_id, report.status, now) {
        listing.put_on(&node.automatic, now);
    }
    if !node.recent.is_clean(report.request_id) {
        node.keep(&[Record::Response(report)])?;
    }
    Ok(StatusCode::ACCEPTED)
}

impl Node {
    /// From the message to what its sender is told.
    fn answer(&self, headers: &HeaderMap, body: &[u8]) -> Result<Response, Refusal> {
        let (mut request, encoding) = counted(self, refusal::message::<InspectRequest>(headers, body))?;
        let delivery = request.delivery;
        if let Some(connector) = &request.connector {
            let (told, now) = (request.not_inspected.len(), jiff::Timestamp::now());
            self.connectors.seen(connector, Some(delivery), told, now);
        }
        self.count_bypassed(request.connector.as_mut());
        let told = std::mem::take(&mut request.not_inspected);
        let kept = self.keep_not_inspected(told);
        // In line the request is decided even when nothing can be written: protection goes before the record.
        if delivery == Delivery::OutOfBand {
            kept?;
        }
        let traceparent = headers.get("traceparent").and_then(|value| value.to_str().ok());
        let verdict = self.decide(request, traceparent);
        match delivery {
            Delivery::OutOfBand => verdict.map(|_| StatusCode::ACCEPTED.into_response()),
            Delivery::Inline => verdict.map(|verdict| reply(encoding, &verdict)),
        }
    }

    /// A number of the connector's own, which no record of this request should hold.
    fn count_bypassed(&self, connector: Option<&mut ConnectorInfo>) {
        let bypassed = connector.and_then(|connector| connector.bypassed.take());
        let reason = ReasonLabels { reason: "connector" };
        self.metrics.bypassed.get_or_create(&reason).inc_by(bypassed.unwrap_or_default());
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
        let start = Instant::now();
        let appended = self.spool.append(records);
        self.metrics.spool_seconds.observe(start.elapsed().as_secs_f64());
        appended.map_err(|cause| {
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
