//! Coverage: numbers of requests in access logs, by what inspected them. Sent from nodes to the
//! console as increments.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::ops::AddAssign;
use uuid::Uuid;

/// Increments of a node. The console applies each once: those of a source are delivered in the order
/// of their sequence, and a repeated one is not larger than the last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CoverageRecord {
    /// The journal that counted.
    #[serde(with = "crate::as_text")]
    pub source: Uuid,
    /// The first is 1.
    pub sequence: u64,
    pub counts: Vec<CoverageCount>,
}

impl CoverageRecord {
    /// The name of everything beyond a limit of distributions, behaviors or days.
    pub const OTHER: &str = "other";
    /// The behavior of records that do not have the field `cache-behavior-path-pattern`.
    pub const UNKNOWN: &str = "unknown";
    /// The days that are kept apart; the console deletes earlier ones.
    pub const DAYS: i64 = 400;
}

/// The requests of a distribution, a behavior and a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CoverageCount {
    pub distribution_id: String,
    /// The path pattern of a cache behavior, `unknown` or `other`.
    pub behavior: String,
    /// Of UTC. Absent: earlier than the days that are kept apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, examples("2026-01-31")))]
    pub day: Option<Date>,
    #[serde(flatten)]
    pub totals: CoverageTotals,
}

/// Numbers of requests. Each request is in one of `edge`, `bypassed`, `fail_open`, `cached`,
/// `answered` and `no_function`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct CoverageTotals {
    pub requests: u64,
    /// Inspected when a function sent them.
    pub edge: u64,
    /// Not inspected: exempted by the mode `off`, an input filter or the allowlist.
    pub bypassed: u64,
    /// Inspected from the log: a function passed them without a verdict.
    pub fail_open: u64,
    /// Inspected from the log: the cache answered, and no function sent them.
    pub cached: u64,
    /// Inspected from the log: CloudFront answered by itself, e.g. with a redirect.
    pub answered: u64,
    /// Inspected from the log: no function sent them.
    pub no_function: u64,
    /// Answered by the cache, whatever inspected them.
    pub cache_hits: u64,
    /// With an attack that was found in the log only.
    pub log_attacks: u64,
}

impl CoverageTotals {
    /// Requests that were inspected from the log.
    pub fn log(&self) -> u64 {
        [self.fail_open, self.cached, self.answered, self.no_function]
            .into_iter()
            .fold(0, u64::saturating_add)
    }

    /// All numbers.
    pub fn all(&self) -> [u64; 9] {
        let Self {
            requests,
            edge,
            bypassed,
            fail_open,
            cached,
            answered,
            no_function,
            cache_hits,
            log_attacks,
        } = *self;
        [requests, edge, bypassed, fail_open, cached, answered, no_function, cache_hits, log_attacks]
    }
}

impl AddAssign for CoverageTotals {
    fn add_assign(&mut self, other: Self) {
        self.requests += other.requests;
        self.edge += other.edge;
        self.bypassed += other.bypassed;
        self.fail_open += other.fail_open;
        self.cached += other.cached;
        self.answered += other.answered;
        self.no_function += other.no_function;
        self.cache_hits += other.cache_hits;
        self.log_attacks += other.log_attacks;
    }
}
