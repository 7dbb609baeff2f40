//! Response reports: a hit shows the origin's status.

use anyhow::ensure;
use e2e::{
    binaries::Binaries,
    stack::{LISTED_WITHIN, Mode, Stack, StackOptions, TriggerPair, expect_status},
};

pub(crate) async fn hit_shows_the_status(
    binaries: &Binaries,
    trigger: TriggerPair,
    status: u16,
) -> anyhow::Result<()> {
    let stack = Stack::start(binaries, StackOptions::new(Mode::Monitoring, trigger)).await?;
    expect_status(&stack.get(&format!("/status/{status}?file=../../../etc/passwd")).await?, status)?;
    let attack = stack.attack("ptrav", "get > file").await?;
    let hits = format!("/api/v1/attacks/{}/hits", attack["id"].as_str().unwrap_or_default());
    let hit =
        stack.console_api().wait_for(&hits, LISTED_WITHIN, |hit| hit["response_status"] == status).await?;
    ensure!(hit["outcome"] == "monitored", "{hit}");
    stack.stop().await;
    Ok(())
}
