//! Coverage: the requests of access logs by what inspected them, each counted once.
//!
//! | module | holds |
//! |---|---|
//! | [`journal`] | the requests that were counted, and their counts, on disk |

pub mod journal;

use access_log::LogRecord;
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use shared::{CoverageCount, CoverageRecord, CoverageTotals, LoggedResponse};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
};

/// What inspected a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InspectedBy {
    Function,
    /// The mode `off`, an input filter or the allowlist exempted it.
    Nothing,
    Log {
        /// A function reported that it passed without a verdict.
        failed_open: bool,
        has_attack: bool,
    },
}

/// The distribution, behavior and day that a request counts for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CoverageKey {
    distribution_id: String,
    behavior: String,
    day: Option<Date>,
}

/// Counts by key.
#[derive(Debug, Default)]
pub struct CoverageCounts(BTreeMap<CoverageKey, CoverageTotals>);

/// The distributions and behaviors that are counted apart: a bounded number of them.
#[derive(Debug, Default)]
pub struct CoverageKeys(Mutex<BTreeMap<String, BTreeSet<String>>>);

impl CoverageKeys {
    const MAX_DISTRIBUTIONS: usize = 500;
    /// CloudFront's quota is 75 of a distribution, unless AWS raises it.
    const MAX_BEHAVIORS: usize = 200;
    /// A path pattern has at most 255 characters, an id of a distribution 14.
    const MAX_BYTES: usize = 255;

    pub fn key(&self, distribution_id: &str, record: &LogRecord, now: Timestamp) -> CoverageKey {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let has_room = known.len() < Self::MAX_DISTRIBUTIONS && is_pattern(distribution_id);
        let (distribution_id, behaviors) = if known.contains_key(distribution_id) || has_room {
            (distribution_id, known.entry(distribution_id.to_owned()).or_default())
        } else {
            (CoverageRecord::OTHER, known.entry(CoverageRecord::OTHER.to_owned()).or_default())
        };
        let mut behavior = record.response.path_pattern.as_deref().unwrap_or(CoverageRecord::UNKNOWN);
        if !behaviors.contains(behavior) {
            if behaviors.len() < Self::MAX_BEHAVIORS && is_pattern(behavior) {
                behaviors.insert(behavior.to_owned());
            } else {
                behavior = CoverageRecord::OTHER;
            }
        }
        let oldest = now - SignedDuration::from_hours(24 * CoverageRecord::DAYS);
        let day = (record.time >= oldest).then(|| day(record.time.min(now)));
        CoverageKey { distribution_id: distribution_id.to_owned(), behavior: behavior.to_owned(), day }
    }
}

impl CoverageCounts {
    pub fn add(&mut self, key: CoverageKey, totals: CoverageTotals) {
        *self.0.entry(key).or_default() += totals;
    }

    fn into_counts(self) -> Vec<CoverageCount> {
        let counts = self.0.into_iter().map(|(key, totals)| {
            let CoverageKey { distribution_id, behavior, day } = key;
            CoverageCount { distribution_id, behavior, day, totals }
        });
        counts.collect()
    }
}

/// One request, as it counts.
pub fn totals(inspected_by: InspectedBy, response: &LoggedResponse) -> CoverageTotals {
    let is_refreshed = response.result_type.as_deref() == Some("RefreshHit");
    let mut totals = CoverageTotals {
        requests: 1,
        cache_hits: u64::from(response.is_cached() || is_refreshed),
        ..CoverageTotals::default()
    };
    *match inspected_by {
        InspectedBy::Function => &mut totals.edge,
        InspectedBy::Nothing => &mut totals.bypassed,
        InspectedBy::Log { failed_open: true, .. } => &mut totals.fail_open,
        InspectedBy::Log { .. } if response.is_cached() => &mut totals.cached,
        InspectedBy::Log { .. } if response.answered().is_some() => &mut totals.answered,
        InspectedBy::Log { .. } => &mut totals.no_function,
    } = 1;
    totals.log_attacks = u64::from(matches!(inspected_by, InspectedBy::Log { has_attack: true, .. }));
    totals
}

fn is_pattern(text: &str) -> bool {
    !text.is_empty() && text.len() <= CoverageKeys::MAX_BYTES && !text.contains(char::is_control)
}

fn day(time: Timestamp) -> Date {
    time.to_zoned(TimeZone::UTC).date()
}

#[cfg(test)]
mod tests;
