//! The load runs and the benchmark's comparison, in their smallest form.

use e2e::{bench, binaries::Binaries, chaos};

pub(crate) async fn same_work_as_python(binaries: &Binaries) -> anyhow::Result<()> {
    eprintln!("{} events", bench::smoke(binaries).await?);
    Ok(())
}

pub(crate) async fn nothing_is_lost(binaries: &Binaries) -> anyhow::Result<()> {
    chaos::carry_out(binaries, chaos::SMALL, |line| eprintln!("{line}")).await
}

/// A check of the check: an emptied spool must be found out.
pub(crate) async fn a_lost_spool_is_noticed(binaries: &Binaries) -> anyhow::Result<()> {
    let plan = chaos::Plan { without_spool: true, console_kills: 0, ..chaos::SMALL };
    match chaos::carry_out(binaries, plan, drop).await {
        Err(error) if error.to_string().contains(chaos::MISSING) => Ok(()),
        Err(other) => Err(other.context("another error than expected")),
        Ok(()) => anyhow::bail!("the spool was emptied, and nothing was missing"),
    }
}
