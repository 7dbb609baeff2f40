//! The load runs and the benchmark's comparison, in their smallest form.

use e2e::{bench, binaries::Binaries, chaos};

pub(crate) async fn same_work_as_python(binaries: &Binaries) -> anyhow::Result<()> {
    eprintln!("{} events", bench::smoke(binaries).await?);
    Ok(())
}

pub(crate) async fn nothing_is_lost(binaries: &Binaries) -> anyhow::Result<()> {
    chaos::carry_out(binaries, chaos::SMALL, |line| eprintln!("{line}")).await
}

/// Checks the check itself: an emptied spool must be detected.
pub(crate) async fn a_lost_spool_is_noticed(binaries: &Binaries) -> anyhow::Result<()> {
    let plan = chaos::Plan { without_spool: true, console_kills: 0, ..chaos::SMALL };
    match chaos::carry_out(binaries, plan, drop).await {
        Err(error) if error.to_string().contains(chaos::MISSING) => Ok(()),
        Err(other) => Err(other.context("unexpected error")),
        Ok(()) => anyhow::bail!("the spool was emptied, but no hit was missing"),
    }
}
