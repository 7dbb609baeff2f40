//! Records of CloudFront's access logs: each request is inspected once, by a connector or from a log.

use super::{Node, Refusal};
use crate::{VERSION, metrics::on_scrape, recent::Sighting};
use access_log::LogRecord;
use jiff::Timestamp;
use prometheus_client::{encoding::EncodeLabelSet, metrics::counter::ConstCounter, registry::Registry};
use serde::Serialize;
use shared::{AttackRecord, Record, RequestId};
use std::{
    collections::HashSet,
    mem,
    ops::AddAssign,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

/// What became of the lines of logs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct LogTally {
    /// Requests that no connector had sent to this node: inspected.
    pub inspected: u64,
    /// Requests that a connector had sent.
    pub completed: u64,
    /// Records of requests that a log had before.
    pub duplicates: u64,
    /// Lines that are no records.
    pub malformed: u64,
    /// Records without a distribution, or with a host that is not one of `connector.allowed_hosts`.
    pub rejected: u64,
}

/// The tally since the start.
#[derive(Debug, Default)]
pub struct LogTotals(Mutex<LogTally>);

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabel {
    result: &'static str,
}

impl LogTally {
    pub fn lines(self) -> u64 {
        self.by_result().into_iter().map(|(_, count)| count).sum()
    }

    fn by_result(self) -> [(&'static str, u64); 5] {
        let Self { inspected, completed, duplicates, malformed, rejected } = self;
        [
            ("inspected", inspected),
            ("completed", completed),
            ("duplicate", duplicates),
            ("malformed", malformed),
            ("rejected", rejected),
        ]
    }
}

impl AddAssign for LogTally {
    fn add_assign(&mut self, other: Self) {
        self.inspected += other.inspected;
        self.completed += other.completed;
        self.duplicates += other.duplicates;
        self.malformed += other.malformed;
        self.rejected += other.rejected;
    }
}

impl LogTotals {
    pub fn get(&self) -> LogTally {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn add(&self, tally: LogTally) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += tally;
    }

    pub(super) fn register(self: &Arc<Self>, registry: &mut Registry) {
        let totals = self.clone();
        on_scrape(registry, move |scrape| {
            let results = totals.get().by_result().into_iter();
            let results = results.map(|(result, count)| (ResultLabel { result }, ConstCounter::new(count)));
            scrape.family("log_records", "Lines of access logs, by result", results)
        });
    }
}

/// Records for the spool, and the requests to remember once these are in it.
#[derive(Default)]
struct Batch {
    records: Vec<Record>,
    seen: Vec<(RequestId, Sighting)>,
    ids: HashSet<RequestId>,
}

impl Batch {
    /// A segment of the spool takes that many of the largest records.
    const MAX_RECORDS: usize = 32;
}

impl Node {
    /// Inspects the requests that no connector sent, and completes the others. On return, the hits
    /// are in the spool. After an error the same records can be passed again.
    pub fn ingest_logs(
        &self,
        records: &[LogRecord],
        distribution_id: Option<&str>,
    ) -> Result<LogTally, Refusal> {
        let mut tally = LogTally::default();
        let mut batch = Batch::default();
        for record in records {
            let Some(distribution_id) = record.distribution_id.as_deref().or(distribution_id) else {
                tally.rejected += 1;
                continue;
            };
            let id = record.request_id(distribution_id);
            let known = self.recent.find(id);
            if known.by_log || !batch.ids.insert(id) {
                tally.duplicates += 1;
            } else if known.by_connector {
                tally.completed += 1;
                if known.had_hits {
                    let report = record.response_report(distribution_id, VERSION);
                    batch.records.extend(report.map(Record::Response));
                }
                batch.seen.push((id, Sighting { by_log: true, ..known }));
            } else if let Some(had_hits) = self.inspect_logged(record, distribution_id, &mut batch) {
                tally.inspected += 1;
                batch.seen.push((id, Sighting { by_connector: false, by_log: true, had_hits }));
            } else {
                tally.rejected += 1;
            }
            if batch.records.len() >= Batch::MAX_RECORDS {
                self.store(&mut batch)?;
            }
        }
        self.store(&mut batch)?;
        Ok(tally)
    }

    /// Inspects a request without counting it for its source. Returns whether it has hits; `None` if
    /// its host is not accepted.
    fn inspect_logged(&self, record: &LogRecord, distribution_id: &str, batch: &mut Batch) -> Option<bool> {
        let mut request = record.inspect_request(distribution_id, VERSION);
        let route = self.route(&mut request).ok()?;
        let policy = self.policy.get();
        let start = Instant::now();
        let evaluation = self.evaluate(&policy, &request, &route, None);
        let at = record.time.min(Timestamp::now());
        let (_, attack) = self.decide(request, evaluation, start.elapsed(), at);
        let Some(mut attack) = attack else { return Some(false) };
        if let Record::Attack(attack) = &mut attack {
            complete_location(attack, record);
        }
        batch.records.push(attack);
        let report = record.response_report(distribution_id, VERSION);
        batch.records.extend(report.map(Record::Response));
        Some(true)
    }

    /// Writes a batch to the spool, then remembers its requests: after a failure they are not
    /// duplicates.
    fn store(&self, batch: &mut Batch) -> Result<(), Refusal> {
        let Batch { records, seen, .. } = mem::take(batch);
        if !records.is_empty() {
            self.append(&records)?;
        }
        let now = Timestamp::now();
        for (id, sighting) in seen {
            self.recent.record(id, sighting, now);
        }
        Ok(())
    }
}

/// CloudFront's country and autonomous system, where the node's databases have none.
fn complete_location(attack: &mut AttackRecord, record: &LogRecord) {
    let location = &mut attack.location;
    if location.country.is_none() {
        location.country.clone_from(&record.location.country);
    }
    location.asn = location.asn.or(record.location.asn);
}
