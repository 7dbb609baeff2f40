//! Detection and false positive rates, by suite, type and sensitivity.

use super::{Label, Scored};
use shared::Sensitivity;
use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
    time::Duration,
};

/// Prints as a table.
#[derive(Debug)]
pub struct Table {
    sensitivities: Vec<Sensitivity>,
    rows: BTreeMap<(String, String), Row>,
    times: Vec<Duration>,
}

#[derive(Debug, Default)]
struct Row {
    attacks: u32,
    benign: u32,
    /// Of each sensitivity.
    detected: Vec<Detected>,
    /// Requests that the last sensitivity detects and whose label has a type, and those of them
    /// with the correct type.
    typed: u32,
    named_right: u32,
}

/// Requests that a sensitivity detects.
#[derive(Debug, Clone, Copy, Default)]
struct Detected {
    true_positives: u32,
    false_alarms: u32,
}

impl Table {
    pub(super) fn of(scored: &[Scored], sensitivities: &[Sensitivity]) -> Self {
        let mut rows: BTreeMap<(String, String), Row> = BTreeMap::new();
        for one in scored {
            let suite = one.labelled.suite.clone();
            rows.entry((suite.clone(), String::new())).or_default().add(one, sensitivities);
            if !one.labelled.kind.is_empty() {
                rows.entry((suite, one.labelled.kind.clone())).or_default().add(one, sensitivities);
            }
        }
        let mut times: Vec<_> = scored.iter().map(|one| one.took).collect();
        times.sort_unstable();
        Self { sensitivities: sensitivities.to_vec(), rows, times }
    }

    #[cfg(test)]
    pub(super) fn without_times(mut self) -> String {
        self.times.clear();
        self.to_string()
    }

    fn suites(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|((_, kind), _)| kind.is_empty()).map(|(_, row)| row)
    }
}

impl Row {
    fn add(&mut self, one: &Scored, sensitivities: &[Sensitivity]) {
        let is_attack = one.labelled.label == Label::Attack;
        *(if is_attack { &mut self.attacks } else { &mut self.benign }) += 1;
        self.detected.resize(sensitivities.len(), Detected::default());
        for (detected, sensitivity) in self.detected.iter_mut().zip(sensitivities) {
            let counter = if is_attack { &mut detected.true_positives } else { &mut detected.false_alarms };
            *counter += u32::from(one.is_attack(*sensitivity));
        }
        let is_detected = sensitivities.last().is_some_and(|last| one.is_attack(*last));
        if is_attack && is_detected && !one.labelled.accepts.is_empty() {
            self.typed += 1;
            self.named_right += u32::from(one.is_named_right());
        }
    }

    fn true_positive_rate(&self, sensitivity: usize) -> Option<f64> {
        self.detected.get(sensitivity).and_then(|it| percent(it.true_positives, self.attacks))
    }

    fn false_positive_rate(&self, sensitivity: usize) -> Option<f64> {
        self.detected.get(sensitivity).and_then(|it| percent(it.false_alarms, self.benign))
    }
}

fn percent(part: u32, whole: u32) -> Option<f64> {
    (whole > 0).then(|| 100.0 * f64::from(part) / f64::from(whole))
}

fn mean(rates: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let (sum, count) = rates.flatten().fold((0.0, 0_u32), |(sum, count), rate| (sum + rate, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

fn shown(rate: Option<f64>) -> String {
    rate.map_or_else(|| "–".to_owned(), |rate| format!("{rate:.2}"))
}

impl Table {
    /// One column for each sensitivity.
    fn columns(&self, text: impl Fn(usize) -> String) -> String {
        let width = self.width();
        (0..self.sensitivities.len()).fold(String::new(), |mut columns, at| {
            // Writing to text does not fail.
            let _ = write!(columns, "{:>width$}", text(at));
            columns
        })
    }

    /// The width of the column of a rate.
    fn width(&self) -> usize {
        if self.sensitivities.len() > 1 { 10 } else { 8 }
    }

    fn write_head(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.width();
        let rest = width * self.sensitivities.len().saturating_sub(1);
        writeln!(
            f,
            "{:<34}{:>8}{:>width$}{:>rest$}{:>10}{:>8}{:>width$}",
            "suite, type", "attacks", "TPR %", "", "named %", "benign", "FPR %"
        )?;
        if self.sensitivities.len() > 1 {
            let names = self.columns(|at| self.sensitivities[at].to_string());
            writeln!(f, "{:<42}{names}{:>18}{names}", "", "")?;
        }
        Ok(())
    }

    fn write_means(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, sensitivity) in self.sensitivities.iter().enumerate() {
            let true_positives = mean(self.suites().map(|row| row.true_positive_rate(at)));
            let false_positives = mean(self.suites().map(|row| row.false_positive_rate(at)));
            let balanced = true_positives.zip(false_positives).map(|(true_positives, false_positives)| {
                f64::midpoint(true_positives, 100.0 - false_positives)
            });
            writeln!(
                f,
                "means over the suites at sensitivity {sensitivity}: TPR {} %, FPR {} %, balanced accuracy {} %",
                shown(true_positives),
                shown(false_positives),
                shown(balanced)
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_head(f)?;
        for ((suite, kind), row) in &self.rows {
            let name = if kind.is_empty() { suite.clone() } else { format!("    {kind}") };
            writeln!(
                f,
                "{name:<34}{:>8}{}{:>10}{:>8}{}",
                row.attacks,
                self.columns(|at| shown(row.true_positive_rate(at))),
                shown(percent(row.named_right, row.typed)),
                row.benign,
                self.columns(|at| shown(row.false_positive_rate(at))),
            )?;
        }
        self.write_means(f)?;
        let time = |part: usize| self.times.get(self.times.len() * part / 100).map(Duration::as_micros);
        if let (Some(median), Some(slow), Some(slowest)) = (time(50), time(99), self.times.last()) {
            writeln!(f, "analysis: median {median} µs, p99 {slow} µs, slowest {} µs", slowest.as_micros())?;
        }
        Ok(())
    }
}
