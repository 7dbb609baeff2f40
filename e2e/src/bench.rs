//! `bench-connector`: the request function compared with a Python function that does the same work,
//! on the same emulator and with the same node.
//!
//! - [`functions`]: the compared functions.
//! - [`events`]: their input.
//! - [`same_work`]: checks that they send the node the same bytes and return the same results.
//! - [`measure`]: latency, start, memory and size.
//! - [`table`]: the printed table, and the bounds.

mod events;
mod functions;
mod measure;
mod recorder;
mod same_work;
mod table;

use crate::binaries::Binaries;
use clap::Args;
use std::{path::PathBuf, process::ExitCode};

pub use functions::zipped;
pub use measure::Effort;

/// Options of the comparison.
#[derive(Args)]
pub struct Options {
    /// The connector's program for Lambda. Without it, one built for this machine in cargo's
    /// release profile.
    #[arg(long, value_name = "FILE")]
    bootstrap: Option<PathBuf>,
    /// A few invocations without bounds, to check that the benchmark works.
    #[arg(long)]
    quick: bool,
}

/// Prints the table; fails when a bound is exceeded.
pub async fn run(options: Options) -> anyhow::Result<ExitCode> {
    let mut binaries = Binaries::build()?;
    binaries.bootstrap = options.bootstrap.unwrap_or(binaries.bootstrap);
    let effort = if options.quick { Effort::QUICK } else { Effort::FULL };
    same_work::check(&binaries).await?;
    eprintln!("Both functions send the same bytes and return the same results. Measuring …");
    let results = measure::measure(&binaries, effort).await?;
    let rows = table::rows(&results);
    println!("{}", table::print(&rows, effort, results.client));
    let within = options.quick || rows.iter().all(table::Row::is_within);
    Ok(if within { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The same with few invocations and without bounds, for the scenarios. Returns the number of
/// events.
pub async fn smoke(binaries: &Binaries) -> anyhow::Result<usize> {
    let events = same_work::check(binaries).await?;
    measure::measure(binaries, Effort::QUICK).await?;
    Ok(events)
}
