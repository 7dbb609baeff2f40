//! The decision on a request: evaluation, records and counters, verdict.

use super::{Node, Refusal, inspect::counted, routed::Routed};
use crate::{
    access_log::Access,
    behaviour::Behaviour,
    block_page::block_page,
    hit,
    mask::Masks,
    policy::{AutomaticLists, GeoIp},
    trace_context::trace_id,
};
use decision::{Evaluation, Evaluator, GeoFields, GeoLocation, Observation, Policy, SourceState, Visitor};
use jiff::Timestamp;
use shared::{
    Action, AttackType, Delivery, Finding, InspectRequest, ListRef, Record, RequestId, Verdict, ruleset::List,
};
use std::net::IpAddr;
use std::time::Instant;

impl Node {
    /// The caller's own `traceparent` names the trace, else the visitor's.
    pub(super) fn decide(
        &self,
        mut request: InspectRequest,
        traceparent: Option<&str>,
    ) -> Result<Verdict, Refusal> {
        let routed = counted(self, self.route(&mut request))?;
        let start = Instant::now();
        let policy = self.policy.get();
        let request_id = *request.request_id.get_or_insert_with(RequestId::random);
        let evaluation = self.evaluate(&policy, &request, &routed, Some(&self.behaviour));
        let took = start.elapsed();
        self.metrics.note(&evaluation, &request.host, took);
        let (delivery, body_truncated) = (request.delivery, request.body_truncated);
        self.recent.note(request_id, !evaluation.findings.is_empty());
        let attack_types = types(&evaluation.findings);
        if let Some(log) = &self.logs.access {
            let told = || request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("traceparent"));
            let traceparent = traceparent.or_else(|| told().map(|(_, value)| value.as_str()));
            log.note(&Access {
                request: &request,
                request_id,
                trace_id: traceparent.and_then(trace_id),
                evaluation: &evaluation,
                attack_types: &attack_types,
                took,
            });
        }
        let masks = Masks::of(&evaluation.rules);
        let Evaluation { mode, ruling, findings, retry_after, decided_by, .. } = evaluation;
        if !findings.is_empty() {
            let decision = ruling.record(mode.clone(), delivery, decided_by.clone());
            let record = hit::record(request, request_id, decision, findings, &masks);
            let kept = self.keep(&[Record::Attack(Box::new(record))]);
            // In line the verdict stands even when its record is lost, which is counted: protection goes before the record.
            if delivery == Delivery::OutOfBand {
                kept?;
            }
        }
        Ok(Verdict {
            request_id,
            action: ruling.action,
            reason: ruling.reason,
            mode: mode.mode,
            mode_source: mode.source,
            would_block: ruling.would_block,
            decided_by,
            attack_types,
            analysis_micros: u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
            body_truncated,
            block: (ruling.action == Action::Block).then(|| block_page(request_id, retry_after)),
        })
    }

    /// Evaluates a request. Nothing is recorded; with `behaviour` given, the request counts for its source.
    pub(super) fn evaluate<'j>(
        &'j self,
        policy: &'j Policy,
        request: &InspectRequest,
        routed: &Routed,
        behaviour: Option<&'j Behaviour>,
    ) -> Evaluation<'j> {
        let sources = Sources { geoip: &self.geoip, automatic: &self.automatic, behaviour };
        let evaluator = Evaluator {
            engine: &self.engine,
            policy,
            sources: &sources,
            mode_allow_override: self.config.load().route_config.mode_allow_override,
            blocking: routed.blocking,
            is_bypassed: routed.is_bypassed,
        };
        evaluator.evaluate(request, &routed.settings, Timestamp::now())
    }
}

/// The node's state about request sources.
struct Sources<'s> {
    geoip: &'s GeoIp,
    automatic: &'s AutomaticLists,
    /// Absent: requests are not counted.
    behaviour: Option<&'s Behaviour>,
}

impl SourceState for Sources<'_> {
    fn locate(&self, address: IpAddr, wanted: GeoFields) -> GeoLocation {
        self.geoip.locate(address, wanted)
    }

    fn automatic_entry(
        &self,
        list: List,
        visitor: &Visitor<'_>,
        now: Timestamp,
    ) -> Option<(ListRef, AttackType)> {
        self.automatic.find(list, visitor, now)
    }

    /// Also puts the source on the lists that follow from its counts.
    fn observe(&self, request: &InspectRequest, findings: &[Finding], now: Timestamp) -> Observation {
        let (Some(behaviour), Some(request_id)) = (self.behaviour, request.request_id) else {
            return Observation::default();
        };
        let observed = behaviour.request(request, request_id, findings, now);
        for listing in &observed.listings {
            listing.put_on(self.automatic, now);
        }
        Observation {
            is_denied: observed.denies(),
            findings: observed.findings,
            retry_after: observed.retry_after,
        }
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
