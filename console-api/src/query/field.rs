//! Fields of the search language: names, kinds of values, descriptions and examples. The
//! documentation and `GET /attacks/schema` show this table.

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
    Severity,
    Response,
    Hits,
    Blocked,
    Sources,
    FirstSeen,
    LastSeen,
    RequestId,
    EdgeRequestId,
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
    pub const ALL: [Self; 18] = [
        Self::Type,
        Self::Status,
        Self::Host,
        Self::Path,
        Self::Parameter,
        Self::Payload,
        Self::Ip,
        Self::Method,
        Self::Severity,
        Self::Response,
        Self::Hits,
        Self::Blocked,
        Self::Sources,
        Self::FirstSeen,
        Self::LastSeen,
        Self::RequestId,
        Self::EdgeRequestId,
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
            Self::Severity => &["severity"],
            Self::Response => &["response", "statuscode"],
            Self::Hits => &["hits"],
            Self::Blocked => &["blocked"],
            Self::Sources => &["sources"],
            Self::FirstSeen => &["first_seen", "started"],
            Self::LastSeen => &["last_seen"],
            Self::RequestId => &["request_id"],
            Self::EdgeRequestId => &["edge_request_id", "cloudfront_id"],
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
            Self::Type
            | Self::Status
            | Self::Severity
            | Self::Method
            | Self::RequestId
            | Self::EdgeRequestId
            | Self::Mark => ValueKind::Word,
            Self::Host | Self::Path | Self::Parameter | Self::Payload => ValueKind::Text,
            Self::Ip => ValueKind::Address,
            Self::Response | Self::Hits | Self::Blocked | Self::Sources => ValueKind::Number,
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
            Self::Severity => "The severity of a hit: low, medium, high or critical.",
            Self::Response => "Response status of a hit's request, if known.",
            Self::Hits => "Number of hits.",
            Self::Blocked => "Number of blocked hits.",
            Self::Sources => "Number of source addresses.",
            Self::FirstSeen => "Time of the first hit.",
            Self::LastSeen => "Time of the last hit.",
            Self::RequestId => "Request id of a hit, as shown on block pages.",
            Self::EdgeRequestId => "CloudFront's request id of a hit (X-Amz-Cf-Id).",
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
            Self::Severity => "severity:high,critical",
            Self::Response => "response:5xx",
            Self::Hits => "hits:>=100",
            Self::Blocked => "blocked:0",
            Self::Sources => "sources:2..10",
            Self::FirstSeen => "first_seen:>-7d",
            Self::LastSeen => "last_seen:2026-01-01..2026-01-31",
            Self::RequestId => "request_id:0f3c2d9a8b7e6f5a4c3b2a1908f7e6d5",
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
