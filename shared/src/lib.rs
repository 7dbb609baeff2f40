//! The wire protocol: what travels between the connector, the node and the console, and nothing that does I/O.
//!
//! | module | from → to | holds |
//! |---|---|---|
//! | [`inspect`] | connector ↔ node | [`InspectRequest`], [`Verdict`], [`ResponseReport`], [`NotInspected`] |
//! | [`record`] | node → console | [`Record`], [`Hit`], [`Finding`], [`IngestBatch`], [`IngestReply`] |
//! | [`ruleset`] | console → node | [`Ruleset`](ruleset::Ruleset): rules, lists and modes, versioned |
//! | [`point`] | everywhere | [`Point`]: where in a request a value sits |
//! | [`classification`] | everywhere | subtype → CWE, OWASP, CAPEC: [`Class`] |
//! | [`attack_type`], [`mode`], [`ids`] | everywhere | the codes, modes and ids of the field |
//! | [`encoding`] | everywhere | JSON and MessagePack from the same types |
//! | [`call_signature`] | connector → node | signing and verifying a call |
//! | [`problem`] | servers → clients | errors as `application/problem+json` |
//!
//! A type here changes by adding optional fields: an older peer ignores them, a newer one does without.

mod as_text;
pub mod attack_type;
pub mod body;
pub mod call_signature;
pub mod classification;
pub mod encoding;
pub mod ids;
pub mod inspect;
pub mod mode;
#[cfg(feature = "openapi")]
mod openapi;
pub mod point;
pub mod problem;
pub mod record;
pub mod ruleset;

mod text_enum;

pub use attack_type::AttackType;
pub use body::Body;
pub use classification::{Class, Confidence};
pub use encoding::Encoding;
pub use ids::RequestId;
pub use inspect::{
    Action, BlockResponse, ConnectorInfo, DecidedBy, Delivery, InspectRequest, ListRef, NotInspected,
    NotInspectedReason, Reason, ResponseReport, Trigger, Verdict,
};
pub use mode::Mode;
pub use point::Point;
pub use problem::Problem;
pub use record::{
    AttackRecord, Decision, Enforced, Finding, Hit, IngestBatch, IngestReply, Outcome, Record,
    RecordedRequest, RejectedRecord, Severity,
};

/// Version of the protocol these types speak; it is the `v1` in the endpoint paths.
pub const PROTOCOL_VERSION: u32 = 1;
/// Where a node takes requests for inspection.
pub const INSPECT_REQUEST_PATH: &str = "/v1/inspect/request";
/// Where a node takes reports on responses.
pub const INSPECT_RESPONSE_PATH: &str = "/v1/inspect/response";
/// Where a console takes what nodes recorded.
pub const INGEST_PATH: &str = "/api/v1/ingest";
/// Where a console tells its nodes what to decide by.
pub const NODE_CONFIG_PATH: &str = "/api/v1/node/config";
