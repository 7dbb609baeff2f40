//! Memory and descriptors of the node and the console, from `/proc`.

use super::{FREE_GROWTH_KIB, MAX_GROWTH_PERCENT};
use crate::stack::Process;
use anyhow::{Context as _, ensure};
use std::{fmt, fs, time::Duration};

pub(super) const HEADER: &str =
    "   time      node MiB  fds   console MiB  fds  hostile  benign requests of the last 30 s";

/// Samples of a run.
pub(super) struct Usage {
    warm_up: Duration,
    duration: Duration,
    samples: Vec<Sample>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    at: Duration,
    node: ProcessUsage,
    console: ProcessUsage,
}

#[derive(Debug, Clone, Copy)]
struct ProcessUsage {
    resident_kib: u64,
    descriptors: usize,
}

impl Usage {
    pub(super) fn new(warm_up: Duration, duration: Duration) -> Self {
        Self { warm_up, duration, samples: Vec::new() }
    }

    pub(super) fn sample(
        &mut self,
        at: Duration,
        node: &Process,
        console: &Process,
    ) -> anyhow::Result<Sample> {
        let sample = Sample { at, node: ProcessUsage::of(node)?, console: ProcessUsage::of(console)? };
        self.samples.push(sample);
        Ok(sample)
    }

    /// Compares the first and the last quarter of the samples after the warm-up.
    pub(super) fn bounded_growth(&self) -> anyhow::Result<()> {
        let mut growth = Vec::new();
        for (name, of) in [("node", Sample::node_kib as fn(&Sample) -> u64), ("console", Sample::console_kib)]
        {
            let (before, after) = self.first_and_last(of).context("too few samples")?;
            let percent = (after / before - 1.0) * 100.0;
            println!(
                "memory of the {name} {:.1} → {:.1} MiB: {percent:+.1} % after {} s (at most +{MAX_GROWTH_PERCENT} %, or 16 MiB)",
                before / 1024.0,
                after / 1024.0,
                self.warm_up.as_secs(),
            );
            growth.push((name, percent, after - before));
        }
        for (name, percent, kib) in growth {
            let is_bounded = percent <= MAX_GROWTH_PERCENT || kib <= FREE_GROWTH_KIB;
            ensure!(is_bounded, "the memory of the {name} grew by {percent:.1} %");
        }
        Ok(())
    }

    /// The means of two windows of equal length.
    fn first_and_last(&self, of: fn(&Sample) -> u64) -> Option<(f64, f64)> {
        let window = self.duration.saturating_sub(self.warm_up) / 4;
        let mean = |from: Duration, to: Duration| {
            let within = self.samples.iter().filter(|sample| (from..=to).contains(&sample.at));
            let values: Vec<u64> = within.map(of).collect();
            #[expect(clippy::cast_precision_loss, reason = "a mean of kibibytes")]
            (!values.is_empty()).then(|| values.iter().sum::<u64>() as f64 / values.len() as f64)
        };
        let end = self.samples.last()?.at;
        Some((mean(self.warm_up, self.warm_up + window)?, mean(end.saturating_sub(window), end)?))
    }
}

impl Sample {
    fn node_kib(&self) -> u64 {
        self.node.resident_kib
    }

    fn console_kib(&self) -> u64 {
        self.console.resident_kib
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (node, console) = (self.node, self.console);
        write!(
            f,
            "{:>5} s  {:>10}  {:>4}  {:>11}  {:>4}",
            self.at.as_secs(),
            node.resident_kib / 1024,
            node.descriptors,
            console.resident_kib / 1024,
            console.descriptors
        )
    }
}

impl ProcessUsage {
    fn of(process: &Process) -> anyhow::Result<Self> {
        let pid = process.pid().with_context(|| format!("the {} has ended", process.name()))?;
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = resident.and_then(|text| text.trim().strip_suffix(" kB")).context("no VmRSS")?;
        let descriptors = fs::read_dir(format!("/proc/{pid}/fd"))?.count();
        Ok(Self { resident_kib: kib.trim().parse()?, descriptors })
    }
}
