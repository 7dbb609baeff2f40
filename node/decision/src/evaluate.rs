//! The evaluation of one request: mode, lists, analysis, behavior, ruling.

use crate::{
    Detection, EffectiveMode, Facts, GeoFields, ListMatch, ModeAllowOverride, Policy, RouteSettings, Ruling,
    Visitor, matrix, truncation,
};
use engine::{Engine, rules::RequestRules};
use jiff::Timestamp;
use shared::{
    AttackType, DecidedBy, Delivery, Finding, InspectRequest, ListRef, Location, Mode, Point, Sensitivity,
    Severity,
    point::Tag,
    ruleset::{List, RuleRef},
    score,
};
use std::{net::IpAddr, time::Duration};

/// State about request sources outside the ruleset. Each method defaults to "unknown".
pub trait SourceState {
    /// The wanted fields of an address.
    fn locate(&self, _address: IpAddr, _wanted: GeoFields) -> Location {
        Location::default()
    }

    /// The entry of a list that was added automatically, and the attack type that caused it.
    fn automatic_entry(
        &self,
        _list: List,
        _visitor: &Visitor<'_>,
        _now: Timestamp,
    ) -> Option<(ListRef, AttackType)> {
        None
    }

    /// Counts an analyzed request and its findings for its source.
    fn observe(&self, _request: &InspectRequest, _findings: &[Finding], _now: Timestamp) -> Observation {
        Observation::default()
    }
}

/// No state about sources: for simulations and for `explain`.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSourceState;

impl SourceState for NoSourceState {}

/// The result of counting a request for its source.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Observation {
    /// Recorded with the request.
    pub findings: Vec<Finding>,
    /// The source was put on the denylist because of this request.
    pub is_denied: bool,
    /// The source exceeds a request rate; it may retry after this time.
    pub retry_after: Option<Duration>,
}

impl Observation {
    /// The detection with the source's behavior; a detection in the request takes precedence.
    fn applied_to(&self, detection: Detection) -> Detection {
        match detection {
            Detection::Attack | Detection::VirtualPatch(_) => detection,
            _ if self.retry_after.is_some() => Detection::RateLimit,
            _ if self.is_denied => Detection::Attack,
            Detection::Suspicious if !self.findings.is_empty() => Detection::Nothing,
            _ => detection,
        }
    }
}

/// The engine, the policy and the state that requests are evaluated with.
#[derive(Clone, Copy)]
pub struct Evaluator<'e, 's> {
    pub engine: &'e Engine,
    pub policy: &'e Policy,
    pub sources: &'s dyn SourceState,
    pub mode_allow_override: ModeAllowOverride,
    /// `connector.blocking`: without it no request is blocked.
    pub blocking: bool,
    /// The configured input filters bypass the request. Lists still apply.
    pub is_bypassed: bool,
}

/// The verdict on a request, and everything it is based on.
pub struct Evaluation<'e> {
    pub mode: EffectiveMode,
    pub list_match: ListMatch,
    /// False: a list, a filter or the mode decided, without analysis.
    pub is_analyzed: bool,
    /// The input filters alone prevented the analysis.
    pub is_bypassed: bool,
    pub findings: Vec<Finding>,
    /// The score of the findings in the request.
    pub score: i32,
    /// The sensitivity that the score was compared with.
    pub sensitivity: Sensitivity,
    pub ruling: Ruling,
    /// When a rate-limited source may retry.
    pub retry_after: Option<Duration>,
    pub rules: RequestRules<'e>,
    pub decided_by: DecidedBy,
}

impl<'e> Evaluator<'e, '_> {
    /// An evaluator without state about sources, for requests that wait for their verdict.
    pub fn new(engine: &'e Engine, policy: &'e Policy) -> Self {
        Self {
            engine,
            policy,
            sources: &NoSourceState,
            mode_allow_override: ModeAllowOverride::default(),
            blocking: true,
            is_bypassed: false,
        }
    }

    /// Evaluates a request that arrived at the time `now`, with the settings of its route.
    pub fn evaluate(
        &self,
        request: &InspectRequest,
        settings: &RouteSettings,
        now: Timestamp,
    ) -> Evaluation<'e> {
        let sent = request.connector.as_ref().and_then(|connector| connector.application);
        let application = settings.application.or(sent);
        let book = &self.policy.book;
        let mut rules = book.select_for(&request.host, &request.path, &request.method, application);
        rules.uploads.clone_from(&settings.uploads);
        let mode = settings.mode.clone().overridden(rules.mode, self.mode_allow_override);
        let location = self.sources.locate(request.client_ip, self.policy.lists.wanted_fields());
        let visitor = Visitor {
            address: Some(request.client_ip),
            application,
            country: location.country.as_deref(),
            asn: location.asn,
        };
        let list_match = self.list_match(&visitor, mode.mode, now);
        let can_block = self.blocking && request.delivery == Delivery::Inline;
        let is_due = matrix::is_analyzed(mode.mode, can_block, &list_match);
        let (is_analyzed, is_bypassed) = (is_due && !self.is_bypassed, is_due && self.is_bypassed);
        let (mut findings, mut suppressed_by, mut observation) = <(Vec<_>, Vec<RuleRef>, _)>::default();
        if is_analyzed {
            let inspection = self.engine.inspect_with_rules(request, &rules);
            (findings, suppressed_by) = (inspection.findings, inspection.suppressed_by);
            let action = rules.overlimit.map_or(settings.overlimit, |(_, action)| action);
            findings.extend(truncation::finding(request, action));
        }
        let sensitivity = rules.sensitivity.map_or(settings.sensitivity, |(_, it)| it);
        let score = score::of_request(&findings);
        let is_attack = score >= sensitivity.threshold();
        let detection = Detection::of(request, &findings, is_attack, &rules, settings);
        if is_analyzed {
            let counted = if detection == Detection::Suspicious { &[] } else { &findings[..] };
            observation = self.sources.observe(request, counted, now);
        }
        let detection = observation.applied_to(detection);
        let retry_after = observation.retry_after;
        findings.extend(observation.findings);
        let ruling = Facts { mode: mode.mode, can_block, list_match: &list_match, detection }.ruling();
        if let (ListMatch::Denied(entry, cause), true) = (&list_match, ruling.would_block) {
            findings.push(denied_source(*entry, cause));
        }
        let ruleset = self.policy.summary.version;
        let decided_by =
            DecidedBy { ruleset, rule: ruling.rule, list: ruling.list, silenced_by: suppressed_by };
        Evaluation {
            mode,
            list_match,
            is_analyzed,
            is_bypassed,
            findings,
            score,
            sensitivity,
            ruling,
            retry_after,
            rules,
            decided_by,
        }
    }

    /// The first list that matches. Mode `off` looks nothing up.
    fn list_match(&self, visitor: &Visitor<'_>, mode: Mode, now: Timestamp) -> ListMatch {
        if mode == Mode::Off {
            return ListMatch::Unlisted;
        }
        let by_console = |list| self.policy.lists.find(list, visitor, now);
        let automatic = |list| self.sources.automatic_entry(list, visitor, now);
        if let Some(entry) = by_console(List::Allow) {
            return ListMatch::Allowed(entry);
        }
        if let Some(entry) = by_console(List::Deny) {
            return ListMatch::Denied(entry, AttackType::BlockedSource);
        }
        if let Some((entry, cause)) = automatic(List::Deny) {
            return ListMatch::Denied(entry, cause);
        }
        let grayed = by_console(List::Gray).or_else(|| automatic(List::Gray).map(|(entry, _)| entry));
        grayed.map_or(ListMatch::Unlisted, ListMatch::Grayed)
    }
}

/// The finding that is recorded for a request from a denied source.
fn denied_source(entry: ListRef, cause: &AttackType) -> Finding {
    Finding {
        attack_type: cause.clone(),
        point: Point::new(Tag::RemoteAddr),
        signature: format!("list-{}", entry.id),
        class: None,
        severity: Severity::Medium,
        payload: String::new(),
        span: (0, 0),
        decoded: Vec::new(),
        score: Vec::new(),
    }
}
