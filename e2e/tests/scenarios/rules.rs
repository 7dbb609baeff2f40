//! Changes at the console take effect at the edge.

use anyhow::{Context as _, ensure};
use cloudfront_sim::http1::Response;
use e2e::{
    binaries::Binaries,
    stack::{LISTED_WITHIN, Mode, Stack, StackOptions, TIMEOUT, TriggerPair, expect_status},
};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

/// A change at the console takes effect within this time.
const APPLIED_WITHIN: Duration = Duration::from_secs(1);

/// Repeats the request until it gets this status; returns the time it took.
async fn answered(stack: &Stack, target: &str, status: u16) -> anyhow::Result<Duration> {
    let start = Instant::now();
    loop {
        let response: Response = stack.get(target).await?;
        let took = start.elapsed();
        if response.status == status {
            return Ok(took);
        }
        ensure!(took < APPLIED_WITHIN, "{target} is still answered {} after {took:?}", response.status);
    }
}

async fn add(stack: &Stack, path: &str, body: &Value) -> anyhow::Result<String> {
    let created = stack.console_api().make(path, body).await?;
    Ok(created["id"].as_str().context("a created resource has an id")?.to_owned())
}

pub(crate) async fn a_denied_address_is_blocked_at_once(binaries: &Binaries) -> anyhow::Result<()> {
    let stack = Stack::start(binaries, StackOptions::new(Mode::Monitoring, TriggerPair::Viewer)).await?;
    expect_status(&stack.get("/").await?, 200)?;
    let is_monitoring = |node: &Value| node["status"]["mode"] == "monitoring";
    stack
        .console_api()
        .wait_for("/api/v1/nodes", TIMEOUT, is_monitoring)
        .await
        .context("no status of the node")?;
    let entry = json!({"list": "deny", "source": {"network": "127.0.0.0/8"}, "reason": "scenario"});
    let id = add(&stack, "/api/v1/ip-lists", &entry).await?;
    let denied = answered(&stack, "/", 403).await?;
    let attack = stack.attack("blocked_source", "remote_addr").await?;
    ensure!(attack["status"] == "blocked", "{attack}");
    let hits = stack.console_api().hits("").await?;
    let named = |hit: &Value| hit["decided_by"]["list"]["id"] == id.as_str() && hit["reason"] == "denylist";
    ensure!(hits.iter().any(named), "no hit names the entry {id}: {hits:?}");
    stack.console_api().delete(&format!("/api/v1/ip-lists/{id}"), "\"1\"").await?;
    let allowed = answered(&stack, "/", 200).await?;
    stack.stop().await;
    eprintln!("denied after {} ms, allowed again after {} ms", denied.as_millis(), allowed.as_millis());
    Ok(())
}

pub(crate) async fn a_virtual_patch_blocks_in_monitoring(binaries: &Binaries) -> anyhow::Result<()> {
    let mut stack = Stack::start(binaries, StackOptions::new(Mode::Monitoring, TriggerPair::Viewer)).await?;
    expect_status(&stack.get("/report?template=x").await?, 200)?;
    let patch = json!({
        "scope": {"path": "/report"},
        "effect": {"kind": "virtual_patch", "points": [[["get", "template"]]]},
    });
    let id = add(&stack, "/api/v1/rules", &patch).await?;
    let took = answered(&stack, "/report?template=x", 403).await?;
    expect_status(&stack.get("/./%72eport?template=x").await?, 403)
        .context("the same path in another encoding")?;
    expect_status(&stack.get("/report?other=x").await?, 200)?;
    stack.attack("vpatch", "get > template").await?;

    // Without the console, the node uses its copy on disk.
    stack.console.terminate(Duration::from_secs(10)).await;
    stack.node.kill().await;
    stack.restart_node().await?;
    expect_status(&stack.get("/report?template=x").await?, 403)
        .context("after a start without the console")?;
    stack.restart_console().await?;
    stack.console_api().delete(&format!("/api/v1/rules/{id}"), "\"1\"").await?;
    answered(&stack, "/report?template=x", 200).await?;
    stack.stop().await;
    eprintln!("patched after {} ms", took.as_millis());
    Ok(())
}

pub(crate) async fn an_exclusion_lets_the_same_request_pass(binaries: &Binaries) -> anyhow::Result<()> {
    const BENIGN: &str = "/search?q='+OR+1=1";
    let stack = Stack::start(binaries, StackOptions::new(Mode::Block, TriggerPair::Viewer)).await?;
    expect_status(&stack.get(BENIGN).await?, 403)?;
    let attack = stack.attack("sqli", "get > q").await?;
    let ignore = json!({
        "scope": {"path": "/search"},
        "effect": {"kind": "ignore", "findings": {"type": attack["type"]}, "points": [attack["point"]]},
    });
    add(&stack, "/api/v1/rules", &ignore).await?;
    let took = answered(&stack, BENIGN, 200).await?;
    for other in ["/other?q='+OR+1=1", "/search?x='+OR+1=1", "/search?q=<script>alert(1)</script>"] {
        expect_status(&stack.get(other).await?, 403).context(other)?;
    }
    tokio::time::timeout(LISTED_WITHIN, stack.attack("xss", "get > q")).await??;
    stack.stop().await;
    eprintln!("excluded after {} ms", took.as_millis());
    Ok(())
}
