//! Endurance run: benign visitors at a fixed rate and hostile clients, on the whole system. Measures
//! the latency of the visitors, and memory and descriptors of node and console.
//!
//! Bounds: p99 of benign requests at most [`Options::max_slowdown`] times that without hostile
//! clients, memory growth after the warm-up at most [`MAX_GROWTH_PERCENT`] or [`FREE_GROWTH_KIB`],
//! every request answered as expected, and every blocked request in the console, once. Descriptors
//! are printed, not bounded.

mod hostile;
mod raw;
mod usage;
mod visitors;

use crate::{
    binaries::Binaries,
    stack::{Stack, StackOptions},
};
use anyhow::{Context as _, ensure};
use hostile::Hostile;
use std::{
    path::Path,
    process::{Command, ExitCode},
    sync::Arc,
    time::Duration,
};
use tokio::time::Instant;
use usage::Usage;
use visitors::{Latencies, Visitors};

/// Bound of memory growth, from the window after the warm-up to the last one.
const MAX_GROWTH_PERCENT: f64 = 5.0;
/// Growth that always passes: in the minutes after a start, caches still fill.
const FREE_GROWTH_KIB: f64 = 16.0 * 1024.0;
/// The end of the warm-up in a run of an hour; a shorter run has a third of its time.
const WARM_UP: Duration = Duration::from_mins(10);
/// Time between two printed rows.
const ROW: Duration = Duration::from_secs(30);
const SAMPLES_PER_ROW: u32 = 6;
/// Time without hostile clients, for the baseline.
const IDLE: Duration = Duration::from_secs(20);

#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Options {
    /// Duration of the hostile load, in minutes.
    #[arg(long, default_value_t = 60, value_name = "MINUTES", value_parser = clap::value_parser!(u32).range(1..=1440))]
    pub minutes: u32,
    /// Requests of benign visitors in a second; every twentieth is an attack, to be blocked.
    #[arg(long, default_value_t = 100, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub rate: u32,
    /// Connections held half open, on each of node and console.
    #[arg(long, default_value_t = 500, value_name = "COUNT")]
    pub held: u32,
    /// Hits in the console at the start: the caches of an empty database would fill for hours.
    #[arg(long, default_value_t = 100_000, value_name = "COUNT")]
    pub seed: u32,
    /// Bound of the p99 of benign requests, relative to that without hostile clients in the same run.
    #[arg(long, default_value_t = 3.0, value_name = "TIMES")]
    pub max_slowdown: f64,
}

/// Runs with progress; exits 1 when a bound is missed.
pub async fn run(options: Options) -> anyhow::Result<ExitCode> {
    let binaries = Binaries::build()?;
    match carry_out(&binaries, options).await {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => {
            println!("FAILED: {error:#}");
            Ok(ExitCode::FAILURE)
        }
    }
}

async fn carry_out(binaries: &Binaries, options: Options) -> anyhow::Result<()> {
    // Signed: a node that accepts unsigned calls cannot tell its connectors from other clients.
    let data = tempfile::tempdir()?;
    seed(binaries, data.path(), options.seed)?;
    let data_kept = Some(data.path().to_owned());
    // An unoptimized node exceeds the functions' default deadline under this load.
    let parameters =
        if cfg!(debug_assertions) { vec![("wlrm_deadline_ms", "4000".to_owned())] } else { Vec::new() };
    let stack_options = StackOptions { signed: true, data: data_kept, parameters, ..StackOptions::default() };
    let stack = Stack::start(binaries, stack_options).await?;
    let visitors = Arc::new(Visitors::new(stack.addresses.cloudfront));
    let load = visitors.clone().start(options.rate);

    // Environments start and caches fill before the baseline.
    tokio::time::sleep(IDLE / 2).await;
    visitors.take_window();
    tokio::time::sleep(IDLE).await;
    let idle = visitors.take_window();
    println!("without hostile clients, for {} s: {idle}", IDLE.as_secs());

    let hostile = Hostile::start(&stack, options.held).await?;
    let (under_load, usage) = observe(&stack, &visitors, &hostile, options).await?;
    println!("{}", hostile.stop().await);
    visitors.stop();
    load.join_all().await;

    stack.all_delivered().await?;
    let lost = visitors.reconcile(&stack.console_api()).await?;
    println!("{lost}");
    let checks =
        [bounded_latency(&idle, &under_load, options.max_slowdown), usage.bounded_growth(), lost.none()];
    stack.stop().await;
    for check in checks {
        check?;
    }
    println!("ok: latency, memory and records within their bounds");
    Ok(())
}

fn seed(binaries: &Binaries, data: &Path, hits: u32) -> anyhow::Result<()> {
    println!("recording {hits} hits …");
    let mut seed = Command::new(&binaries.console);
    seed.args(["seed", "--hits", &hits.to_string(), "--data"]).arg(data.join("console"));
    let output = seed.output().context("cannot run wallarm-console")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// Samples until the time is over, and prints a row every half minute.
async fn observe(
    stack: &Stack,
    visitors: &Visitors,
    hostile: &Hostile,
    options: Options,
) -> anyhow::Result<(Latencies, Usage)> {
    let duration = Duration::from_secs(u64::from(options.minutes) * 60);
    let mut usage = Usage::new(WARM_UP.min(duration / 3), duration);
    let mut all = Latencies::default();
    let start = Instant::now();
    println!("{}", usage::HEADER);
    while start.elapsed() < duration {
        for _ in 1..SAMPLES_PER_ROW {
            tokio::time::sleep(ROW / SAMPLES_PER_ROW).await;
            usage.sample(start.elapsed(), &stack.node, &stack.console)?;
        }
        tokio::time::sleep(ROW / SAMPLES_PER_ROW).await;
        let sample = usage.sample(start.elapsed(), &stack.node, &stack.console)?;
        let window = visitors.take_window();
        println!("{sample}  {:>7}  {window}", hostile.operations());
        all.extend(window);
    }
    println!("with hostile clients: {all}");
    Ok((all, usage))
}

fn bounded_latency(idle: &Latencies, under_load: &Latencies, max: f64) -> anyhow::Result<()> {
    let both = idle.p99().zip(under_load.p99());
    let (idle, under_load) = both.context("no benign request was answered")?;
    let slowdown = under_load.as_secs_f64() / idle.as_secs_f64();
    println!("p99 of benign requests {idle:.2?} → {under_load:.2?}: {slowdown:.2}× (at most {max}×)");
    ensure!(slowdown <= max, "p99 of benign requests is {slowdown:.2} times that without load");
    Ok(())
}
