//! Detection and false positive rates, by suite and type.

use super::{Label, Scored};
use std::{collections::BTreeMap, fmt, time::Duration};

/// Prints as a table.
#[derive(Debug)]
pub struct Table {
    rows: BTreeMap<(String, String), Row>,
    times: Vec<Duration>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Row {
    attacks: u32,
    true_positives: u32,
    /// Detected requests whose label has a type, and those of them with the correct type.
    typed: u32,
    named_right: u32,
    benign: u32,
    false_alarms: u32,
}

impl Table {
    pub(super) fn of(scored: &[Scored]) -> Self {
        let mut rows: BTreeMap<(String, String), Row> = BTreeMap::new();
        for one in scored {
            let suite = one.labelled.suite.clone();
            rows.entry((suite.clone(), String::new())).or_default().add(one);
            if !one.labelled.kind.is_empty() {
                rows.entry((suite, one.labelled.kind.clone())).or_default().add(one);
            }
        }
        let mut times: Vec<_> = scored.iter().map(|one| one.took).collect();
        times.sort_unstable();
        Self { rows, times }
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
    fn add(&mut self, one: &Scored) {
        let blocked = u32::from(one.is_blocked());
        match one.labelled.label {
            Label::Benign => {
                self.benign += 1;
                self.false_alarms += blocked;
            }
            Label::Attack => {
                self.attacks += 1;
                self.true_positives += blocked;
                let typed = u32::from(!one.labelled.accepts.is_empty()) * blocked;
                self.typed += typed;
                self.named_right += typed * u32::from(one.is_named_right());
            }
        }
    }

    fn true_positive_rate(&self) -> Option<f64> {
        percent(self.true_positives, self.attacks)
    }

    fn false_positive_rate(&self) -> Option<f64> {
        percent(self.false_alarms, self.benign)
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

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<34}{:>8}{:>8}{:>10}{:>8}{:>8}",
            "suite, type", "attacks", "TPR %", "named %", "benign", "FPR %"
        )?;
        for ((suite, kind), row) in &self.rows {
            let name = if kind.is_empty() { suite.clone() } else { format!("    {kind}") };
            writeln!(
                f,
                "{name:<34}{:>8}{:>8}{:>10}{:>8}{:>8}",
                row.attacks,
                shown(row.true_positive_rate()),
                shown(percent(row.named_right, row.typed)),
                row.benign,
                shown(row.false_positive_rate()),
            )?;
        }
        let true_positives = mean(self.suites().map(Row::true_positive_rate));
        let false_positives = mean(self.suites().map(Row::false_positive_rate));
        let balanced = true_positives
            .zip(false_positives)
            .map(|(true_positives, false_positives)| f64::midpoint(true_positives, 100.0 - false_positives));
        writeln!(
            f,
            "means over the suites: TPR {} %, FPR {} %, balanced accuracy {} %",
            shown(true_positives),
            shown(false_positives),
            shown(balanced)
        )?;
        let time = |part: usize| self.times.get(self.times.len() * part / 100).map(Duration::as_micros);
        if let (Some(median), Some(slow), Some(slowest)) = (time(50), time(99), self.times.last()) {
            writeln!(f, "analysis: median {median} µs, p99 {slow} µs, slowest {} µs", slowest.as_micros())?;
        }
        Ok(())
    }
}
