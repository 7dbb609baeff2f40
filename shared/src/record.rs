//! Node → console: what was detected and decided.

use crate::{
    AttackType, Body, Class, ConnectorInfo, DecidedBy, Delivery, Mode, NotInspected, Point, Reason,
    RequestId, ResponseReport,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::net::IpAddr;
use uuid::Uuid;

/// One thing a node tells its console. Delivered at least once; the console keeps it once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Record {
    Attack(Box<AttackRecord>),
    Response(ResponseReport),
    NotInspected(NotInspected),
}

/// A request with attacks in it: what it was, what was decided, and a hit for each attack type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AttackRecord {
    pub request: RecordedRequest,
    pub decision: Decision,
    pub hits: Vec<Hit>,
}

/// The request as it is kept: sensitive values masked, the body bounded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RecordedRequest {
    pub request_id: RequestId,
    /// When the node received it.
    pub at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connector: Option<ConnectorInfo>,
    #[serde(with = "crate::as_text")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, examples("203.0.113.7")))]
    pub client_ip: IpAddr,
    pub method: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheme: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_version: Option<String>,
    pub host: String,
    pub path: String,
    #[serde(default)]
    pub query: String,
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Body>,
    /// The body as a whole, in bytes, where `body` holds only its start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_bytes: Option<u64>,
    #[serde(default)]
    pub body_truncated: bool,
}

/// What the node decided, and what decided it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Decision {
    pub outcome: Outcome,
    pub reason: Option<Reason>,
    pub mode: Mode,
    pub mode_source: String,
    pub delivery: Delivery,
    pub enforced: Enforced,
    #[serde(default, skip_serializing_if = "DecidedBy::is_empty")]
    pub decided_by: DecidedBy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Blocked,
    Monitored,
}

/// Whether a block reached the visitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Enforced {
    Yes,
    No,
    Unknown,
}

/// One attack type in one request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Hit {
    #[serde(with = "crate::as_text")]
    pub id: Uuid,
    #[serde(rename = "type")]
    pub attack_type: AttackType,
    /// Where the most severe finding sits.
    pub point: Point,
    /// The most severe first.
    pub findings: Vec<Finding>,
}

/// One piece of evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Finding {
    #[serde(rename = "type")]
    pub attack_type: AttackType,
    pub point: Point,
    /// Stable id of what found it, e.g. `sqli-tautology`.
    pub signature: String,
    /// Which kind of its type this is. Absent from nodes that did not tell yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<Class>,
    pub severity: Severity,
    /// The payload as text, at most 500 characters of it.
    pub payload: String,
    /// Where the payload sits in the decoded value: start and end in bytes.
    pub span: (u32, u32),
    /// The layers that were peeled to reach it, outermost first, e.g. `percent`, `base64`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decoded: Vec<String>,
}

impl Finding {
    /// Longer payloads are cut.
    pub const PAYLOAD_CHARS: usize = 500;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Low,
    Medium,
    High,
    Critical,
}

/// A delivery of a node. The records stay raw so that one the console cannot read does not stop the others.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IngestBatch {
    pub node: NodeInfo,
    /// Told now and then, also when there is nothing to record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<NodeStatus>,
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::openapi::records))]
    pub records: Vec<Box<RawValue>>,
}

/// Who delivers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NodeInfo {
    #[serde(with = "crate::as_text")]
    pub id: Uuid,
    pub version: String,
}

/// How a node is doing. Numbers count from its start, but for what the spool had to give up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NodeStatus {
    pub started_at: Timestamp,
    /// Where no route says otherwise.
    pub mode: Mode,
    /// The version of the console's ruleset that holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ruleset: Option<u64>,
    /// Rules and entries of lists that this node cannot use.
    pub left_out: u64,
    pub requests: u64,
    pub attacks: u64,
    pub blocked: u64,
    /// Records that wait for delivery.
    pub pending: u64,
    /// Records that had to go, as the spool was full or could not be written; across restarts.
    pub dropped: u64,
    /// The connectors that called it. Absent from nodes that did not tell yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub connectors: Vec<ConnectorStatus>,
}

/// A connector that called a node since its start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConnectorStatus {
    pub connector: ConnectorInfo,
    /// How its requests are delivered; absent: it reports on responses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,
    pub last_seen: Timestamp,
    pub calls: u64,
    /// How many un-inspected requests it told of.
    pub not_inspected: u64,
}

/// What became of a batch. Everything in it is settled: the node need not send it again.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IngestReply {
    pub stored: u64,
    pub duplicate: u64,
    #[serde(default)]
    pub rejected: Vec<RejectedRecord>,
}

/// A record the console will not take, however often it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RejectedRecord {
    /// Position in the batch.
    pub index: usize,
    /// The record's id, where it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub reason: String,
}
