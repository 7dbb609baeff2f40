//! What came of a request that was let through.

use super::world::{LISTED_WITHIN, World, expect_status, options};
use crate::{
    binaries::Binaries,
    stack::{Mode, TriggerPair},
};
use anyhow::ensure;

pub(super) async fn hit_shows_the_status(
    binaries: &Binaries,
    trigger: TriggerPair,
    status: u16,
) -> anyhow::Result<String> {
    let world = World::start(binaries, options(Mode::Monitoring, trigger)).await?;
    expect_status(&world.get(&format!("/status/{status}?file=../../../etc/passwd")).await?, status)?;
    let attack = world.attack("ptrav", "get > file").await?;
    let hits = format!("/api/v1/attacks/{}/hits", attack["id"].as_str().unwrap_or_default());
    let hit =
        world.console_api().wait_for(&hits, LISTED_WITHIN, |hit| hit["response_status"] == status).await?;
    ensure!(hit["outcome"] == "monitored", "{hit}");
    world.end(String::new()).await
}
