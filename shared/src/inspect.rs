//! Messages between connector and node: requests to inspect, verdicts, and response reports.

use crate::{
    AttackType, Body, Mode, RequestId,
    ruleset::{List, RuleRef},
    text_enum::text_enum,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A viewer request to inspect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InspectRequest {
    /// Without it, the node creates one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<RequestId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connector: Option<ConnectorInfo>,
    #[serde(default)]
    pub delivery: Delivery,
    #[serde(with = "crate::as_text")]
    pub client_ip: std::net::IpAddr,
    pub method: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheme: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_version: Option<String>,
    /// The viewer's host where it is known, else the origin's. Routes match it.
    pub host: String,
    /// As sent by the viewer, not decoded.
    pub path: String,
    /// Without the `?`; empty when there is none.
    #[serde(default)]
    pub query: String,
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Body>,
    /// The body was truncated; the verdict covers the part in `body`.
    #[serde(default)]
    pub body_truncated: bool,
    /// The rest of a truncated body. Absent from older connectors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unseen_body: Option<UnseenBody>,
    /// Earlier requests that were not inspected. Each is reported until a call succeeds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_inspected: Vec<NotInspected>,
}

/// The part of a truncated body that the node does not receive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnseenBody {
    /// Its length; absent if the viewer did not announce it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    pub policy: TruncationPolicy,
}

text_enum! {
    /// What is refused of requests with a truncated body, besides attacks in the visible part.
    TruncationPolicy {
        /// Nothing: a later stage inspects the request with more of its body.
        LaterStage = "later_stage",
        /// Text whose visible part is padding.
        Padding = "padding",
        /// Text, which an interpreter would read to its end. Data passes.
        Text = "text",
        /// Nothing.
        Inspect = "inspect",
    }
}

/// The calling connector and its trigger.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConnectorInfo {
    pub kind: String,
    pub version: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<Trigger>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distribution_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distribution_domain: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edge_request_id: Option<String>,
    /// The protected application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<u32>,
    /// Requests that the parameters exempted from inspection since the last successful call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bypassed: Option<u64>,
}

text_enum! {
    /// The triggers of Lambda@Edge functions.
    Trigger {
        ViewerRequest = "viewer-request",
        OriginRequest = "origin-request",
        OriginResponse = "origin-response",
        ViewerResponse = "viewer-response",
    }
}

impl Trigger {
    /// Triggers of the request function; the others belong to the response function.
    pub fn is_request(&self) -> bool {
        matches!(self, Self::ViewerRequest | Self::OriginRequest)
    }

    /// Origin triggers run only for requests that the cache does not answer.
    pub fn is_origin(&self) -> bool {
        matches!(self, Self::OriginRequest | Self::OriginResponse)
    }
}

/// Whether the request waits for the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// The request waits.
    #[default]
    Inline,
    /// From CloudFront's log, after the response. Connectors do not send it.
    Log,
    /// The request was forwarded; this is a copy. The node replies 202 when the copy is stored.
    OutOfBand,
}

/// The decision about an in-line request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    pub request_id: RequestId,
    pub action: Action,
    pub reason: Option<Reason>,
    pub mode: Mode,
    /// The setting that determines the mode, e.g. `config` or `route:/api`.
    pub mode_source: String,
    /// Whether mode `block` would block.
    pub would_block: bool,
    #[serde(default, skip_serializing_if = "DecidedBy::is_empty")]
    pub decided_by: DecidedBy,
    #[serde(default)]
    pub attack_types: Vec<AttackType>,
    pub analysis_micros: u64,
    #[serde(default)]
    pub body_truncated: bool,
    /// The response when `action` is `block`. The connector's own block page takes precedence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block: Option<BlockResponse>,
}

/// The rules and list entries that determined a decision, in addition to the mode.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DecidedBy {
    /// The version of the active ruleset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ruleset: Option<u64>,
    /// The virtual patch that blocks, or the rule on requests over the analysis limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleRef>,
    /// The list entry that determined the decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<ListRef>,
    /// Exclusions that suppressed findings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub silenced_by: Vec<RuleRef>,
}

/// Reference to a list entry in verdicts and hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ListRef {
    pub list: List,
    #[serde(with = "crate::as_text")]
    pub id: Uuid,
}

impl DecidedBy {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Action for the request. An unknown action is an error: the request counts as not inspected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    Allow,
    Block,
}

text_enum! {
    /// Why a request was, or in mode `block` would be, blocked.
    Reason {
        Attack = "attack",
        VirtualPatch = "virtual_patch",
        Denylist = "denylist",
        RateLimit = "rate_limit",
        Overlimit = "overlimit",
    }
}

/// The HTTP response to a blocked request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockResponse {
    pub status: u16,
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    #[serde(default)]
    pub body: String,
}

/// Report on a response, sent by the response function after its reply.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ResponseReport {
    pub request_id: RequestId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connector: Option<ConnectorInfo>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edge_request_id: Option<String>,
    pub status: u16,
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// Of a response that is known from CloudFront's log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logged: Option<Box<LoggedResponse>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_inspected: Vec<NotInspected>,
}

/// How CloudFront answered a request, from its log. Result types are CloudFront's words, such as
/// `Hit`, `Error` or `LimitExceeded`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LoggedResponse {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_result_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detailed_result_type: Option<String>,
    /// Sent to the visitor, with headers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_taken_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edge_location: Option<String>,
    /// Of the cache behavior.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_pattern: Option<String>,
    /// Of the visitor's connection, e.g. `TLSv1.3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_version: Option<String>,
}

impl LoggedResponse {
    /// Whether the cache answered without the origin.
    pub fn is_cached(&self) -> bool {
        matches!(self.result_type.as_deref(), Some("Hit" | "OriginShieldHit"))
    }

    /// CloudFront's word for an answer of its own, without a function and without the origin.
    pub fn answered(&self) -> Option<&str> {
        let detail = self.detailed_result_type.as_deref().unwrap_or_default();
        match self.result_type.as_deref()? {
            result @ ("Redirect" | "LimitExceeded" | "CapacityExceeded") => Some(result),
            "Error" if detail == "ClientGeoBlocked" || detail.starts_with("InvalidRequest") => Some(detail),
            _ => None,
        }
    }
}

/// A request without a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NotInspected {
    /// Deduplicates repeated reports.
    #[serde(with = "crate::as_text")]
    pub id: Uuid,
    pub request_id: RequestId,
    pub reason: NotInspectedReason,
    pub at: Timestamp,
}

text_enum! {
    /// Why a request was not inspected.
    NotInspectedReason {
        /// The node did not reply within the deadline.
        NodeTimeout = "node_timeout",
        /// The connection to the node failed.
        NodeUnreachable = "node_unreachable",
        /// The node replied with an HTTP error.
        NodeError = "node_error",
        /// The node's reply was invalid.
        NodeReply = "node_reply",
        /// The circuit breaker was open after failed calls.
        BreakerOpen = "breaker_open",
        /// The body was truncated, and the parameters exclude truncated bodies from inspection.
        BodyTruncated = "body_truncated",
        /// The function's parameters are invalid.
        Misconfigured = "misconfigured",
        /// The CloudFront event was invalid.
        Event = "event",
        /// The connector itself failed.
        Internal = "internal",
    }
}
