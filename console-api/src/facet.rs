//! Facets: what each hit has one value of, or none that is known, e.g. the country of its source.

use crate::{grouping::main_finding, user_agent};
use shared::{DecidedBy, Decision, Delivery, Hit, Location, RecordedRequest, Severity, score};
use uuid::Uuid;

/// A field with one value per hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Facet {
    Country,
    Network,
    UserAgent,
    HttpVersion,
    Connector,
    Node,
    Rule,
    Signature,
    Severity,
    Score,
    SeenBy,
}

/// The value of a facet that is not known: of hits that an older version stored, or that have none.
pub const UNKNOWN: &str = "unknown";

/// The maximum length of a value in bytes: it fits an index.
const VALUE_BYTES: usize = 64;

impl Facet {
    pub const ALL: [Self; 11] = [
        Self::Country,
        Self::Network,
        Self::UserAgent,
        Self::HttpVersion,
        Self::Connector,
        Self::Node,
        Self::Rule,
        Self::Signature,
        Self::Severity,
        Self::Score,
        Self::SeenBy,
    ];

    /// The name in the search language.
    pub fn name(self) -> &'static str {
        match self {
            Self::Country => "country",
            Self::Network => "network",
            Self::UserAgent => "user_agent",
            Self::HttpVersion => "http_version",
            Self::Connector => "connector",
            Self::Node => "node",
            Self::Rule => "rule",
            Self::Signature => "signature",
            Self::Severity => "severity",
            Self::Score => "score",
            Self::SeenBy => "seen_by",
        }
    }

    /// The name on pages.
    pub fn title(self) -> &'static str {
        match self {
            Self::Country => "Country",
            Self::Network => "Network",
            Self::UserAgent => "User agent",
            Self::HttpVersion => "HTTP version",
            Self::Connector => "Connector",
            Self::Node => "Node",
            Self::Rule => "Rule",
            Self::Signature => "Signature",
            Self::Severity => "Severity",
            Self::Score => "Score",
            Self::SeenBy => "Seen by",
        }
    }
}

/// The values of a hit.
#[derive(Debug, Default)]
pub(crate) struct Facets([Option<String>; Facet::ALL.len()]);

impl Facets {
    /// `node`: the one that delivered the hit first.
    pub(crate) fn of(
        request: &RecordedRequest,
        decision: &Decision,
        location: &Location,
        node: Uuid,
        hit: &Hit,
    ) -> Self {
        let finding = main_finding(hit);
        let connector = request.connector.as_ref();
        let value = |facet| match facet {
            Facet::Country => location.country.as_ref().map(|code| code.to_ascii_uppercase()),
            Facet::Network => location.asn.map(|number| format!("AS{number}")),
            Facet::UserAgent => user_agent::family(&request.headers).map(str::to_owned),
            Facet::HttpVersion => request.http_version.clone(),
            Facet::Connector => connector.map(|it| it.distribution_id.as_ref().unwrap_or(&it.kind).clone()),
            Facet::Node => Some(node.to_string()),
            Facet::Rule => rule(&decision.decided_by),
            Facet::Signature => finding.map(|finding| finding.signature.clone()),
            Facet::Severity => finding.map(|finding| severity(finding.severity).to_owned()),
            Facet::Score => Some(score(hit).to_string()),
            Facet::SeenBy => Some(seen_by(decision).to_owned()),
        };
        Self(Facet::ALL.map(|facet| value(facet).map(bounded).filter(|value| !value.is_empty())))
    }

    pub(crate) fn get(&self, facet: Facet) -> Option<&str> {
        self.0[facet as usize].as_deref()
    }
}

/// The id of the rule or list entry that decided.
pub(crate) fn rule(decided_by: &DecidedBy) -> Option<String> {
    let rule = decided_by.rule.as_ref().map(|rule| rule.id);
    rule.or(decided_by.list.as_ref().map(|entry| entry.id)).map(|id| id.to_string())
}

/// What the node knew a request from. A request that a function sent, too, is decided by that.
pub(crate) fn seen_by(decision: &Decision) -> &'static str {
    if decision.delivery == Delivery::Log { LOG } else { EDGE }
}

pub const EDGE: &str = "edge";
pub const LOG: &str = "log";

/// The score of the findings of a hit.
pub(crate) fn score(hit: &Hit) -> i64 {
    score::of_request(&hit.findings).into()
}

pub(crate) fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
        Severity::Critical => "critical",
    }
}

fn bounded(mut value: String) -> String {
    value.truncate(value.floor_char_boundary(VALUE_BYTES));
    value
}
