//! The evaluation of a request with the node's configuration, policy and state about sources.

use super::{Node, route::RoutedRequest};
use crate::{
    behaviour::Behaviour,
    policy::{AutomaticLists, GeoIp},
};
use decision::{Evaluation, Evaluator, GeoFields, Observation, Policy, SourceState, Visitor};
use jiff::Timestamp;
use shared::{AttackType, Finding, InspectRequest, ListRef, Location, ruleset::List};
use std::net::IpAddr;

impl Node {
    /// Evaluates a request without recording it. With `behaviour`, it counts for its source.
    pub(super) fn evaluate<'j>(
        &'j self,
        policy: &'j Policy,
        request: &InspectRequest,
        route: &RoutedRequest,
        behaviour: Option<&'j Behaviour>,
    ) -> Evaluation<'j> {
        let sources = Sources { geoip: &self.geoip, automatic: &self.automatic, behaviour };
        let evaluator = Evaluator {
            engine: &self.engine,
            policy,
            sources: &sources,
            mode_allow_override: route.mode_allow_override,
            blocking: route.blocking,
            is_bypassed: route.is_bypassed,
        };
        evaluator.evaluate(request, &route.settings, Timestamp::now())
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
    fn locate(&self, address: IpAddr, wanted: GeoFields) -> Location {
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
