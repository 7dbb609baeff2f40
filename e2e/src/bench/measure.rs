//! Latency, start, memory and size, measured in turns so that noise affects all functions equally.

use super::{
    events::{self, Trigger},
    functions::{Candidate, Candidates},
};
use crate::{
    binaries::Binaries,
    stack::{Mode, Stack, StackOptions},
};
use anyhow::{Context as _, ensure};
use cloudfront_sim::lambda::{Function, LogEvent, PythonRuntime};
use std::{fs, time::Duration};

/// Number of measurements.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    pub(super) invocations: u32,
    pub(super) warm_up: u32,
    pub(super) starts: u32,
}

impl Effort {
    pub const FULL: Self = Self { invocations: 5_000, warm_up: 300, starts: 25 };
    pub const QUICK: Self = Self { invocations: 20, warm_up: 2, starts: 1 };
}

/// Values of ours and of Python's function.
pub(super) struct Compared<T> {
    pub(super) ours: T,
    pub(super) python: T,
}

pub(super) struct Results {
    pub(super) inline: Compared<Latency>,
    pub(super) out_of_band: Compared<Latency>,
    pub(super) nothing: Compared<Latency>,
    /// In line: median time from the start of the process to its first response.
    pub(super) cold_start: Compared<Duration>,
    /// In line, of the Python function with handwritten HTTP.
    pub(super) bare: Latency,
    pub(super) bare_cold_start: Duration,
    /// In line, after all invocations, in bytes.
    pub(super) resident: Compared<u64>,
    /// In bytes.
    pub(super) zip: Compared<u64>,
    /// The Runtime API client of the functions.
    pub(super) client: &'static str,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Latency {
    pub(super) p50: Duration,
    pub(super) p99: Duration,
}

/// A running function.
struct Runner {
    name: &'static str,
    trigger: Trigger,
    function: Function,
}

pub(super) async fn measure(binaries: &Binaries, effort: Effort) -> anyhow::Result<Results> {
    // The comparison excludes the node's analysis.
    let options = StackOptions { mode: Mode::Off, ..StackOptions::default() };
    let stack = Stack::start(binaries, options).await?;
    let candidates =
        Candidates::make(binaries, stack.addresses.node, &stack.directory().join("compared")).await?;
    let Candidates { inline, out_of_band, nothing, bare } = &candidates;
    let python = stack.python.without_site_packages(&stack.directory().join("python")).await?;
    let [ours, pythons, bare_cold_start] =
        cold_starts([&inline.ours, &inline.python, bare], &python, effort.starts).await?;
    let cold_start = Compared { ours, python: pythons };

    let mut runners = Vec::new();
    let pairs = [inline, out_of_band, nothing].into_iter().flat_map(|pair| [&pair.ours, &pair.python]);
    for candidate in pairs.chain([bare]) {
        runners.push(Runner::start(candidate, &python).await?);
    }
    let calls_before = stack.node_status("/requests").await?;
    take_turns(&runners, effort).await?;
    let calls = stack.node_status("/requests").await? - calls_before;
    // Five of the seven call the node. A function that skipped the call would look fast.
    let expected = u64::from(effort.warm_up + effort.invocations) * 5;
    ensure!(calls == expected, "the node was called {calls} times instead of {expected}");

    let [our_inline, python_inline, our_copy, python_copy, our_nothing, python_nothing, bare] = &runners[..]
    else {
        unreachable!("three pairs and one more were started")
    };
    let results = Results {
        resident: Compared { ours: our_inline.resident()?, python: python_inline.resident()? },
        inline: Compared { ours: our_inline.latency(effort)?, python: python_inline.latency(effort)? },
        out_of_band: Compared { ours: our_copy.latency(effort)?, python: python_copy.latency(effort)? },
        nothing: Compared { ours: our_nothing.latency(effort)?, python: python_nothing.latency(effort)? },
        cold_start,
        bare: bare.latency(effort)?,
        bare_cold_start,
        zip: Compared {
            ours: inline.ours.zip.metadata()?.len(),
            python: inline.python.zip.metadata()?.len(),
        },
        client: if stack.python.is_aws() { "awslambdaric" } else { "the minimal client, not AWS's" },
    };
    stack.stop().await;
    Ok(results)
}

/// Invokes each function with each event after its last invocation is over, including work after
/// the reply: the environment is frozen in between. On Lambda a busy environment would cost another
/// environment, not time.
async fn take_turns(runners: &[Runner], effort: Effort) -> anyhow::Result<()> {
    let mut order: Vec<usize> = (0..runners.len()).collect();
    for n in 0..effort.warm_up + effort.invocations {
        // No function always runs after the same other one.
        if n % 2 == 0 {
            order.rotate_left(1);
        } else {
            order.reverse();
        }
        for &index in &order {
            runners[index].invoke(n).await?;
        }
    }
    Ok(())
}

/// Median cold starts, measured in turns.
async fn cold_starts<const N: usize>(
    candidates: [&Candidate; N],
    python: &PythonRuntime,
    times: u32,
) -> anyhow::Result<[Duration; N]> {
    let mut starts: [Vec<Duration>; N] = std::array::from_fn(|_| Vec::new());
    for _ in 0..times {
        for (candidate, starts) in candidates.iter().zip(&mut starts) {
            starts.push(cold_start(candidate, python).await?);
        }
    }
    let mut medians = [Duration::ZERO; N];
    for (median, starts) in medians.iter_mut().zip(&mut starts) {
        *median = quantile(starts, 0.5)?;
    }
    Ok(medians)
}

/// The time from the start of the process to its first response, without unpacking the zip.
async fn cold_start(candidate: &Candidate, python: &PythonRuntime) -> anyhow::Result<Duration> {
    let function = candidate.start(python).await?;
    function.invoke(events::event(candidate.trigger, 0).to_string()).await?;
    function.at_rest().await;
    let at = |is: fn(&LogEvent) -> bool| function.log().find(is).map(|entry| entry.at);
    let started = at(|event| matches!(event, LogEvent::Started)).context("no process was started")?;
    let answered =
        at(|event| matches!(event, LogEvent::Response { .. })).context("no response was posted")?;
    function.stop().await;
    Ok(answered - started)
}

impl Runner {
    async fn start(candidate: &Candidate, python: &PythonRuntime) -> anyhow::Result<Self> {
        let function = candidate.start(python).await?;
        Ok(Self { name: candidate.name, trigger: candidate.trigger, function })
    }

    async fn invoke(&self, n: u32) -> anyhow::Result<()> {
        let event = events::event(self.trigger, n).to_string();
        self.function.invoke(event).await.context(self.name)?;
        self.function.at_rest().await;
        Ok(())
    }

    /// The billed duration of all invocations after the warm-up: from the delivery of the event to
    /// the posted reply.
    fn latency(&self, effort: Effort) -> anyhow::Result<Latency> {
        let (mut delivered, mut latencies) = (None, Vec::new());
        for entry in self.function.log().entries() {
            match entry.event {
                LogEvent::InvokeStart { .. } => delivered = Some(entry.at),
                LogEvent::Response { .. } => {
                    latencies.extend(delivered.take().map(|start| entry.at - start));
                }
                _ => {}
            }
        }
        let (all, expected) = (latencies.len(), effort.warm_up + effort.invocations);
        ensure!(u32::try_from(all)? == expected, "{} has {all} invocations in its log", self.name);
        let mut latencies = latencies.split_off(effort.warm_up.try_into()?);
        let p50 = quantile(&mut latencies, 0.5)?;
        Ok(Latency { p50, p99: quantile(&mut latencies, 0.99)? })
    }

    /// The resident memory of its process, from `proc_pid_status(5)`.
    fn resident(&self) -> anyhow::Result<u64> {
        let [pid] = self.function.pids()[..] else {
            anyhow::bail!("{} does not have exactly one process", self.name)
        };
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kilobytes * 1024)
    }
}

/// The quantile of the values.
fn quantile(values: &mut [Duration], share: f64) -> anyhow::Result<Duration> {
    values.sort_unstable();
    let last = values.len().checked_sub(1).context("nothing was measured")?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a share of a length is one of its indexes"
    )]
    let index = (last as f64 * share).round() as usize;
    Ok(values[index])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_do_not_depend_on_the_order() {
        let mut values: Vec<_> = (0..=100).rev().map(Duration::from_millis).collect();
        assert_eq!(quantile(&mut values, 0.5).unwrap(), Duration::from_millis(50));
        assert_eq!(quantile(&mut values, 0.99).unwrap(), Duration::from_millis(99));
        assert!(quantile(&mut [], 0.5).is_err());
    }
}
