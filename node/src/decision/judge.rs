//! A request, the configuration and the policy → a judgement. Reads no clock, and writes nothing but counts of behaviour
//! and the lists they fill.

use super::{EffectiveMode, Facts, Found, ModeAllowOverride, Ruling, matrix, rule};
use crate::{
    behaviour::{Behaviour, Observed},
    policy::{AutomaticLists, GeoIp, Policy, Standing, Visitor},
    routes::RouteSettings,
};
use engine::{Engine, rules::RequestRules};
use jiff::Timestamp;
use shared::{
    AttackType, DecidedBy, Delivery, Finding, InspectRequest, ListRef, Mode, Point, Severity,
    point::Tag,
    ruleset::{List, RuleRef},
};
use std::time::Duration;

/// What requests are judged by.
#[derive(Clone, Copy)]
pub struct Judge<'j> {
    pub engine: &'j Engine,
    pub policy: &'j Policy,
    pub automatic: &'j AutomaticLists,
    pub geoip: &'j GeoIp,
    pub mode_allow_override: ModeAllowOverride,
    /// Absent: the request is not counted, as when it is explained.
    pub behaviour: Option<&'j Behaviour>,
    /// The master switch of the configuration.
    pub blocking: bool,
    /// The configuration's input filters want the request bypassed. Lists hold for it all the same.
    pub is_filtered: bool,
}

/// What is made of a request.
pub struct Judgement<'j> {
    pub mode: EffectiveMode,
    pub standing: Standing,
    /// False: it was let through or turned away unread.
    pub is_analysed: bool,
    /// Nothing but the input filters kept it from being analysed.
    pub is_filtered: bool,
    pub findings: Vec<Finding>,
    pub ruling: Ruling,
    /// When a request that came too early may come again.
    pub retry_after: Option<Duration>,
    pub rules: RequestRules<'j>,
    silenced_by: Vec<RuleRef>,
    ruleset: Option<u64>,
}

impl<'j> Judge<'j> {
    /// Judges a request for which the configuration gives these settings.
    pub fn judge(self, request: &InspectRequest, settings: &RouteSettings, now: Timestamp) -> Judgement<'j> {
        let known = request.connector.as_ref().and_then(|connector| connector.application);
        let application = settings.application.or(known);
        let book = &self.policy.book;
        let rules = book.of_request(&request.host, &request.path, &request.method, application);
        let mode = settings.mode.clone().overridden(rules.mode, self.mode_allow_override);
        let place = self.geoip.place(request.client_ip, self.policy.lists.asks());
        let visitor = Visitor {
            address: Some(request.client_ip),
            application,
            country: place.country.as_deref(),
            asn: place.asn,
        };
        let standing = self.standing(&visitor, mode.mode, now);
        let may_block = self.blocking && request.delivery == Delivery::Inline;
        let is_due = matrix::is_analysed(mode.mode, may_block, &standing);
        let (is_analysed, is_filtered) = (is_due && !self.is_filtered, is_due && self.is_filtered);
        let (mut findings, mut silenced_by) = (Vec::new(), Vec::new());
        if is_analysed {
            let inspection = self.engine.inspect_under(request, &rules);
            (findings, silenced_by) = (inspection.findings, inspection.suppressed_by);
        }
        let found = Found::of(&findings, rules.virtual_patch(&findings), rules.overlimit, settings.overlimit);
        let observed = if is_analysed { self.observe(request, &findings, now) } else { Observed::default() };
        let (found, retry_after) = (found.or_observed(&observed), observed.retry_after);
        findings.extend(observed.findings);
        let ruling = rule(&Facts { mode: mode.mode, may_block, standing: &standing, found });
        if let (Standing::Denied(entry, cause), true) = (&standing, ruling.would_block) {
            findings.push(turned_away(*entry, cause));
        }
        let ruleset = self.policy.summary.version;
        Judgement {
            mode,
            standing,
            is_analysed,
            is_filtered,
            findings,
            ruling,
            retry_after,
            rules,
            silenced_by,
            ruleset,
        }
    }

    /// Counts the request, and puts its source on the lists that follow from the count.
    fn observe(self, request: &InspectRequest, findings: &[Finding], now: Timestamp) -> Observed {
        let (Some(behaviour), Some(request_id)) = (self.behaviour, request.request_id) else {
            return Observed::default();
        };
        let observed = behaviour.request(request, request_id, findings, now);
        for listing in &observed.listings {
            listing.put_on(self.automatic, now);
        }
        observed
    }

    /// The first list that holds. In mode `off` nobody looks.
    fn standing(self, visitor: &Visitor<'_>, mode: Mode, now: Timestamp) -> Standing {
        if mode == Mode::Off {
            return Standing::Unlisted;
        }
        let (lists, automatic) = (&self.policy.lists, self.automatic);
        let by_console = |list| lists.find(list, visitor, now);
        if let Some(entry) = by_console(List::Allow) {
            return Standing::Allowed(entry);
        }
        if let Some(entry) = by_console(List::Deny) {
            return Standing::Denied(entry, AttackType::BlockedSource);
        }
        if let Some((entry, cause)) = automatic.find(List::Deny, visitor, now) {
            return Standing::Denied(entry, cause);
        }
        let grayed = by_console(List::Gray);
        let grayed = grayed.or_else(|| automatic.find(List::Gray, visitor, now).map(|(entry, _)| entry));
        grayed.map_or(Standing::Unlisted, Standing::Grayed)
    }
}

impl Judgement<'_> {
    /// What of the console's had a say.
    pub fn decided_by(&self) -> DecidedBy {
        DecidedBy {
            ruleset: self.ruleset,
            rule: self.ruling.rule,
            list: self.ruling.list,
            silenced_by: self.silenced_by.clone(),
        }
    }
}

/// What is recorded of a request whose source is denied.
fn turned_away(entry: ListRef, cause: &AttackType) -> Finding {
    Finding {
        attack_type: cause.clone(),
        point: Point::new(Tag::RemoteAddr),
        signature: format!("list-{}", entry.id),
        class: None,
        severity: Severity::Medium,
        payload: String::new(),
        span: (0, 0),
        decoded: Vec::new(),
    }
}
