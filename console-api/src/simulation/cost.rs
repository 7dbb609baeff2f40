//! Cost of a detector: the time that it adds to the analysis of recorded requests.

use super::ENGINE;
use engine::rules::{RequestRules, RuleBook};
use serde::Serialize;
use shared::{InspectRequest, ruleset::Rule};
use std::{
    hint::black_box,
    time::{Duration, Instant},
};

/// Measured requests; further ones would not change the mean.
const MEASURED: u64 = 200;
/// The fastest of these runs counts, as the least disturbed one.
const RUNS: usize = 3;

/// The cost of a detector.
#[derive(Debug, Clone, Copy, Serialize, utoipa::ToSchema)]
#[schema(as = DetectorCost)]
pub struct Cost {
    /// Measured requests, the latest.
    pub requests: u64,
    /// The time that the detector adds to the analysis of a request, on average, on the machine of the
    /// console. Absent without recorded requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub micros_per_request: Option<f64>,
    /// The most steps for a byte of a value in which the detector may match.
    pub steps_per_byte: u64,
    /// Rules with more steps are rejected.
    pub max_steps_per_byte: u64,
    #[serde(skip)]
    added: Duration,
}

impl Cost {
    pub(super) fn of(rule: &Rule) -> Self {
        let steps_per_byte = engine::rules::steps_per_byte(rule);
        let max_steps_per_byte = engine::rules::MAX_STEPS_PER_BYTE;
        Self {
            requests: 0,
            micros_per_request: None,
            steps_per_byte,
            max_steps_per_byte,
            added: Duration::ZERO,
        }
    }

    pub(super) fn is_measured(&self) -> bool {
        self.requests >= MEASURED
    }

    /// Adds the time of one request.
    #[expect(clippy::cast_precision_loss, reason = "a mean for display")]
    pub(super) fn add(&mut self, added: Duration) {
        self.requests += 1;
        self.added += added;
        let micros = self.added.as_secs_f64() * 1e6 / self.requests as f64;
        self.micros_per_request = Some((micros * 10.0).round() / 10.0);
    }
}

/// The time that the rules of a book add to the analysis of a request.
pub(super) fn added_time(book: &RuleBook, request: &InspectRequest) -> Duration {
    let application = request.connector.as_ref().and_then(|connector| connector.application);
    let rules = book.select_for(&request.host, &request.path, &request.method, application);
    // The first run fills the caches of the engine for both.
    time(request, &RequestRules::default());
    let without = fastest(request, &RequestRules::default());
    fastest(request, &rules).saturating_sub(without)
}

fn fastest(request: &InspectRequest, rules: &RequestRules<'_>) -> Duration {
    (0..RUNS).map(|_| time(request, rules)).min().unwrap_or_default()
}

fn time(request: &InspectRequest, rules: &RequestRules<'_>) -> Duration {
    let start = Instant::now();
    black_box(ENGINE.inspect_with_rules(black_box(request), rules));
    start.elapsed()
}
