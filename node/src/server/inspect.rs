//! Requests to inspect, and the reports on what came of them.

use super::{Node, Refusal, refusal};
use crate::{
    block_page::block_page,
    decision::{self, Ruling},
    hit,
    metrics::{REQUEST, RESPONSE, ReasonLabels},
};
use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use shared::{
    Action, AttackType, ConnectorInfo, Delivery, Encoding, Finding, InspectRequest, Mode, NotInspected,
    Record, RequestId, ResponseReport, Verdict,
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
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
    if body.len() < LARGE_MESSAGE_BYTES {
        let _turn = counted(&node, node.turns.small.turn().await.map_err(Refusal::from))?;
        return node.answer(&headers, &body);
    }
    let turn = counted(&node, node.turns.large.turn().await.map_err(Refusal::from))?;
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
    let (mut report, _) = counted(&node, refusal::message::<ResponseReport>(&headers, &body))?;
    node.count_bypassed(report.connector.as_mut());
    let told = std::mem::take(&mut report.not_inspected);
    node.keep_not_inspected(told)?;
    if !node.recent.is_clean(report.request_id) {
        node.keep(&[Record::Response(report)])?;
    }
    Ok(StatusCode::ACCEPTED)
}

/// One inspection, before it is decided and recorded.
struct Inspected {
    findings: Vec<Finding>,
    took: Duration,
}

impl Node {
    /// From the message to what its sender is told.
    fn answer(&self, headers: &HeaderMap, body: &[u8]) -> Result<Response, Refusal> {
        let (mut request, encoding) = counted(self, refusal::message::<InspectRequest>(headers, body))?;
        self.count_bypassed(request.connector.as_mut());
        let told = std::mem::take(&mut request.not_inspected);
        let delivery = request.delivery;
        let kept = self.keep_not_inspected(told);
        // In line the request is decided even when nothing can be written: protection goes before the record.
        if delivery == Delivery::OutOfBand {
            kept?;
        }
        let verdict = self.inspect(request);
        match delivery {
            Delivery::OutOfBand => verdict.map(|_| StatusCode::ACCEPTED.into_response()),
            Delivery::Inline => verdict.map(|verdict| reply(encoding, &verdict)),
        }
    }

    fn inspect(&self, mut request: InspectRequest) -> Result<Verdict, Refusal> {
        counted(self, self.check_host(&request))?;
        let settings = self.settings_of(&request);
        if settings.application.is_some() {
            request.connector.get_or_insert_default().application = settings.application;
        }
        let mode = settings.mode.clone();
        let delivery = request.delivery;
        let body_truncated = request.body_truncated;
        let request_id = request.request_id.unwrap_or_else(RequestId::random);
        let Inspected { findings, took } = self.analyse(&request, mode.mode);
        let ruling = decision::rule(mode.mode, settings.overlimit, delivery, &findings);
        let attack_types = types(&findings);
        self.recent.note(request_id, !findings.is_empty());
        let (mode_name, mode_source) = (mode.mode, mode.source.clone());
        if !findings.is_empty() {
            let record = hit::record(request, request_id, ruling.record(mode, delivery), findings);
            let kept = self.keep(&[Record::Attack(Box::new(record))]);
            // As above; the loss is counted.
            if delivery == Delivery::OutOfBand {
                kept?;
            }
        }
        self.count(&ruling);
        Ok(Verdict {
            request_id,
            action: ruling.action,
            reason: ruling.reason,
            mode: mode_name,
            mode_source,
            would_block: ruling.would_block,
            attack_types,
            analysis_micros: u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
            body_truncated,
            block: (ruling.action == Action::Block).then(|| block_page(request_id)),
        })
    }

    fn analyse(&self, request: &InspectRequest, mode: Mode) -> Inspected {
        if mode == Mode::Off {
            self.metrics.bypassed.inc();
            return Inspected { findings: Vec::new(), took: Duration::ZERO };
        }
        let start = Instant::now();
        let findings = self.engine.inspect(request).findings;
        let took = start.elapsed();
        self.metrics.note_analysis(took);
        Inspected { findings, took }
    }

    fn count(&self, ruling: &Ruling) {
        if ruling.would_block {
            self.metrics.attacks.inc();
        }
        if ruling.action == Action::Block {
            self.metrics.blocked.inc();
        }
    }

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

    fn keep(&self, records: &[Record]) -> Result<(), Refusal> {
        self.spool.append(records).map_err(|cause| {
            self.metrics.lost.inc_by(records.len() as u64);
            error!("a record is lost: {cause}");
            Refusal::Unavailable
        })
    }
}

fn types(findings: &[Finding]) -> Vec<AttackType> {
    let mut types = Vec::new();
    for finding in findings {
        if !types.contains(&finding.attack_type) {
            types.push(finding.attack_type.clone());
        }
    }
    types
}

fn counted<T>(node: &Node, result: Result<T, Refusal>) -> Result<T, Refusal> {
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
