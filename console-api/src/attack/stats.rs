//! Statistics of attacks.

use super::AttackGroup;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;

/// The length of a time bucket of hits in milliseconds. Series consist of whole buckets.
pub(crate) const BUCKET: i64 = 5 * 60 * 1000;

/// Statistics of the attacks that match a query.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct AttackStats {
    pub attacks: u64,
    pub hits: u64,
    pub blocked: u64,
    /// The number of source addresses.
    pub sources: u64,
    /// Hits over time, between `from` and `to`.
    pub series: Series,
    pub top: Top,
    /// Counts of response statuses; requests without a response report are left out.
    pub response_statuses: BTreeMap<String, u64>,
    /// With `compare=previous`: the period before that of the series, of the same length.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<Previous>,
}

/// A period before that of statistics. Its hits are those between its start and its end.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Previous {
    pub attacks: u64,
    pub hits: u64,
    pub blocked: u64,
    pub series: Series,
}

impl Series {
    /// Its hits, and the blocked ones.
    pub fn totals(&self) -> (u64, u64) {
        let add = |(hits, blocked), point: &SeriesPoint| (hits + point.hits, blocked + point.blocked);
        self.points.iter().fold((0, 0), add)
    }
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
    pub country: Vec<AttackGroup>,
    pub network: Vec<AttackGroup>,
    pub user_agent: Vec<AttackGroup>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Series {
    pub from: Timestamp,
    pub to: Timestamp,
    pub interval_seconds: u64,
    /// One for each interval, in order; the first one contains `from`.
    pub points: Vec<SeriesPoint>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct SeriesPoint {
    /// The start of the interval.
    pub at: Timestamp,
    pub hits: u64,
    pub blocked: u64,
}
