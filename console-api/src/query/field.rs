//! The fields: what they are called, what they take. The documentation and `GET /attacks/schema` show this table.

/// What a condition is about.
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
pub enum Kind {
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

    /// The name first, then what else it may be called.
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

    pub fn kind(self) -> Kind {
        match self {
            Self::Type
            | Self::Status
            | Self::Severity
            | Self::Method
            | Self::RequestId
            | Self::EdgeRequestId
            | Self::Mark => Kind::Word,
            Self::Host | Self::Path | Self::Parameter | Self::Payload => Kind::Text,
            Self::Ip => Kind::Address,
            Self::Response | Self::Hits | Self::Blocked | Self::Sources => Kind::Number,
            Self::FirstSeen | Self::LastSeen => Kind::Time,
        }
    }

    /// What it means, in a sentence.
    pub fn about(self) -> &'static str {
        match self {
            Self::Type => "The attack's type.",
            Self::Status => "What became of it: blocked, partially_blocked or monitoring.",
            Self::Host => "The host that was asked for.",
            Self::Path => "The path, without the query; cut where a payload in it starts.",
            Self::Parameter => "Where the payload was, as the page shows it.",
            Self::Payload => "What was found, in any hit. Without `*` it may be any part of the payload.",
            Self::Ip => "Where a hit came from.",
            Self::Method => "The method of a hit's request.",
            Self::Severity => "The severity of a hit: low, medium, high or critical.",
            Self::Response => "The status a hit's request was answered with, when it is known.",
            Self::Hits => "How many hits the attack has.",
            Self::Blocked => "How many of them were blocked.",
            Self::Sources => "How many addresses they came from.",
            Self::FirstSeen => "When the attack began.",
            Self::LastSeen => "When its last hit came.",
            Self::RequestId => "The id of a hit's request, as block pages show it.",
            Self::EdgeRequestId => "CloudFront's id of a hit's request (X-Amz-Cf-Id).",
            Self::Mark => "What people say it is: false_positive, true_positive, none, or any of these.",
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

    /// The closest name to one that is none.
    pub(super) fn nearest(name: &str) -> Option<&'static str> {
        let name = name.to_ascii_lowercase();
        let names = Self::ALL.into_iter().flat_map(|field| field.names().iter().copied());
        let close = names.map(|known| (strsim::osa_distance(&name, known), known));
        close.filter(|(distance, known)| *distance <= known.len() / 3).min().map(|(_, known)| known)
    }
}
