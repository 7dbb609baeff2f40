//! Hits: recorded attacks of one type in one request.

use crate::{
    paging::{Cursor, Listed},
    query::{Filter, TimeRange},
};
use jiff::Timestamp;
use serde::Serialize;
use shared::{AttackType, Decision, Finding, Point, RecordedRequest, RequestId, Severity};
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
}
