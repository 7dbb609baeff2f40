//! Records that nodes send to the console: attacks, responses, coverage and node status.

use crate::{
    AttackType, Body, Class, ConnectorInfo, CoverageRecord, DecidedBy, Delivery, Mode, NotInspected, Point,
    Reason, RequestId, ResponseReport, ScorePart, Severity,
};
use jiff::Timestamp;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, SeqAccess, Visitor},
};
use serde_json::value::RawValue;
use std::{fmt, net::IpAddr};
use uuid::Uuid;

/// One record of a node. Delivered at least once; the console stores it once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Record {
    Attack(Box<AttackRecord>),
    Response(ResponseReport),
    NotInspected(NotInspected),
    Coverage(CoverageRecord),
}

/// A request with attacks: the request, the decision, and a hit per attack type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AttackRecord {
    pub request: RecordedRequest,
    pub decision: Decision,
    /// Of the source. Absent from older nodes.
    #[serde(default, skip_serializing_if = "Location::is_unknown")]
    pub location: Location,
    pub hits: Vec<Hit>,
}

/// The country and the autonomous system of an address, as far as the node can look them up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Location {
    /// ISO 3166-1 alpha-2, upper-case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// The number of the autonomous system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asn: Option<u32>,
}

impl Location {
    fn is_unknown(&self) -> bool {
        *self == Self::default()
    }
}

/// The stored request: sensitive values masked, the body limited.
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
    /// Size of the whole body in bytes, if `body` contains only its start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_bytes: Option<u64>,
    #[serde(default)]
    pub body_truncated: bool,
}

/// The decision of the node, and its reasons.
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
    /// The score of its findings is below the threshold of the sensitivity: no attack.
    Suspicious,
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
    /// The point of the most severe finding.
    pub point: Point,
    /// Ordered by severity, the highest first.
    pub findings: Vec<Finding>,
}

/// One piece of evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Finding {
    #[serde(rename = "type")]
    pub attack_type: AttackType,
    pub point: Point,
    /// Stable id of the signature or detector, e.g. `sqli-tautology`.
    pub signature: String,
    /// The class within its type. Absent from older nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<Class>,
    pub severity: Severity,
    /// The payload as text, at most 500 characters.
    pub payload: String,
    /// Byte range of the payload in the decoded value.
    pub span: (u32, u32),
    /// The decoded layers, outermost first, e.g. `percent`, `base64`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decoded: Vec<String>,
    /// The parts of its score: what was seen, and the points for and against an attack. Absent from
    /// older nodes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub score: Vec<ScorePart>,
}

impl Finding {
    /// Longer payloads are truncated.
    pub const PAYLOAD_CHARS: usize = 500;
}

/// A batch of a node. Records stay raw, so that an invalid one does not affect the others.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IngestBatch {
    pub node: NodeInfo,
    /// Sent periodically, also without records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<NodeStatus>,
    /// At most [`Self::MAX_RECORDS`].
    #[serde(deserialize_with = "bounded_records")]
    #[cfg_attr(feature = "openapi", schema(schema_with = records_schema))]
    pub records: Vec<Box<RawValue>>,
}

impl IngestBatch {
    /// A batch with more is refused before its records are read.
    pub const MAX_RECORDS: usize = 2_000;
}

fn bounded_records<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Box<RawValue>>, D::Error> {
    struct Records;

    impl<'de> Visitor<'de> for Records {
        type Value = Vec<Box<RawValue>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "at most {} records", IngestBatch::MAX_RECORDS)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
            let mut records = Vec::new();
            while let Some(record) = sequence.next_element()? {
                if records.len() == IngestBatch::MAX_RECORDS {
                    return Err(de::Error::invalid_length(records.len() + 1, &self));
                }
                records.push(record);
            }
            Ok(records)
        }
    }

    deserializer.deserialize_seq(Records)
}

/// The schema of `records`. An invalid record is rejected alone, not the whole batch.
#[cfg(feature = "openapi")]
fn records_schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
    use utoipa::{
        ToSchema as _,
        openapi::{
            ObjectBuilder, Ref,
            schema::{AnyOfBuilder, ArrayBuilder, SchemaType},
        },
    };
    let anything = ObjectBuilder::new().schema_type(SchemaType::AnyValue);
    let record = AnyOfBuilder::new().item(Ref::from_schema_name(Record::name())).item(anything);
    ArrayBuilder::new().items(record).into()
}

/// The sending node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NodeInfo {
    #[serde(with = "crate::as_text")]
    pub id: Uuid,
    pub version: String,
    /// A command that ends when its work is done: it is not unreachable afterwards. Absent from older
    /// nodes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_command: bool,
}

/// Status of a node. Counters start with the node, except those of the spool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NodeStatus {
    pub started_at: Timestamp,
    /// The mode of requests without a route of their own.
    pub mode: Mode,
    /// The version of the active ruleset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ruleset: Option<u64>,
    /// Rules and list entries that this node cannot use.
    pub left_out: u64,
    pub requests: u64,
    /// Of those, the ones that filters or the mode `off` exempted from inspection. Absent from older
    /// nodes.
    #[serde(default)]
    pub bypassed: u64,
    /// Requests that connectors exempted: they are not in `requests`.
    #[serde(default)]
    pub bypassed_by_connectors: u64,
    pub attacks: u64,
    pub blocked: u64,
    /// Records waiting for delivery.
    pub pending: u64,
    /// Records lost because the spool was full or not writable; across restarts.
    pub dropped: u64,
    /// The last write of the spool failed: hits of decisions made now are lost.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub spool_failed: bool,
    /// The connectors that called it. Absent from older nodes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub connectors: Vec<ConnectorStatus>,
}

/// A connector that called a node since its start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConnectorStatus {
    pub connector: ConnectorInfo,
    /// How its requests are delivered; absent for response functions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,
    pub last_seen: Timestamp,
    pub calls: u64,
    /// Requests that it reported as not inspected.
    pub not_inspected: u64,
    /// Requests with a body of which no stage sees the rest. Absent from older nodes.
    #[serde(default)]
    pub truncated: u64,
    /// The bytes of these bodies that were not seen, as far as their lengths are known.
    #[serde(default)]
    pub unseen_bytes: u64,
}

/// Result of a batch. Every record is final: the node need not send it again.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IngestReply {
    pub stored: u64,
    pub duplicate: u64,
    #[serde(default)]
    pub rejected: Vec<RejectedRecord>,
}

/// A record that the console rejects permanently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RejectedRecord {
    /// Position in the batch.
    pub index: usize,
    /// The record's id, if it is valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub reason: String,
}
