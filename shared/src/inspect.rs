//! Connector ↔ node: a request to inspect, the verdict on it, and the reports that follow.

use crate::{
    AttackType, Body, Mode, RequestId,
    ruleset::{List, RuleRef},
    text_enum::text_enum,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A copy of a viewer's request, for the node to inspect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InspectRequest {
    /// Left out by callers that have none; the node then makes one.
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
    /// The viewer's host where it is known, else the origin's. Routes match on it.
    pub host: String,
    /// As the viewer sent it, not decoded.
    pub path: String,
    /// Without the `?`; empty when there is none.
    #[serde(default)]
    pub query: String,
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Body>,
    /// CloudFront cut the body; the verdict covers what is here.
    #[serde(default)]
    pub body_truncated: bool,
    /// Earlier requests this connector could not have inspected. Each is told until a call succeeds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_inspected: Vec<NotInspected>,
}

/// Who asks, and at which trigger.
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
    /// Which of the protected applications the function stands before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<u32>,
    /// Requests its parameters exempted from inspection since its last call that succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bypassed: Option<u64>,
}

text_enum! {
    /// The four moments at which CloudFront runs a function.
    Trigger {
        ViewerRequest = "viewer-request",
        OriginRequest = "origin-request",
        OriginResponse = "origin-response",
        ViewerResponse = "viewer-response",
    }
}

impl Trigger {
    /// Triggers of the origin run only when the cache has no answer.
    pub fn is_origin(&self) -> bool {
        matches!(self, Self::OriginRequest | Self::OriginResponse)
    }
}

/// Whether somebody waits for the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// The request waits for the verdict.
    #[default]
    Inline,
    /// The request has gone on; this is a copy. The node answers 202 once the copy is safe.
    OutOfBand,
}

/// What the node says of an in-line request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    pub request_id: RequestId,
    pub action: Action,
    pub reason: Option<Reason>,
    pub mode: Mode,
    /// Which setting gave the mode, e.g. `config` or `route:/api`.
    pub mode_source: String,
    /// What mode `block` would have done.
    pub would_block: bool,
    #[serde(default, skip_serializing_if = "DecidedBy::is_empty")]
    pub decided_by: DecidedBy,
    #[serde(default)]
    pub attack_types: Vec<AttackType>,
    pub analysis_micros: u64,
    #[serde(default)]
    pub body_truncated: bool,
    /// The answer for the visitor when `action` is `block`. The connector's own block page wins over it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block: Option<BlockResponse>,
}

/// What of the console's had a say, beside the mode.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DecidedBy {
    /// The version of the ruleset that held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ruleset: Option<u64>,
    /// The virtual patch that blocks, or the rule on requests that are too much to analyse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleRef>,
    /// The entry of a list that made the difference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<ListRef>,
    /// Exclusions without which more would have been found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub silenced_by: Vec<RuleRef>,
}

/// An entry of a list, as verdicts and hits name it.
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

/// What to do with the request. An action this version does not know is an error: the request counts as not inspected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    Allow,
    Block,
}

text_enum! {
    /// Why a request was blocked, or would have been.
    Reason {
        Attack = "attack",
        VirtualPatch = "virtual_patch",
        Denylist = "denylist",
        RateLimit = "rate_limit",
        Overlimit = "overlimit",
    }
}

/// A whole HTTP answer for a blocked visitor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockResponse {
    pub status: u16,
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    #[serde(default)]
    pub body: String,
}

/// What came of a request: sent by the response function after its own reply.
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
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_inspected: Vec<NotInspected>,
}

/// A request that went on without a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NotInspected {
    /// Counts once, however often it is told.
    #[serde(with = "crate::as_text")]
    pub id: Uuid,
    pub request_id: RequestId,
    pub reason: NotInspectedReason,
    pub at: Timestamp,
}

text_enum! {
    /// Why a request was not inspected.
    NotInspectedReason {
        /// The node did not answer within the deadline.
        NodeTimeout = "node_timeout",
        /// No connection to the node could be made, or it broke.
        NodeUnreachable = "node_unreachable",
        /// The node refused with an HTTP error.
        NodeError = "node_error",
        /// The node's answer made no sense.
        NodeReply = "node_reply",
        /// The node was not asked, as the last calls to it failed.
        BreakerOpen = "breaker_open",
        /// CloudFront cut the body, and the parameters say not to inspect the rest.
        BodyTruncated = "body_truncated",
        /// The function's parameters are wrong.
        Misconfigured = "misconfigured",
        /// The event of CloudFront could not be read.
        Event = "event",
        /// The connector itself failed.
        Internal = "internal",
    }
}
