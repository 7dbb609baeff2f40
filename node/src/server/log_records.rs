//! Records of CloudFront's access logs: each request is inspected once, by a connector or from a log,
//! and counts once for the coverage of its behavior.

use super::{LogTally, Node, Refusal, metrics::Evaluated};
use crate::{
    VERSION,
    coverage::{self, CoverageCounts, CoverageKey, InspectedBy, journal::JournalState},
    cut,
    recent::{Entry, Sighting},
};
use access_log::LogRecord;
use jiff::Timestamp;
use shared::{AttackRecord, CoverageTotals, Outcome, Record, RequestId};
use std::{
    collections::HashSet,
    mem,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;
use tracing::error;

/// Requests that are stored together.
#[derive(Default)]
struct Batch {
    /// For the spool.
    records: Vec<Record>,
    requests: Vec<LoggedRequest>,
    ids: HashSet<RequestId>,
    /// Without the requests.
    tally: LogTally,
}

/// A request of a log that was not known from a log.
struct LoggedRequest {
    id: RequestId,
    sighting: Sighting,
    key: CoverageKey,
    totals: CoverageTotals,
    /// Of a request that was evaluated: with its host, for the metrics.
    evaluated: Option<(Evaluated, String)>,
}

impl Batch {
    /// A segment of the spool takes that many of the largest records.
    const MAX_RECORDS: usize = 32;
    /// Requests are stored at once: their counts are one record.
    const MAX_REQUESTS: usize = 500;

    fn is_full(&self) -> bool {
        self.records.len() >= Self::MAX_RECORDS || self.requests.len() >= Self::MAX_REQUESTS
    }
}

impl Node {
    /// Inspects the requests that no connector sent, and completes the others. On return, the hits
    /// are in the spool, and the requests in the journal. After an error the same records can be
    /// passed again: nothing of those that were not stored is counted.
    pub fn ingest_logs(
        &self,
        records: &[LogRecord],
        distribution_id: Option<&str>,
    ) -> Result<LogTally, Refusal> {
        let (mut stored, mut batch) = (LogTally::default(), Batch::default());
        for record in records {
            match record.distribution_id.as_deref().or(distribution_id) {
                Some(distribution_id) => self.add(record, distribution_id, &mut batch),
                None => batch.tally.rejected += 1,
            }
            if batch.is_full() {
                stored += self.store(&mut batch)?;
            }
        }
        stored += self.store(&mut batch)?;
        Ok(stored)
    }

    fn add(&self, record: &LogRecord, distribution_id: &str, batch: &mut Batch) {
        let id = record.request_id(distribution_id);
        let known = self.recent.find(id);
        if known.has(Sighting::BY_LOG) || !batch.ids.insert(id) {
            batch.tally.duplicates += 1;
            return;
        }
        let (inspected_by, had_hits, evaluated) = if known.has(Sighting::BY_CONNECTOR) {
            if known.has(Sighting::HAD_HITS) {
                let report = record.response_report(distribution_id, VERSION);
                batch.records.extend(report.map(cut::report).map(Record::Response));
            }
            let was_inspected = known.has(Sighting::INSPECTED);
            (if was_inspected { InspectedBy::Function } else { InspectedBy::Nothing }, false, None)
        } else {
            let Some(inspected) = self.inspect_logged(record, distribution_id) else {
                batch.tally.rejected += 1;
                return;
            };
            let Inspected { evaluated, host, records } = inspected;
            let failed_open = known.has(Sighting::FAILED_OPEN);
            let (had_hits, has_attack) = (!records.is_empty(), records.iter().any(is_attack));
            batch.records.extend(records);
            let from_log = InspectedBy::Log { failed_open, has_attack };
            let inspected_by = if evaluated.is_inspected() { from_log } else { InspectedBy::Nothing };
            (inspected_by, had_hits, Some((evaluated, host)))
        };
        batch.requests.push(LoggedRequest {
            id,
            sighting: Sighting::BY_LOG.with(Sighting::HAD_HITS, had_hits),
            key: self.coverage_keys.key(distribution_id, record, Timestamp::now()),
            totals: coverage::totals(inspected_by, &record.response),
            evaluated,
        });
    }

    /// Inspects a request without counting it, for its source or for metrics. `None` if its host is
    /// not accepted.
    fn inspect_logged(&self, record: &LogRecord, distribution_id: &str) -> Option<Inspected> {
        let mut request = record.inspect_request(distribution_id, VERSION);
        let route = self.route(&mut request).ok()?;
        let policy = self.policy.get();
        let start = Instant::now();
        let evaluation = self.evaluate(&policy, &request, &route, None);
        let took = start.elapsed();
        let (evaluated, host) = (Evaluated::of(&evaluation, took), request.host.clone());
        let at = record.time.min(Timestamp::now());
        let (_, attack) = self.decide(request, evaluation, took, at);
        let records = attack.map_or_else(Vec::new, |mut attack| {
            if let Record::Attack(attack) = &mut attack {
                complete_location(attack, record);
            }
            let report = record.response_report(distribution_id, VERSION);
            [Some(attack), report.map(cut::report).map(Record::Response)].into_iter().flatten().collect()
        });
        Some(Inspected { evaluated, host, records })
    }

    /// Stores a batch: its hits, then its requests and their counts. A failure leaves no request
    /// counted. Returns the numbers of what was stored.
    fn store(&self, batch: &mut Batch) -> Result<LogTally, Refusal> {
        let Batch { records, mut requests, ids: _, mut tally } = mem::take(batch);
        let mut journal = self.journal.lock();
        self.spool_counts(&mut journal)?;
        let all = requests.len();
        // Another call may have stored them since.
        requests.retain(|request| !self.recent.find(request.id).has(Sighting::BY_LOG));
        tally.duplicates += (all - requests.len()) as u64;
        if !records.is_empty() {
            self.append_kept(&records)?;
        }
        if !requests.is_empty() {
            let mut counts = CoverageCounts::default();
            let mut entries = Vec::with_capacity(requests.len());
            for request in &requests {
                counts.add(request.key.clone(), request.totals);
                entries.push(Entry::new(request.id, request.sighting));
            }
            let now = Timestamp::now();
            journal.append(&entries, counts, now).map_err(Refusal::Journal)?;
            for entry in entries {
                self.recent.record(entry, now);
            }
            // After a failure they are in the journal, and the next call or the periodic one spools them.
            let _ = self.spool_counts(&mut journal);
        }
        drop(journal);
        for request in requests {
            match request.evaluated {
                None => tally.completed += 1,
                Some((evaluated, host)) => {
                    tally.inspected += 1;
                    self.metrics.evaluated(&evaluated, &host);
                }
            }
        }
        self.log_totals.add(tally);
        Ok(tally)
    }

    /// Writes the last counts to the spool, if they are not in it.
    fn spool_counts(&self, journal: &mut JournalState) -> Result<(), Refusal> {
        let Some(counts) = journal.unspooled() else { return Ok(()) };
        self.append_kept(&[Record::Coverage(counts.clone())])?;
        journal.spooled();
        Ok(())
    }

    fn append_kept(&self, records: &[Record]) -> Result<(), Refusal> {
        let start = Instant::now();
        let appended = self.spool.append_kept(records);
        self.metrics.spool_seconds.observe(start.elapsed().as_secs_f64());
        appended.map_err(Refusal::NotStored)
    }

    /// Writes what the journal and the spool do not have yet.
    pub fn flush_journal(&self) -> Result<(), Refusal> {
        self.journal.flush(Timestamp::now()).map_err(Refusal::Journal)?;
        self.spool_counts(&mut self.journal.lock())
    }

    /// Flushes the journal until `stop`, and at last.
    pub async fn flush_journal_periodically(self: Arc<Self>, interval: Duration, stop: CancellationToken) {
        let mut has_failed = false;
        loop {
            let stopped = stop.run_until_cancelled(tokio::time::sleep(interval)).await.is_none();
            let node = self.clone();
            let flushed = tokio::task::spawn_blocking(move || node.flush_journal()).await;
            let failure = flushed.ok().and_then(Result::err);
            if let Some(cause) = failure.as_ref().filter(|_| !has_failed) {
                error!("cannot write the journal of access logs, trying again: {cause}");
            }
            has_failed = failure.is_some();
            if stopped {
                return;
            }
        }
    }
}

/// A request that was inspected from a log.
struct Inspected {
    evaluated: Evaluated,
    host: String,
    /// Its hits, and the response to it; empty without hits.
    records: Vec<Record>,
}

fn is_attack(record: &Record) -> bool {
    matches!(record, Record::Attack(attack) if attack.decision.outcome != Outcome::Suspicious)
}

/// CloudFront's country and autonomous system, where the node's databases have none.
fn complete_location(attack: &mut AttackRecord, record: &LogRecord) {
    let location = &mut attack.location;
    if location.country.is_none() {
        location.country.clone_from(&record.location.country);
    }
    location.asn = location.asn.or(record.location.asn);
}
