//! From a request to its verdict, with what is recorded and counted on the way.

use super::{Node, Refusal, inspect::counted, routed::Routed};
use crate::{
    access_log::Access,
    behaviour::Behaviour,
    block_page::block_page,
    decision::{Judge, Judgement},
    hit,
    mask::Masks,
    policy::Policy,
    trace_context::trace_id,
};
use shared::{Action, AttackType, Delivery, Finding, InspectRequest, Record, RequestId, Verdict};
use std::time::Instant;

impl Node {
    /// The caller's own `traceparent` names the trace, else the visitor's.
    pub(super) fn inspect(
        &self,
        mut request: InspectRequest,
        traceparent: Option<&str>,
    ) -> Result<Verdict, Refusal> {
        let routed = counted(self, self.route(&mut request))?;
        let start = Instant::now();
        let policy = self.policy.get();
        let request_id = *request.request_id.get_or_insert_with(RequestId::random);
        let judgement = self.judge(&policy, &request, &routed, Some(&self.behaviour));
        let took = start.elapsed();
        self.metrics.note(&judgement, &request.host, took);
        let (delivery, body_truncated) = (request.delivery, request.body_truncated);
        self.recent.note(request_id, !judgement.findings.is_empty());
        let attack_types = types(&judgement.findings);
        if let Some(log) = &self.logs.access {
            let told = || request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("traceparent"));
            let traceparent = traceparent.or_else(|| told().map(|(_, value)| value.as_str()));
            log.note(&Access {
                request: &request,
                request_id,
                trace_id: traceparent.and_then(trace_id),
                judgement: &judgement,
                attack_types: &attack_types,
                took,
            });
        }
        let (mode, decided_by) = (judgement.mode.clone(), judgement.decided_by());
        let masks = Masks::of(&judgement.rules);
        let Judgement { ruling, findings, retry_after, .. } = judgement;
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

    /// Judges a request as it would be now; nothing is recorded, and nothing counted but its source's behaviour, if that is
    /// given.
    pub(super) fn judge<'j>(
        &'j self,
        policy: &'j Policy,
        request: &InspectRequest,
        routed: &Routed,
        behaviour: Option<&'j Behaviour>,
    ) -> Judgement<'j> {
        let judge = Judge {
            engine: &self.engine,
            policy,
            automatic: &self.automatic,
            geoip: &self.geoip,
            behaviour,
            mode_allow_override: self.config.load().route_config.mode_allow_override,
            blocking: routed.blocking,
            is_filtered: routed.is_filtered,
        };
        judge.judge(request, &routed.settings, jiff::Timestamp::now())
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
