//! Kills, distributed over the load. A kill without undelivered hits proves nothing, and is an
//! error.

use super::{Plan, load::Load};
use crate::stack::Stack;
use anyhow::{Context as _, ensure};
use rustix::process::Signal;
use std::{fs, io, time::Duration};
use tokio::time::Instant;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    Node,
    Console,
}

/// Time limit of waiting for undelivered hits.
const TIMEOUT: Duration = Duration::from_mins(2);
/// Undelivered hits required before a kill.
const BACKLOG: u64 = 20;

/// Kills as planned, at even distances, and reports progress.
pub(super) async fn strike(
    stack: &mut Stack,
    load: &Load,
    plan: Plan,
    report: &mut impl FnMut(String),
) -> anyhow::Result<()> {
    let victims = victims(plan);
    let steps = u32::try_from(victims.len())? + 1;
    for (victim, step) in victims.into_iter().zip(1..) {
        until_answered(load, plan.requests / steps * step).await?;
        report(progress(stack, load).await?);
        let outcome = match victim {
            Victim::Node => kill_node(stack, load, plan).await.context("killing the node")?,
            Victim::Console => kill_console(stack, load).await.context("killing the console")?,
        };
        report(outcome);
    }
    until_answered(load, plan.requests).await?;
    report(progress(stack, load).await?);
    Ok(())
}

/// Node and console in turns.
fn victims(plan: Plan) -> Vec<Victim> {
    let rounds = plan.node_kills.max(plan.console_kills);
    let in_round = |round| {
        let node = (round < plan.node_kills).then_some(Victim::Node);
        let console = (round < plan.console_kills).then_some(Victim::Console);
        [node, console].into_iter().flatten()
    };
    (0..rounds).flat_map(in_round).collect()
}

async fn until_answered(load: &Load, answered: u32) -> anyhow::Result<()> {
    let (mut most, mut since) = (0, Instant::now());
    while load.answered() < answered {
        if load.answered() > most {
            (most, since) = (load.answered(), Instant::now());
        }
        ensure!(since.elapsed() < TIMEOUT, "no request was answered for {TIMEOUT:?}, after {most}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Ok(())
}

async fn progress(stack: &Stack, load: &Load) -> anyhow::Result<String> {
    let (answered, pending) = (load.answered(), stack.node_status("/spool/pending").await?);
    let percent = u64::from(answered) * 100 / u64::from(load.requests.max(1));
    Ok(format!("{percent:3} %: {answered} answered, {pending} hits undelivered"))
}

/// Kills the node while the console hangs, so that hits of sent verdicts are only in the spool.
async fn kill_node(stack: &mut Stack, load: &Load, plan: Plan) -> anyhow::Result<String> {
    stack.console.freeze().await?;
    let (in_flight, undelivered) = wait_for_backlog(stack, load, BACKLOG).await?;
    stack.node.signal(Signal::KILL);
    stack.node.ended().await;
    stack.console.thaw();
    if plan.without_spool {
        empty(stack).context("cannot empty the spool")?;
    }
    stack.restart_node().await?;
    Ok(format!("node killed with {in_flight} requests in flight and {undelivered} hits undelivered"))
}

/// Kills the console during deliveries, and restarts it once hits are waiting.
async fn kill_console(stack: &mut Stack, load: &Load) -> anyhow::Result<String> {
    let (in_flight, undelivered) = wait_for_backlog(stack, load, 1).await?;
    stack.console.kill().await;
    wait_for_backlog(stack, load, BACKLOG).await?;
    stack.restart_console().await?;
    Ok(format!("console killed with {in_flight} requests in flight and {undelivered} hits undelivered"))
}

/// Waits for requests in flight and this many undelivered hits.
async fn wait_for_backlog(stack: &Stack, load: &Load, hits: u64) -> anyhow::Result<(u32, u64)> {
    let start = Instant::now();
    loop {
        let undelivered = stack.node_status("/spool/pending").await?;
        let in_flight = load.in_flight();
        if in_flight > 0 && undelivered >= hits {
            return Ok((in_flight, undelivered));
        }
        ensure!(
            start.elapsed() < TIMEOUT && load.answered() < load.requests,
            "only {in_flight} requests in flight and {undelivered} hits undelivered: the kill proves nothing"
        );
    }
}

/// Deletes everything the node wrote.
fn empty(stack: &Stack) -> io::Result<()> {
    let spool = stack.directory().join("spool");
    fs::remove_dir_all(&spool)?;
    fs::create_dir(spool)
}
