//! Valid records: what is validated once, before any lookup.

use super::record_limits;
use jiff::{SignedDuration, Timestamp};
use shared::{
    AttackRecord, NotInspected, Record, ResponseReport,
    record::{NodeInfo, NodeStatus},
};
use std::collections::BTreeSet;

/// 2000-01-01T00:00:00Z, before CloudFront existed.
const EARLIEST_MS: i64 = 946_684_800_000;
const AHEAD: SignedDuration = SignedDuration::from_hours(1);

/// A record whose texts, ids and times are valid.
#[derive(Debug)]
pub struct ValidRecord(Record);

impl ValidRecord {
    /// Validates a record. The error is the reason of the rejection.
    pub fn new(record: Record, now: Timestamp) -> Result<Self, String> {
        let error = match &record {
            Record::Attack(record) => {
                let limit = record_limits::of_attack(record);
                limit.or_else(|| of_hits(record)).or_else(|| of_time(record.request.at, now))
            }
            Record::Response(report) => of_response(report, now),
            Record::NotInspected(entry) => of_not_inspected(entry, now),
            Record::Coverage(counts) => record_limits::of_coverage(counts, now + AHEAD),
        };
        error.map_or(Ok(Self(record)), Err)
    }

    pub(crate) fn get(&self) -> &Record {
        &self.0
    }

    /// The hits or reports in it, at least one.
    pub(crate) fn rows(&self) -> usize {
        match &self.0 {
            Record::Attack(record) => record.hits.len().max(1),
            Record::Response(report) => report.not_inspected.len() + 1,
            Record::NotInspected(_) => 1,
            Record::Coverage(record) => record.counts.len().max(1),
        }
    }
}

/// The validation error of a node's description of itself.
pub fn node_validation_error(node: &NodeInfo) -> Option<String> {
    record_limits::of_version(&node.version)
}

/// The status with implausible times replaced by now: a node whose clock was set keeps reporting.
pub fn plausible(mut status: NodeStatus, now: Timestamp) -> NodeStatus {
    let times = status.connectors.iter_mut().map(|connector| &mut connector.last_seen);
    for time in times.chain([&mut status.started_at]) {
        if of_time(*time, now).is_some() {
            *time = now;
        }
    }
    status
}

/// Times of a clock that is wrong would distort statistics and retention.
fn of_time(time: Timestamp, now: Timestamp) -> Option<String> {
    let is_valid = time.as_millisecond() >= EARLIEST_MS && time <= now + AHEAD;
    (!is_valid)
        .then(|| format!("the time {time} is before 2000 or more than an hour ahead of the console's clock"))
}

fn of_hits(record: &AttackRecord) -> Option<String> {
    let ids: BTreeSet<_> = record.hits.iter().map(|hit| hit.id).collect();
    if record.hits.is_empty() {
        return Some("an attack record needs at least one hit".to_owned());
    }
    (ids.len() != record.hits.len()).then(|| "two hits of the record have the same id".to_owned())
}

fn of_response(report: &ResponseReport, now: Timestamp) -> Option<String> {
    record_limits::of_response(report)
        .or_else(|| report.not_inspected.iter().find_map(|entry| of_not_inspected(entry, now)))
}

fn of_not_inspected(entry: &NotInspected, now: Timestamp) -> Option<String> {
    record_limits::of_reason(entry.reason.as_str()).or_else(|| of_time(entry.at, now))
}
