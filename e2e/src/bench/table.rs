//! The table, and what it must not exceed.

use super::measure::{Compared, Effort, Results};
use std::{fmt, time::Duration};

/// A line of the table.
pub(super) struct Row {
    what: &'static str,
    ours: String,
    other: String,
    /// Ours by the other's; ours alone for a size that has a bound of its own.
    measured: f64,
    unit: Unit,
    bound: Option<f64>,
}

/// How a measured value and its bound are written.
#[derive(Clone, Copy)]
enum Unit {
    /// A ratio: `0.25×`
    Times,
    /// A ratio, too: `+3.1 %`
    More,
    /// `1.04 MiB`
    Mebibytes,
}

/// A ratio of latencies, with whom we are compared.
#[derive(Clone, Copy)]
struct Beside {
    whom: &'static str,
    theirs: Duration,
    unit: Unit,
    bound: Option<f64>,
}

pub(super) fn rows(results: &Results) -> Vec<Row> {
    let Results { inline, out_of_band, cold_start, resident, zip, .. } = results;
    let python = |theirs, bound| Beside { whom: "Python", theirs, unit: Unit::Times, bound };
    let bare = |theirs| Beside { whom: "Python, HTTP by hand", theirs, unit: Unit::Times, bound: None };
    let nothing = |whom, theirs| Beside { whom, theirs, unit: Unit::More, bound: Some(0.05) };
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

fn latency(what: &'static str, ours: Duration, beside: Beside) -> Row {
    let Beside { whom, theirs, unit, bound } = beside;
    let measured = ours.as_secs_f64() / theirs.as_secs_f64();
    Row { what, ours: millis(ours), other: format!("{whom}: {}", millis(theirs)), measured, unit, bound }
}

impl Row {
    pub(super) fn is_within(&self) -> bool {
        self.bound.is_none_or(|bound| self.measured <= self.unit.limit(bound))
    }
}

impl Unit {
    /// The bound as a value of what is measured: 5 % more is a ratio of 1.05.
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

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, ours, other, measured, unit, bound } = self;
        let measured = unit.write(*measured);
        let bound =
            bound.map(|bound| format!("at most {}", unit.write(unit.limit(bound)))).unwrap_or_default();
        let word = match (bound.is_empty(), self.is_within()) {
            (true, _) => "",
            (false, true) => "ok",
            (false, false) => "OVER",
        };
        write!(f, "| {what:<18} | {ours:>10} | {other:<38} | {measured:>8} | {bound:<16} | {word:<4} |")
    }
}

/// As Markdown, so that it can stand in a document as it is.
pub(super) fn print(rows: &[Row], effort: Effort, client: &str) -> String {
    let Effort { invocations, starts, .. } = effort;
    let lines: Vec<_> = rows.iter().map(ToString::to_string).collect();
    format!(
        "| {:<18} | {:>10} | {:<38} | {:>8} | {:<16} | {:<4} |\n|---|---:|---|---:|---|---|\n{}\n\n\
         {invocations} invocations of each in turns, {starts} starts; under {client}.",
        "",
        "ours",
        "beside",
        "measured",
        "bound",
        "",
        lines.join("\n"),
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
        latency(
            "p50",
            Duration::from_micros(ours),
            Beside { whom: "Python", theirs, unit, bound: Some(bound) },
        )
    }

    #[test]
    fn a_bound_is_met_up_to_itself() {
        assert!(row(400, 1000, Unit::Times, 0.4).is_within());
        assert!(!row(401, 1000, Unit::Times, 0.4).is_within());
        assert!(row(1050, 1000, Unit::More, 0.05).is_within());
        assert!(!row(1051, 1000, Unit::More, 0.05).is_within());
    }

    #[test]
    fn what_is_over_says_so() {
        let line = row(1200, 1000, Unit::More, 0.05).to_string();
        assert_eq!(
            line.split('|').map(str::trim).collect::<Vec<_>>(),
            ["", "p50", "1.200 ms", "Python: 1.000 ms", "+20.0 %", "at most +5.0 %", "OVER", ""]
        );
    }
}
