//! What is said at the console holds at the edge.

use super::world::{LISTED_WITHIN, PATIENCE, World, expect_status, options};
use crate::{
    binaries::Binaries,
    stack::{Mode, TriggerPair},
};
use anyhow::{Context as _, ensure};
use cloudfront_sim::http1::Response;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

/// A change at the console holds for requests that come this much later.
const APPLIED_WITHIN: Duration = Duration::from_secs(1);

/// Sends the same request until it is answered so; says how long that took.
async fn answered(world: &World, target: &str, status: u16) -> anyhow::Result<Duration> {
    let start = Instant::now();
    loop {
        let response: Response = world.get(target).await?;
        let took = start.elapsed();
        if response.status == status {
            return Ok(took);
        }
        ensure!(took < APPLIED_WITHIN, "{target} is still answered {} after {took:?}", response.status);
    }
}

async fn add(world: &World, path: &str, body: &Value) -> anyhow::Result<String> {
    let made = world.console_api().make(path, body).await?;
    Ok(made["id"].as_str().context("what was made has an id")?.to_owned())
}

pub(super) async fn a_denied_address_is_blocked_at_once(binaries: &Binaries) -> anyhow::Result<String> {
    let world = World::start(binaries, options(Mode::Monitoring, TriggerPair::Viewer)).await?;
    expect_status(&world.get("/").await?, 200)?;
    let says_so = |node: &Value| node["status"]["mode"] == "monitoring";
    world
        .console_api()
        .wait_for("/api/v1/nodes", PATIENCE, says_so)
        .await
        .context("the node says how it is")?;
    let entry = json!({"list": "deny", "source": {"network": "127.0.0.0/8"}, "reason": "scenario"});
    let id = add(&world, "/api/v1/ip-lists", &entry).await?;
    let denied = answered(&world, "/", 403).await?;
    let attack = world.attack("blocked_source", "remote_addr").await?;
    ensure!(attack["status"] == "blocked", "{attack}");
    let hits = world.console_api().hits().await?;
    let named = |hit: &Value| hit["decided_by"]["list"]["id"] == id.as_str() && hit["reason"] == "denylist";
    ensure!(hits.iter().any(named), "no hit names the entry {id}: {hits:?}");
    world.console_api().delete(&format!("/api/v1/ip-lists/{id}"), "\"1\"").await?;
    let forgiven = answered(&world, "/", 200).await?;
    world
        .end(format!(
            "denied after {} ms, let in again after {} ms",
            denied.as_millis(),
            forgiven.as_millis()
        ))
        .await
}

pub(super) async fn a_virtual_patch_blocks_in_monitoring(binaries: &Binaries) -> anyhow::Result<String> {
    let mut world = World::start(binaries, options(Mode::Monitoring, TriggerPair::Viewer)).await?;
    expect_status(&world.get("/report?template=x").await?, 200)?;
    let patch = json!({
        "scope": {"path": "/report"},
        "effect": {"kind": "virtual_patch", "points": [[["get", "template"]]]},
    });
    let id = add(&world, "/api/v1/rules", &patch).await?;
    let took = answered(&world, "/report?template=x", 403).await?;
    expect_status(&world.get("/./%72eport?template=x").await?, 403)
        .context("the same path, spelled otherwise")?;
    expect_status(&world.get("/report?other=x").await?, 200)?;
    world.attack("vpatch", "get > template").await?;

    // Without the console, the copy on the node's disk holds.
    world.stack.console.terminate(Duration::from_secs(10)).await;
    world.stack.node.kill().await;
    world.stack.restart_node().await?;
    expect_status(&world.get("/report?template=x").await?, 403)
        .context("after a start without the console")?;
    world.stack.restart_console().await?;
    world.console_api().delete(&format!("/api/v1/rules/{id}"), "\"1\"").await?;
    answered(&world, "/report?template=x", 200).await?;
    world.end(format!("patched after {} ms", took.as_millis())).await
}

pub(super) async fn an_exclusion_lets_the_same_request_pass(binaries: &Binaries) -> anyhow::Result<String> {
    const HONEST: &str = "/search?q='+OR+1=1";
    let world = World::start(binaries, options(Mode::Block, TriggerPair::Viewer)).await?;
    expect_status(&world.get(HONEST).await?, 403)?;
    let attack = world.attack("sqli", "get > q").await?;
    let ignore = json!({
        "scope": {"path": "/search"},
        "effect": {"kind": "ignore", "findings": {"type": attack["type"]}, "points": [attack["point"]]},
    });
    add(&world, "/api/v1/rules", &ignore).await?;
    let took = answered(&world, HONEST, 200).await?;
    for other in ["/other?q='+OR+1=1", "/search?x='+OR+1=1", "/search?q=<script>alert(1)</script>"] {
        expect_status(&world.get(other).await?, 403).context(other)?;
    }
    tokio::time::timeout(LISTED_WITHIN, world.attack("xss", "get > q")).await??;
    world.end(format!("it passed after {} ms", took.as_millis())).await
}
