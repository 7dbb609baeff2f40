//! `bench-connector`: our request function beside a Python function that does the same work, on the same emulator, in
//! front of the same node.
//!
//! - [`functions`]: who is compared.
//! - [`events`]: what they are given.
//! - [`same_work`]: they must send the node the same bytes and answer alike, before anything is measured.
//! - [`measure`]: latency, start, memory and size.
//! - [`table`]: what is printed, and the bounds.

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

/// How to compare.
#[derive(Args)]
pub struct Options {
    /// The connector's program as it goes to Lambda. Without it, one built for this machine in cargo's release profile.
    #[arg(long, value_name = "FILE")]
    bootstrap: Option<PathBuf>,
    /// A few invocations, to see that it works; the bounds are not applied.
    #[arg(long)]
    quick: bool,
}

/// Prints the table; fails when a bound is exceeded.
pub async fn run(options: Options) -> anyhow::Result<ExitCode> {
    let mut binaries = Binaries::build()?;
    binaries.bootstrap = options.bootstrap.unwrap_or(binaries.bootstrap);
    let effort = if options.quick { Effort::QUICK } else { Effort::FULL };
    same_work::check(&binaries).await?;
    eprintln!("Both functions send the node the same bytes and answer alike. Measuring …");
    let results = measure::measure(&binaries, effort).await?;
    let rows = table::rows(&results);
    println!("{}", table::print(&rows, effort, results.client));
    let within = options.quick || rows.iter().all(table::Row::is_within);
    Ok(if within { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The same with few invocations and without bounds, for the scenarios. Returns the number of events.
pub async fn smoke(binaries: &Binaries) -> anyhow::Result<usize> {
    let events = same_work::check(binaries).await?;
    measure::measure(binaries, Effort::QUICK).await?;
    Ok(events)
}
