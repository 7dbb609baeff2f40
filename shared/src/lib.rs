//! The wire protocol: messages between connector, node and console, without I/O.
//!
//! | module | from → to | contents |
//! |---|---|---|
//! | [`inspect`] | connector ↔ node | [`InspectRequest`], [`Verdict`], [`ResponseReport`], [`NotInspected`] |
//! | [`record`] | node → console | [`Record`], [`Hit`], [`Finding`], [`IngestBatch`], [`IngestReply`] |
//! | [`record_limits`] | node → console | limits of the texts and lists of a record |
//! | [`coverage`] | node → console | [`CoverageRecord`]: what inspected the requests of access logs |
//! | [`ruleset`] | console → node | [`Ruleset`](ruleset::Ruleset): rules and IP lists, versioned |
//! | [`point`] | all | [`Point`]: the location of a value in a request |
//! | [`score`] | all | the score of a request |
//! | [`sensitivity`] | all | the threshold of a score, and the parts of one |
//! | [`classification`] | all | subtype → CWE, OWASP, CAPEC: [`Class`] |
//! | [`attack_type`], [`mode`], [`ids`] | all | attack type codes, filtration modes, request ids |
//! | [`encoding`] | all | JSON and MessagePack from the same types |
//! | [`call_signature`] | connector → node | signing and verifying a call |
//! | [`problem`] | servers → clients | errors as `application/problem+json` |
//!
//! Types change only by adding optional fields, so that peers of different versions understand each
//! other.

mod as_text;
pub mod attack_type;
pub mod body;
pub mod call_signature;
pub mod classification;
pub mod coverage;
pub mod encoding;
pub mod ids;
pub mod inspect;
pub mod mode;
#[cfg(feature = "openapi")]
mod openapi;
pub mod point;
pub mod problem;
pub mod record;
pub mod record_limits;
pub mod ruleset;
pub mod score;
pub mod sensitivity;

mod text_enum;

pub use attack_type::AttackType;
pub use body::Body;
pub use classification::{Class, Confidence, Severity};
pub use coverage::{CoverageCount, CoverageRecord, CoverageTotals};
pub use encoding::Encoding;
pub use ids::RequestId;
pub use inspect::{
    Action, BlockResponse, ConnectorInfo, DecidedBy, Delivery, InspectRequest, ListRef, LoggedResponse,
    NotInspected, NotInspectedReason, Reason, ResponseReport, Trigger, TruncationPolicy, UnseenBody, Verdict,
};
pub use mode::Mode;
pub use point::Point;
pub use problem::Problem;
pub use record::{
    AttackRecord, Decision, Enforced, Finding, Hit, IngestBatch, IngestReply, Location, Outcome, Record,
    RecordedRequest, RejectedRecord,
};
pub use sensitivity::{ScorePart, Sensitivity};

/// What `--version` prints: the version, in a release with the commit, `0.1.0 (1ecff8fd1c2b)`.
/// Messages and bundles contain the version alone.
pub const BUILD: &str = match option_env!("WALLARM_BUILD") {
    Some(build) => build,
    None => env!("CARGO_PKG_VERSION"),
};

/// Node endpoint for requests to inspect; `v1` is the protocol version.
pub const INSPECT_REQUEST_PATH: &str = "/v1/inspect/request";
/// Node endpoint for response reports.
pub const INSPECT_RESPONSE_PATH: &str = "/v1/inspect/response";
/// Node endpoint for access logs that Firehose delivers.
pub const FIREHOSE_PATH: &str = "/v1/logs/firehose";
/// Console endpoint for records of nodes.
pub const INGEST_PATH: &str = "/api/v1/ingest";
/// Console endpoint for the ruleset of nodes.
pub const NODE_CONFIG_PATH: &str = "/api/v1/node/config";
