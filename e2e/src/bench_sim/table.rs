//! The table, and what it must reach.

use super::load::Measured;
use std::time::Duration;

/// On two quiet cores, with a function that costs next to nothing itself.
const PER_SECOND: f64 = 3_000.0;

pub(super) struct Row {
    what: &'static str,
    many: Measured,
    one: Measured,
}

impl Row {
    pub(super) fn new(what: &'static str, many: Measured, one: Measured) -> Self {
        Self { what, many, one }
    }

    fn bound(&self) -> Option<f64> {
        (self.what == "no-op, compiled").then_some(PER_SECOND)
    }

    fn is_within(&self) -> bool {
        self.bound().is_none_or(|bound| self.many.per_second >= bound)
    }

    fn line(&self, origin: &Measured) -> String {
        let Self { what, many, one } = self;
        let (bound, word) = match (self.bound(), self.is_within()) {
            (None, _) => (String::new(), ""),
            (Some(bound), true) => (format!("at least {bound:.0}"), "ok"),
            (Some(bound), false) => (format!("at least {bound:.0}"), "MISSED"),
        };
        format!(
            "| {what:<16} | {:>9.0} | {:>6.2}× | {:>8} | {:>8} | {:>9} | {bound:<13} | {word:<6} |",
            many.per_second,
            many.per_second / origin.per_second,
            millis(many.p50),
            millis(many.p99),
            millis(one.p50),
        )
    }
}

pub(super) fn within(rows: &[Row]) -> bool {
    rows.iter().all(Row::is_within)
}

/// As Markdown, so that it can stand in a document as it is. The first row is what the others are compared with.
pub(super) fn print(rows: &[Row], how: &str) -> String {
    let origin = rows.first().map(|row| row.many);
    let lines: Vec<_> = origin.iter().flat_map(|origin| rows.iter().map(|row| row.line(origin))).collect();
    format!(
        "| {:<16} | {:>9} | {:>7} | {:>8} | {:>8} | {:>9} | {:<13} | {:<6} |\n|---|---:|---:|---:|---:|---:|---|---|\n{}\n\n{how}",
        "in front",
        "per s",
        "ratio",
        "p50",
        "p99",
        "alone p50",
        "bound",
        "",
        lines.join("\n"),
    )
}

fn millis(duration: Duration) -> String {
    format!("{:.2} ms", duration.as_secs_f64() * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(what: &'static str, per_second: f64) -> Row {
        let time = Duration::from_millis(1);
        let measured = Measured { served: 1, per_second, p50: time, p99: time };
        Row::new(what, measured, measured)
    }

    #[test]
    fn the_compiled_function_has_a_bound_and_the_rest_has_none() {
        assert!(within(&[
            row("the origin alone", 1.0),
            row("no-op, compiled", 3_000.0),
            row("no-op, Python", 1.0)
        ]));
        let missed = [row("the origin alone", 10_000.0), row("no-op, compiled", 2_999.0)];
        assert!(!within(&missed));
        let table = print(&missed, "");
        assert!(table.contains("|   0.30× |") && table.contains("| at least 3000 | MISSED |"), "{table}");
    }
}
