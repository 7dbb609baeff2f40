//! Load runs with kills of the node and the console, then a check for lost or duplicated hits.
//!
//! Invariant: attacks with a verdict ⊆ attacks in the console ⊆ attacks sent, and no hit twice.

mod faults;
mod load;
mod reconcile;
mod traffic;

use crate::{
    binaries::Binaries,
    stack::{Stack, StackOptions},
};
use anyhow::ensure;
use load::Load;
pub use reconcile::MISSING;
use std::{process::ExitCode, sync::Arc};
use tokio::time::Instant;

/// The load, and the kills during it.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Plan {
    /// Number of requests; every tenth is an attack.
    #[arg(long, default_value_t = 200_000, value_name = "COUNT")]
    pub requests: u32,
    /// Number of concurrent connections.
    #[arg(long, default_value_t = 16, value_name = "COUNT")]
    pub connections: u32,
    /// Number of times the node is killed with -9.
    #[arg(long, default_value_t = 3, value_name = "TIMES")]
    pub node_kills: u32,
    /// Number of times the console is killed with -9.
    #[arg(long, default_value_t = 2, value_name = "TIMES")]
    pub console_kills: u32,
    /// Empty the node's spool at each kill; the run must then fail.
    #[arg(long)]
    pub without_spool: bool,
}

/// Small enough for a scenario.
pub const SMALL: Plan =
    Plan { requests: 4_000, connections: 8, node_kills: 1, console_kills: 1, without_spool: false };

/// Runs the plan with progress; exits 1 when the invariant is violated.
pub async fn run(plan: Plan) -> anyhow::Result<ExitCode> {
    let binaries = Binaries::build()?;
    match carry_out(&binaries, plan, |line| println!("{line}")).await {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => {
            println!("FAILED: {error:#}");
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Runs the plan; an error names the violation.
pub async fn carry_out(
    binaries: &Binaries,
    plan: Plan,
    mut report: impl FnMut(String),
) -> anyhow::Result<()> {
    ensure!(plan.connections > 0, "--connections must be at least 1");
    let mut stack = Stack::start(binaries, StackOptions::default()).await?;
    let start = Instant::now();
    let load = Arc::new(Load::new(stack.addresses.node, plan.requests));
    let clients = load.clone().start(plan.connections);
    faults::strike(&mut stack, &load, plan, &mut report).await?;
    clients.join_all().await.into_iter().collect::<anyhow::Result<()>>()?;
    let seconds = start.elapsed().as_secs_f64();
    report(format!(
        "all answered after {seconds:.0} s, {:.0} requests/s",
        f64::from(plan.requests) / seconds
    ));
    stack.all_delivered().await?;
    let result = reconcile::reconcile(&load, &stack.console_api().hits("").await?, &mut report);
    stack.stop().await;
    result
}
