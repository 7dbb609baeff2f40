//! `POST /v1/inspect/request` and `/v1/inspect/response`: requests, and reports on responses.

use super::{
    Message, Node, Refusal, SignedMessage,
    metrics::{Evaluated, REQUEST, RESPONSE, ServerMetrics},
};
use crate::{
    block_page::block_page,
    connectors::Unseen,
    cut, hit,
    log::access::Access,
    mask::{self, Masks},
    recent::{Entry, Sighting},
    trace_context::trace_id,
};
use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use decision::Evaluation;
use jiff::Timestamp;
use shared::{
    Action, AttackType, ConnectorInfo, Delivery, Encoding, InspectRequest, NotInspected, Record, RequestId,
    ResponseReport, Verdict,
};
use std::{
    mem,
    sync::Arc,
    time::{Duration, Instant},
};
use tracing::error;

/// From this size on a message is decoded and analyzed outside the threads that serve connections:
/// it takes as long as hundreds of small ones.
const LARGE_MESSAGE_BYTES: usize = 128 << 10;

/// Replies with a verdict inline, with 202 out of band. Hits are in the spool before either leaves.
pub(super) async fn request(
    State(node): State<Arc<Node>>,
    SignedMessage(message): SignedMessage,
) -> Result<Response, Refusal> {
    node.metrics.received(&REQUEST, &message);
    let is_large = message.body.len() >= LARGE_MESSAGE_BYTES;
    let admission = if is_large { &node.admission.large } else { &node.admission.small };
    let arrived = Instant::now();
    let permit = admission.acquire().await;
    node.metrics.queue_seconds.observe(arrived.elapsed().as_secs_f64());
    let permit = permit?;
    if !is_large {
        return node.inspect(&message);
    }
    let inspected = tokio::task::spawn_blocking(move || {
        let response = node.inspect(&message);
        drop(permit);
        response
    });
    inspected.await.unwrap_or(Err(Refusal::Internal))
}

/// Records a report, unless this node inspected its request without a hit. Other nodes may have
/// inspected it.
pub(super) async fn response(
    State(node): State<Arc<Node>>,
    SignedMessage(message): SignedMessage,
) -> Result<StatusCode, Refusal> {
    node.metrics.received(&RESPONSE, &message);
    let (mut report, _) = message.decode::<ResponseReport>()?;
    let now = Timestamp::now();
    if let Some(key) = node.config.load().records.digest_key() {
        mask::mask_response(&mut report.headers, key);
    }
    let not_inspected = mem::take(&mut report.not_inspected);
    node.connector_called(report.connector.as_mut(), None, not_inspected.len(), None, now);
    node.record_not_inspected(not_inspected)?;
    for listing in node.behaviour.response(report.request_id, report.status, now) {
        listing.put_on(&node.automatic, now);
    }
    if !node.recent.is_clean(report.request_id) {
        node.append(&[Record::Response(cut::report(report))])?;
    }
    Ok(StatusCode::ACCEPTED)
}

impl Node {
    /// Decides a request, records it, replies.
    fn inspect(&self, message: &Message) -> Result<Response, Refusal> {
        let (mut request, encoding) = message.decode::<InspectRequest>()?;
        let delivery = request.delivery;
        let not_inspected = mem::take(&mut request.not_inspected);
        let unseen = Unseen::of(&request);
        if let Some(Unseen(bytes)) = unseen {
            self.metrics.truncated.count(bytes);
        }
        let (connector, reported) = (request.connector.as_mut(), not_inspected.len());
        self.connector_called(connector, Some(delivery), reported, unseen, Timestamp::now());
        let reports_recorded = self.record_not_inspected(not_inspected);
        // Inline, a failing spool does not prevent the decision: protection precedes records.
        if delivery != Delivery::Inline {
            reports_recorded?;
        }
        let route = self.route(&mut request)?;
        let policy = self.policy.get();
        request.request_id.get_or_insert_with(RequestId::random);
        let start = Instant::now();
        let evaluation = self.evaluate(&policy, &request, &route, Some(&self.behaviour));
        let (verdict, recorded) = self.record(request, evaluation, start.elapsed(), message);
        match delivery {
            Delivery::OutOfBand | Delivery::Log => recorded.map(|()| StatusCode::ACCEPTED.into_response()),
            Delivery::Inline => Ok(reply(encoding, &verdict)),
        }
    }

    /// Counts and logs an evaluation and writes its hits to the spool. Returns the verdict, and
    /// whether the hits are stored.
    fn record(
        &self,
        request: InspectRequest,
        evaluation: Evaluation<'_>,
        took: Duration,
        message: &Message,
    ) -> (Verdict, Result<(), Refusal>) {
        let now = Timestamp::now();
        if let Some(log) = &self.logs.access {
            let request_id = request.request_id.unwrap_or_else(RequestId::random);
            let attack_types = &attack_types(&evaluation)[..];
            let trace_id = traceparent(message, &request).and_then(trace_id);
            let (request, evaluation) = (&request, &evaluation);
            log.log(&Access { request, request_id, trace_id, evaluation, attack_types, took });
        }
        let evaluated = Evaluated::of(&evaluation, took);
        self.metrics.evaluated(&evaluated, &request.host);
        let (verdict, record) = self.decide(request, evaluation, took, now);
        let sighting = Sighting::BY_CONNECTOR.with(Sighting::HAD_HITS, record.is_some());
        let sighting = sighting.with(Sighting::INSPECTED, evaluated.is_inspected());
        self.remember(verdict.request_id, sighting, now);
        (verdict, record.map_or(Ok(()), |record| self.append(&[record])))
    }

    /// Decides on a request of the time `at`. Returns the verdict, and the record if there are hits.
    pub(super) fn decide(
        &self,
        request: InspectRequest,
        evaluation: Evaluation<'_>,
        took: Duration,
        at: Timestamp,
    ) -> (Verdict, Option<Record>) {
        let request_id = request.request_id.unwrap_or_else(RequestId::random);
        let attack_types = attack_types(&evaluation);
        let Evaluation { mode, ruling, findings, retry_after, decided_by, rules, .. } = evaluation;
        let verdict = Verdict {
            request_id,
            action: ruling.action,
            reason: ruling.reason.clone(),
            mode: mode.mode,
            mode_source: mode.source.clone(),
            would_block: ruling.would_block,
            decided_by: decided_by.clone(),
            attack_types,
            analysis_micros: u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
            body_truncated: request.body_truncated,
            block: (ruling.action == Action::Block).then(|| block_page(request_id, retry_after)),
        };
        if findings.is_empty() {
            return (verdict, None);
        }
        let decision = ruling.record(mode, request.delivery, decided_by);
        let config = self.config.load();
        let masks = Masks::of(&rules, config.records.digest_key());
        let location = self.geoip.locate(request.client_ip, self.geoip.fields());
        let record = hit::record(request, (request_id, at), decision, location, findings, &masks);
        (verdict, Some(Record::Attack(Box::new(record))))
    }

    /// Remembers the calling connector, and counts the requests it bypassed; the number is removed
    /// from the message, as records do not contain it.
    fn connector_called(
        &self,
        connector: Option<&mut ConnectorInfo>,
        delivery: Option<Delivery>,
        not_inspected: usize,
        unseen: Option<Unseen>,
        now: Timestamp,
    ) {
        let Some(connector) = connector else { return };
        self.connectors.seen(connector, delivery, not_inspected, unseen, now);
        let bypassed = connector.bypassed.take().unwrap_or_default();
        ServerMetrics::count(&self.metrics.bypassed, "connector", bypassed);
    }

    /// Writes reports on requests that were not inspected. The connector forgets them after the
    /// reply, so they are on disk before it.
    fn record_not_inspected(&self, reports: Vec<NotInspected>) -> Result<(), Refusal> {
        if reports.is_empty() {
            return Ok(());
        }
        self.metrics.not_inspected.inc_by(reports.len() as u64);
        let now = Timestamp::now();
        for report in &reports {
            self.remember(report.request_id, Sighting::FAILED_OPEN, now);
        }
        self.append(
            &reports.into_iter().map(cut::not_inspected).map(Record::NotInspected).collect::<Vec<_>>(),
        )
    }

    /// Remembers what a connector reported of a request.
    fn remember(&self, request_id: RequestId, sighting: Sighting, now: Timestamp) {
        let entry = Entry::new(request_id, sighting);
        self.recent.record(entry, now);
        if self.reads_logs {
            self.journal.record_connector(entry);
        }
    }

    pub(super) fn append(&self, records: &[Record]) -> Result<(), Refusal> {
        let start = Instant::now();
        let appended = self.spool.append(records);
        self.metrics.spool_seconds.observe(start.elapsed().as_secs_f64());
        appended.map_err(|cause| {
            self.metrics.lost.inc_by(records.len() as u64);
            error!("{} records are lost: {cause}", records.len());
            Refusal::Unavailable
        })
    }
}

/// The call's own `traceparent`, or the one of the request it carries.
fn traceparent<'m>(message: &'m Message, request: &'m InspectRequest) -> Option<&'m str> {
    let sent = || request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("traceparent"));
    message.header("traceparent").or_else(|| sent().map(|(_, value)| value.as_str()))
}

/// The types of an attack; none below the threshold of the sensitivity.
fn attack_types(evaluation: &Evaluation<'_>) -> Vec<AttackType> {
    let mut types = Vec::new();
    let is_suspicious = evaluation.ruling.is_suspicious;
    for finding in evaluation.findings.iter().filter(|_| !is_suspicious) {
        if !types.contains(&finding.attack_type) {
            types.push(finding.attack_type.clone());
        }
    }
    types
}

fn reply(encoding: Encoding, verdict: &Verdict) -> Response {
    match encoding.encode(verdict) {
        Ok(body) => ([(header::CONTENT_TYPE, encoding.content_type())], body).into_response(),
        Err(cause) => {
            error!("cannot encode a verdict: {cause}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
