//! Result tables in Markdown.

use crate::measure::{Outcome, percentile};

/// A kind of call, with and without detection.
pub(crate) struct Bodies {
    pub name: &'static str,
    pub without: Outcome,
    pub with: Outcome,
    /// Lower bound of the throughput ratio.
    pub bound: Option<f64>,
}

pub(crate) struct Row {
    pub what: &'static str,
    pub measured: String,
    pub bound: Option<Bound>,
}

/// A ratio with an upper bound.
pub(crate) struct Bound {
    pub value: f64,
    pub max: f64,
}

impl Bodies {
    fn ratio(&self) -> f64 {
        self.with.per_second() / self.without.per_second()
    }

    pub(crate) fn is_within(&self) -> bool {
        self.bound.is_none_or(|least| self.ratio() >= least)
    }

    fn line(&mut self) -> String {
        let ratio = self.ratio();
        let bound = match (self.bound, self.is_within()) {
            (None, _) => String::new(),
            (Some(least), true) => format!("at least {least:.2}×: ok"),
            (Some(least), false) => format!("at least {least:.2}×: MISSED"),
        };
        let Self { name, without, with, .. } = self;
        let times = |outcome: &mut Outcome| {
            let [p50, p99] = [50, 99].map(|percent| percentile(&mut outcome.admitted, percent));
            format!("{:.2} / {:.2} ms", p50.as_secs_f64() * 1e3, p99.as_secs_f64() * 1e3)
        };
        let (times_without, times_with) = (times(without), times(with));
        format!(
            "| {name} | {:.0} | {:.0} | {ratio:.2}× | {times_without} | {times_with} | {:.0} | {:.0} | {bound} |",
            without.per_second(),
            with.per_second(),
            without.processor_micros(),
            with.processor_micros(),
        )
    }
}

impl Row {
    pub(crate) fn is_within(&self) -> bool {
        self.bound.as_ref().is_none_or(|bound| bound.value <= bound.max)
    }

    fn line(&self) -> String {
        let Self { what, measured, bound } = self;
        let bound = bound.as_ref().map_or(String::new(), |Bound { value, max }| {
            let word = if self.is_within() { "ok" } else { "OVER" };
            format!("{value:.2}×, at most {max:.2}×: {word}")
        });
        format!("| {what} | {measured} | {bound} |")
    }
}

pub(crate) fn bodies(bodies: &mut [Bodies]) -> String {
    let lines: Vec<_> = bodies.iter_mut().map(Bodies::line).collect();
    format!(
        "| calls | off, /s | on, /s | ratio | off, p50 / p99 | on, p50 / p99 | off, CPU µs | on, CPU µs | bound |\n\
         |---|---:|---:|---:|---:|---:|---:|---:|---|\n{}\n",
        lines.join("\n")
    )
}

pub(crate) fn rows(rows: &[Row]) -> String {
    let lines: Vec<_> = rows.iter().map(Row::line).collect();
    format!("| | measured | bound |\n|---|---|---|\n{}\n", lines.join("\n"))
}
