//! The printed table, and its bounds.

use super::measure::{Compared, Effort, Results};
use crate::markdown::{
    Column::{Number, Text},
    table,
};
use std::time::Duration;

/// A row of the table.
pub(super) struct Row {
    what: &'static str,
    ours: String,
    other: String,
    /// Our value divided by the other's; our value alone for a size.
    measured: f64,
    unit: Unit,
    bound: Option<f64>,
}

/// The format of a measured value and its bound.
#[derive(Clone, Copy)]
enum Unit {
    /// A ratio: `0.25×`
    Times,
    /// A ratio as a difference: `+3.1 %`
    More,
    /// `1.04 MiB`
    Mebibytes,
}

/// The other side of a comparison of latencies.
#[derive(Clone, Copy)]
struct Peer {
    name: &'static str,
    theirs: Duration,
    unit: Unit,
    bound: Option<f64>,
}

pub(super) fn rows(results: &Results) -> Vec<Row> {
    let Results { inline, out_of_band, cold_start, resident, zip, .. } = results;
    let python = |theirs, bound| Peer { name: "Python", theirs, unit: Unit::Times, bound };
    let bare = |theirs| Peer { name: "Python, handwritten HTTP", theirs, unit: Unit::Times, bound: None };
    let nothing = |name, theirs| Peer { name, theirs, unit: Unit::More, bound: Some(0.05) };
    let Compared { ours: nothing_of_ours, python: nothing_of_python } = &results.nothing;
    let copies = out_of_band.ours.p50;
    vec![
        latency("in line, p50", inline.ours.p50, python(inline.python.p50, Some(0.4))),
        latency("in line, p99", inline.ours.p99, python(inline.python.p99, Some(0.5))),
        latency("out of band, p50", copies, python(out_of_band.python.p50, None)),
        latency("out of band, p50", copies, nothing("our program, doing nothing", nothing_of_ours.p50)),
        latency("out of band, p50", copies, nothing("Python, doing nothing", nothing_of_python.p50)),
        latency("cold start, median", cold_start.ours, python(cold_start.python, Some(0.75))),
        latency("in line, p50", inline.ours.p50, bare(results.bare.p50)),
        latency("in line, p99", inline.ours.p99, bare(results.bare.p99)),
        latency("cold start, median", cold_start.ours, bare(results.bare_cold_start)),
        Row {
            what: "resident memory",
            ours: mebibytes(resident.ours),
            other: format!("Python: {}", mebibytes(resident.python)),
            measured: as_mebibytes(resident.ours) / as_mebibytes(resident.python),
            unit: Unit::Times,
            bound: Some(0.3),
        },
        Row {
            what: "zip",
            ours: mebibytes(zip.ours),
            other: format!("Python: {}", mebibytes(zip.python)),
            measured: as_mebibytes(zip.ours),
            unit: Unit::Mebibytes,
            bound: Some(1.4),
        },
    ]
}

fn latency(what: &'static str, ours: Duration, peer: Peer) -> Row {
    let Peer { name, theirs, unit, bound } = peer;
    let measured = ours.as_secs_f64() / theirs.as_secs_f64();
    Row { what, ours: millis(ours), other: format!("{name}: {}", millis(theirs)), measured, unit, bound }
}

impl Row {
    pub(super) fn is_within(&self) -> bool {
        self.bound.is_none_or(|bound| self.measured <= self.unit.limit(bound))
    }
}

impl Unit {
    /// The bound in the unit of `measured`: 5 % more is a ratio of 1.05.
    fn limit(self, bound: f64) -> f64 {
        match self {
            Self::More => 1.0 + bound,
            Self::Times | Self::Mebibytes => bound,
        }
    }

    fn write(self, measured: f64) -> String {
        match self {
            Self::Times => format!("{measured:.2}×"),
            Self::More => format!("{:+.1} %", (measured - 1.0) * 100.0),
            Self::Mebibytes => format!("{measured:.2} MiB"),
        }
    }
}

impl Row {
    fn cells(&self) -> [String; 6] {
        let bound = self.bound.map(|bound| format!("at most {}", self.unit.write(self.unit.limit(bound))));
        let verdict = match (&bound, self.is_within()) {
            (None, _) => "",
            (Some(_), true) => "ok",
            (Some(_), false) => "OVER",
        };
        [
            self.what.to_owned(),
            self.ours.clone(),
            self.other.clone(),
            self.unit.write(self.measured),
            bound.unwrap_or_default(),
            verdict.to_owned(),
        ]
    }
}

/// Markdown, to be quoted in documents.
pub(super) fn print(rows: &[Row], effort: Effort, client: &str) -> String {
    let Effort { invocations, starts, .. } = effort;
    let columns =
        [Text(""), Number("ours"), Text("compared with"), Number("measured"), Text("bound"), Text("")];
    let rows: Vec<_> = rows.iter().map(Row::cells).collect();
    format!(
        "{}\n\n{invocations} invocations of each in turns, {starts} starts; under {client}.",
        table(columns, &rows)
    )
}

fn millis(duration: Duration) -> String {
    format!("{:.3} ms", duration.as_secs_f64() * 1000.0)
}

fn mebibytes(bytes: u64) -> String {
    format!("{:.2} MiB", as_mebibytes(bytes))
}

#[expect(clippy::cast_precision_loss, reason = "two digits of a size")]
fn as_mebibytes(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(ours: u64, theirs: u64, unit: Unit, bound: f64) -> Row {
        let theirs = Duration::from_micros(theirs);
        latency("p50", Duration::from_micros(ours), Peer { name: "Python", theirs, unit, bound: Some(bound) })
    }

    #[test]
    fn accepts_a_value_equal_to_its_bound() {
        assert!(row(400, 1000, Unit::Times, 0.4).is_within());
        assert!(!row(401, 1000, Unit::Times, 0.4).is_within());
        assert!(row(1050, 1000, Unit::More, 0.05).is_within());
        assert!(!row(1051, 1000, Unit::More, 0.05).is_within());
    }

    #[test]
    fn marks_a_value_over_its_bound() {
        assert_eq!(
            row(1200, 1000, Unit::More, 0.05).cells(),
            ["p50", "1.200 ms", "Python: 1.000 ms", "+20.0 %", "at most +5.0 %", "OVER"]
        );
    }
}
