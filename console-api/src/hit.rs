//! Hits: recorded attacks of one type in one request.

use crate::{
    paging::{Cursor, Listed},
    query::{Filter, HitAction, TimeRange},
};
use jiff::Timestamp;
use serde::Serialize;
use shared::{AttackType, Decision, Finding, LoggedResponse, Point, RecordedRequest, RequestId, Severity};
use std::net::IpAddr;
use uuid::Uuid;

/// Recorded hits: those of the attacks that match a filter, within a time range.
#[derive(Debug, Clone, Default)]
pub struct HitFilter {
    pub filter: Filter,
    pub time_range: TimeRange,
}

/// One attack type in one request, with the fields of the request that lists show.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct RecordedHit {
    pub id: Uuid,
    pub request_id: RequestId,
    pub attack_id: Uuid,
    #[serde(rename = "type")]
    pub attack_type: AttackType,
    pub title: String,
    pub point: Point,
    pub parameter: String,
    /// The payload of the most severe finding.
    pub payload: Option<String>,
    pub severity: Option<Severity>,
    pub at: Timestamp,
    #[schema(value_type = String)]
    pub client_ip: IpAddr,
    pub method: String,
    pub host: String,
    pub path: String,
    pub query: String,
    #[serde(flatten)]
    pub decision: Decision,
    pub response_status: Option<u16>,
    pub edge_request_id: Option<String>,
    /// The id of the protected application, if the connector sent one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application: Option<u32>,
    pub findings: Vec<Finding>,
    /// Of the source: ISO 3166-1 alpha-2. Absent if unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// The autonomous system of the source, e.g. `AS64500`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// The family of the user agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_version: Option<String>,
    /// The distribution of the connector, or else its kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connector: Option<String>,
    /// The node that delivered it first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub node: Option<String>,
    /// The rule or list entry that decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub rule: Option<String>,
    /// Of the most severe finding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// Of its findings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<i64>,
    /// `edge`: a function sent its request. `log`: only an access log has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen_by: Option<String>,
}

impl RecordedHit {
    /// What happened to its request.
    pub fn action(&self) -> HitAction {
        HitAction::of(&self.decision)
    }
}

impl Listed for RecordedHit {
    fn cursor(&self) -> Cursor {
        Cursor::at(self.at, &self.id)
    }
}

/// A hit with its whole request.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct HitDetail {
    #[serde(flatten)]
    pub hit: RecordedHit,
    pub request: RecordedRequest,
    pub decision: Decision,
    /// How CloudFront answered, if an access log has the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logged: Option<LoggedResponse>,
}
