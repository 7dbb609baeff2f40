//! Work of custom detectors on one request, counted in steps of automata: a step takes about a
//! nanosecond. The count depends on the request and the ruleset only, never on the clock.

use regex_automata::PatternSet;
use shared::{InspectRequest, Point};
use std::collections::{BTreeSet, HashMap};

/// The steps for a request of any size.
const BASE_STEPS: u64 = 32 << 20;
/// The further steps for each byte of a request.
const STEPS_PER_BYTE: u64 = 512;
/// A rule may take this part of the steps, so that it leaves some to the others.
const PART_OF_RULE: u64 = 2;

/// What is left, and what was skipped for lack of it.
pub(crate) struct DetectorWork<'r> {
    left: u64,
    /// The most steps of one rule.
    most: u64,
    /// The steps of each rule, by the signature of its findings.
    spent: HashMap<&'r str, u64>,
    skipped: BTreeSet<&'r str>,
    /// Where the first rule was skipped.
    point: Option<Point>,
    /// The parts that the filter found in a value.
    pub(super) found: PatternSet,
}

/// The detectors that did not inspect every value.
pub(crate) struct Skipped<'r> {
    /// The first value that was not inspected.
    pub point: Point,
    /// The signatures of their findings.
    pub signatures: BTreeSet<&'r str>,
}

impl<'r> DetectorWork<'r> {
    /// The work on a request, with a buffer for this many parts of patterns.
    pub(crate) fn on(request: &InspectRequest, parts: usize) -> Self {
        let headers = request.headers.iter().map(|(name, value)| name.len() + value.len());
        let body = request.body.as_ref().map_or(0, |body| body.0.len());
        let bytes = request.path.len() + request.query.len() + headers.sum::<usize>() + body;
        Self::new(BASE_STEPS + steps(bytes, STEPS_PER_BYTE), parts)
    }

    fn new(left: u64, parts: usize) -> Self {
        Self {
            left,
            most: left / PART_OF_RULE,
            spent: HashMap::new(),
            skipped: BTreeSet::new(),
            point: None,
            found: PatternSet::new(parts),
        }
    }

    /// Spends the steps of the filter.
    pub(super) fn spend(&mut self, count: usize) -> bool {
        let rest = self.left.checked_sub(steps(count, 1));
        self.left = rest.unwrap_or(self.left);
        rest.is_some()
    }

    /// Spends the steps of a rule on a value.
    pub(super) fn spend_on(&mut self, signature: &'r str, bytes: usize, steps_per_byte: u64) -> bool {
        let steps = steps(bytes, steps_per_byte);
        let spent = self.spent.entry(signature).or_default();
        let is_granted = steps <= self.left && *spent + steps <= self.most;
        if is_granted {
            *spent += steps;
            self.left -= steps;
        }
        is_granted
    }

    pub(super) fn skip(&mut self, signature: &'r str, point: impl FnOnce() -> Point) {
        self.skipped.insert(signature);
        self.point.get_or_insert_with(point);
    }

    pub(crate) fn skipped(self) -> Option<Skipped<'r>> {
        Some(Skipped { point: self.point?, signatures: self.skipped })
    }
}

fn steps(bytes: usize, each: u64) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX).saturating_mul(each)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_leaves_steps_to_the_others() {
        let mut work = DetectorWork::new(1_000, 0);
        assert!(work.spend_on("a", 10, 50));
        assert!(!work.spend_on("a", 1, 1));
        assert!(work.spend_on("b", 10, 40));
        assert!(work.spend(100));
        assert!(!work.spend(1) && !work.spend_on("c", 1, 1));
        assert!(work.skipped().is_none(), "the caller decides what is skipped");
    }
}
