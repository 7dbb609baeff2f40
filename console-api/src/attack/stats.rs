//! What attacks add up to.

use super::AttackGroup;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;

/// Of the attacks a query finds.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct AttackStats {
    pub attacks: u64,
    pub hits: u64,
    pub blocked: u64,
    /// How many addresses the hits came from.
    pub sources: u64,
    /// Their hits over time; those of the same attacks before `from` or after `to` are not in it.
    pub series: Series,
    pub top: Top,
    /// How often each status was answered; requests nobody reported on are left out.
    pub response_statuses: BTreeMap<String, u64>,
}

/// The values with the most hits, the most frequent first.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Top {
    #[serde(rename = "type")]
    pub attack_type: Vec<AttackGroup>,
    pub host: Vec<AttackGroup>,
    pub path: Vec<AttackGroup>,
    pub parameter: Vec<AttackGroup>,
    pub ip: Vec<AttackGroup>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Series {
    pub from: Timestamp,
    pub to: Timestamp,
    pub interval_seconds: u64,
    /// One for each interval, in order; `from` lies in the first.
    pub points: Vec<SeriesPoint>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct SeriesPoint {
    /// When the interval starts.
    pub at: Timestamp,
    pub hits: u64,
    pub blocked: u64,
}
