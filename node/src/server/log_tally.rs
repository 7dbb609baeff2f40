//! Tally of the lines of access logs, by result.

use crate::metrics::on_scrape;
use prometheus_client::{encoding::EncodeLabelSet, metrics::counter::ConstCounter, registry::Registry};
use serde::Serialize;
use std::{
    ops::AddAssign,
    sync::{Arc, Mutex, PoisonError},
};

/// The lines of logs, by result.
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
