//! The printed table, and its bounds.

use super::load::Measured;
use crate::markdown::{
    Column::{Number, Text},
    table,
};
use std::time::Duration;

/// On two quiet cores, with a no-op function.
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

    fn cells(&self, origin: &Measured) -> [String; 8] {
        let Self { what, many, one } = self;
        let (bound, verdict) = match (self.bound(), self.is_within()) {
            (None, _) => (String::new(), ""),
            (Some(bound), true) => (format!("at least {bound:.0}"), "ok"),
            (Some(bound), false) => (format!("at least {bound:.0}"), "MISSED"),
        };
        [
            (*what).to_owned(),
            format!("{:.0}", many.per_second),
            format!("{:.2}×", many.per_second / origin.per_second),
            millis(many.p50),
            millis(many.p99),
            millis(one.p50),
            bound,
            verdict.to_owned(),
        ]
    }
}

pub(super) fn within(rows: &[Row]) -> bool {
    rows.iter().all(Row::is_within)
}

/// Markdown, to be quoted in documents. Ratios are relative to the first row.
pub(super) fn print(rows: &[Row], how: &str) -> String {
    let columns = [
        Text(""),
        Number("per s"),
        Number("ratio"),
        Number("p50"),
        Number("p99"),
        Number("alone p50"),
        Text("bound"),
        Text(""),
    ];
    let origin = rows.first().map(|row| row.many);
    let rows: Vec<_> = origin.iter().flat_map(|origin| rows.iter().map(|row| row.cells(origin))).collect();
    format!("{}\n\n{how}", table(columns, &rows))
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
    fn only_the_compiled_function_has_a_bound() {
        assert!(within(&[
            row("the origin alone", 1.0),
            row("no-op, compiled", 3_000.0),
            row("no-op, Python", 1.0)
        ]));
        let missed = [row("the origin alone", 10_000.0), row("no-op, compiled", 2_999.0)];
        assert!(!within(&missed));
        let table = print(&missed, "");
        assert!(table.contains("| 0.30× |") && table.contains("| at least 3000 | MISSED |"), "{table}");
    }
}
