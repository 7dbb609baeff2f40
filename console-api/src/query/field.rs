//! Fields of the search language: names, kinds of values, descriptions and examples. The
//! documentation and `GET /attacks/schema` show this table.

use crate::facet::Facet;

/// The field of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    Type,
    Status,
    Host,
    Path,
    Parameter,
    Payload,
    Ip,
    Method,
    Action,
    Facet(Facet),
    Response,
    Hits,
    Blocked,
    Sources,
    FirstSeen,
    LastSeen,
    RequestId,
    EdgeRequestId,
    /// The attack itself.
    Attack,
    Mark,
}

/// What a field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Kind)]
pub enum ValueKind {
    /// One of a few words.
    Word,
    /// Text; with `*` and `?` a pattern.
    Text,
    /// A number, `>100`, `100..200`, `4xx` (statuses).
    Number,
    /// A time, `>-24h`, `2026-01-01..2026-01-31`.
    Time,
    /// An address, a network, or two addresses with `-` between them.
    Address,
}

impl Field {
    pub const ALL: [Self; 30] = [
        Self::Type,
        Self::Status,
        Self::Host,
        Self::Path,
        Self::Parameter,
        Self::Payload,
        Self::Ip,
        Self::Method,
        Self::Action,
        Self::Facet(Facet::Country),
        Self::Facet(Facet::Network),
        Self::Facet(Facet::UserAgent),
        Self::Facet(Facet::HttpVersion),
        Self::Facet(Facet::Connector),
        Self::Facet(Facet::Node),
        Self::Facet(Facet::Rule),
        Self::Facet(Facet::Signature),
        Self::Facet(Facet::Severity),
        Self::Facet(Facet::Score),
        Self::Facet(Facet::SeenBy),
        Self::Response,
        Self::Hits,
        Self::Blocked,
        Self::Sources,
        Self::FirstSeen,
        Self::LastSeen,
        Self::RequestId,
        Self::EdgeRequestId,
        Self::Attack,
        Self::Mark,
    ];

    /// The name, then its aliases.
    pub fn names(self) -> &'static [&'static str] {
        match self {
            Self::Type => &["type", "attack_type"],
            Self::Status => &["status"],
            Self::Host => &["host", "domain"],
            Self::Path => &["path", "url"],
            Self::Parameter => &["parameter", "param", "point"],
            Self::Payload => &["payload"],
            Self::Ip => &["ip", "source"],
            Self::Method => &["method"],
            Self::Action => &["action"],
            Self::Facet(Facet::Country) => &["country"],
            Self::Facet(Facet::Network) => &["network", "asn"],
            Self::Facet(Facet::UserAgent) => &["user_agent", "agent"],
            Self::Facet(Facet::HttpVersion) => &["http_version"],
            Self::Facet(Facet::Connector) => &["connector"],
            Self::Facet(Facet::Node) => &["node"],
            Self::Facet(Facet::Rule) => &["rule"],
            Self::Facet(Facet::Signature) => &["signature"],
            Self::Facet(Facet::Severity) => &["severity"],
            Self::Facet(Facet::Score) => &["score"],
            Self::Facet(Facet::SeenBy) => &["seen_by"],
            Self::Response => &["response", "statuscode"],
            Self::Hits => &["hits"],
            Self::Blocked => &["blocked"],
            Self::Sources => &["sources"],
            Self::FirstSeen => &["first_seen", "started"],
            Self::LastSeen => &["last_seen"],
            Self::RequestId => &["request_id"],
            Self::EdgeRequestId => &["edge_request_id", "cloudfront_id"],
            Self::Attack => &["attack", "attack_id"],
            Self::Mark => &["mark"],
        }
    }

    pub fn name(self) -> &'static str {
        self.names()[0]
    }

    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.names().iter().any(|known| known.eq_ignore_ascii_case(name)))
    }

    pub fn kind(self) -> ValueKind {
        match self {
            Self::Response | Self::Hits | Self::Blocked | Self::Sources | Self::Facet(Facet::Score) => {
                ValueKind::Number
            }
            Self::Facet(_)
            | Self::Type
            | Self::Status
            | Self::Method
            | Self::Action
            | Self::RequestId
            | Self::EdgeRequestId
            | Self::Attack
            | Self::Mark => ValueKind::Word,
            Self::Host | Self::Path | Self::Parameter | Self::Payload => ValueKind::Text,
            Self::Ip => ValueKind::Address,
            Self::FirstSeen | Self::LastSeen => ValueKind::Time,
        }
    }

    /// Description for the schema and the docs.
    pub fn about(self) -> &'static str {
        match self {
            Self::Type => "The attack type.",
            Self::Status => "Status: blocked, partially_blocked, monitoring or suspicious.",
            Self::Host => "The requested host.",
            Self::Path => "The path without the query, truncated where a payload starts.",
            Self::Parameter => "The point of the payload, as shown on pages.",
            Self::Payload => "The payload of a hit. Without `*`, any part of it.",
            Self::Ip => "Source address of a hit.",
            Self::Method => "The method of a hit's request.",
            Self::Action => "What happened to a hit's request: blocked, passed, suspicious (passed), or any.",
            Self::Facet(Facet::Country) => "Country of a hit's source, by its code, or unknown.",
            Self::Facet(Facet::Network) => "Autonomous system (network) of a hit's source, or unknown.",
            Self::Facet(Facet::UserAgent) => "Family of a hit's user agent, or unknown.",
            Self::Facet(Facet::HttpVersion) => "HTTP version of a hit's request, or unknown.",
            Self::Facet(Facet::Connector) => {
                "Distribution, or else kind, of the connector that sent a hit's request."
            }
            Self::Facet(Facet::Node) => "Node that reported a hit.",
            Self::Facet(Facet::Rule) => "Rule or list entry that decided on a hit, by its id, or unknown.",
            Self::Facet(Facet::Signature) => "Signature of a hit's most severe finding.",
            Self::Facet(Facet::Severity) => "The severity of a hit: low, medium, high or critical.",
            Self::Facet(Facet::Score) => "Score of a hit's findings.",
            Self::Facet(Facet::SeenBy) => {
                "What saw a hit's request: edge (a function sent it) or log (only an access log)."
            }
            Self::Response => "Response status of a hit's request, if known.",
            Self::Hits => "Number of hits.",
            Self::Blocked => "Number of blocked hits.",
            Self::Sources => "Number of source addresses.",
            Self::FirstSeen => "Time of the first hit.",
            Self::LastSeen => "Time of the last hit.",
            Self::RequestId => "Request id of a hit, as shown on block pages.",
            Self::EdgeRequestId => "CloudFront's request id of a hit (X-Amz-Cf-Id).",
            Self::Attack => "The attack of this id, also after it was merged into another one.",
            Self::Mark => "Mark: false_positive, true_positive, none, or any.",
        }
    }

    pub fn example(self) -> &'static str {
        match self {
            Self::Type => "type:sqli,xss",
            Self::Status => "status:blocked",
            Self::Host => "host:*.example.com",
            Self::Path => "path:/api/*",
            Self::Parameter => "parameter:\"get > id\"",
            Self::Payload => "payload:\"union select\"",
            Self::Ip => "-ip:10.0.0.0/8",
            Self::Method => "method:POST",
            Self::Action => "action:blocked",
            Self::Facet(Facet::Country) => "country:DE,FR",
            Self::Facet(Facet::Network) => "network:AS64500",
            Self::Facet(Facet::UserAgent) => "user_agent:curl,sqlmap",
            Self::Facet(Facet::HttpVersion) => "http_version:2.0",
            Self::Facet(Facet::Connector) => "connector:E2EXAMPLE",
            Self::Facet(Facet::Node) => "node:0198b2f0-2f6e-7c3a-9a51-1f2e3d4c5b6a",
            Self::Facet(Facet::Rule) => "rule:0198b2f0-2f6e-7c3a-9a51-1f2e3d4c5b6a",
            Self::Facet(Facet::Signature) => "signature:sqli-tautology",
            Self::Facet(Facet::Severity) => "severity:high,critical",
            Self::Facet(Facet::Score) => "score:>=5",
            Self::Facet(Facet::SeenBy) => "seen_by:log",
            Self::Response => "response:5xx",
            Self::Hits => "hits:>=100",
            Self::Blocked => "blocked:0",
            Self::Sources => "sources:2..10",
            Self::FirstSeen => "first_seen:>-7d",
            Self::LastSeen => "last_seen:2026-01-01..2026-01-31",
            Self::RequestId => "request_id:0f3c2d9a8b7e6f5a4c3b2a1908f7e6d5",
            Self::Attack => "attack:0198b2f0-2f6e-7c3a-9a51-1f2e3d4c5b6a",
            Self::Mark => "mark:false_positive",
            Self::EdgeRequestId => {
                "edge_request_id:\"4TyzHTaYWb1GX1qTfsHhEqV6HUDd_BzoBZnwfnvQc_1oF26ClkoUSEQ==\""
            }
        }
    }

    /// The known name that is closest to an unknown one, if it is similar.
    pub(super) fn nearest(name: &str) -> Option<&'static str> {
        let name = name.to_ascii_lowercase();
        let names = Self::ALL.into_iter().flat_map(|field| field.names().iter().copied());
        let close = names.map(|known| (strsim::osa_distance(&name, known), known));
        close.filter(|(distance, known)| *distance <= known.len() / 3).min().map(|(_, known)| known)
    }
}
