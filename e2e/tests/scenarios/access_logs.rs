//! Access logs: requests that no function sees are inspected from the log, each once.

use anyhow::{Context as _, ensure};
use cloudfront_sim::{
    access_log::{AccessLogs, Firehose, FirehoseUrl},
    clock::Clock,
    cloudfront::{CloudFront, DistributionConfig, Edge},
    faults::{FaultPlan, LogFault},
    http1::{Client, Options, Request},
};
use e2e::{
    binaries::Binaries,
    stack::{FIREHOSE_KEY, Mode, Stack, StackOptions, TIMEOUT, TriggerPair, edge_request_id, expect_status},
};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::{
    net::TcpListener,
    time::{Instant, sleep},
};

/// A hit is listed within this time after its record.
const LISTED_AFTER_RECORD: Duration = Duration::from_secs(5);

async fn start(binaries: &Binaries, mode: Mode, trigger: TriggerPair) -> anyhow::Result<Stack> {
    let stack =
        Stack::start(binaries, StackOptions { logs: true, ..StackOptions::new(mode, trigger) }).await?;
    // Every record arrives twice.
    let logs = LogFault { duplicate: 1.0, ..LogFault::default() };
    stack.faults.set(FaultPlan { logs, ..FaultPlan::default() })?;
    Ok(stack)
}

/// Waits until a number of `/wallarm-status` has this value.
pub(crate) async fn wait_for(stack: &Stack, pointer: &str, expected: u64) -> anyhow::Result<()> {
    let deadline = Instant::now() + TIMEOUT;
    loop {
        let actual = stack.node_status(pointer).await?;
        if actual == expected {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "{pointer} is {actual}, not {expected}");
        sleep(Duration::from_millis(50)).await;
    }
}

/// A distribution without functions: only its logs show its requests.
pub(crate) async fn start_without_functions(
    config: DistributionConfig,
    logs: AccessLogs,
) -> anyhow::Result<CloudFront> {
    let options = Options { observer: Some(logs.observer()), ..Options::default() };
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    Ok(CloudFront::start_with(listener, Edge::new(config, Clock::real()), options)?)
}

/// Deliveries to the node of a stack.
pub(crate) fn firehose(stack: &Stack) -> anyhow::Result<Firehose> {
    let url = format!("http://{}/v1/logs/firehose", stack.addresses.node);
    let url = url.parse::<FirehoseUrl>().map_err(anyhow::Error::msg)?;
    Ok(Firehose::start(url, FIREHOSE_KEY.to_owned()))
}

async fn only_hit(stack: &Stack) -> anyhow::Result<Value> {
    stack.all_delivered().await?;
    let mut hits = stack.console_api().hits("").await?;
    ensure!(hits.len() == 1, "{} hits: {hits:?}", hits.len());
    hits.pop().context("a hit")
}

pub(crate) async fn cached_attack_is_seen_by_log(binaries: &Binaries) -> anyhow::Result<()> {
    let stack = start(binaries, Mode::Block, TriggerPair::Origin).await?;
    expect_status(&stack.get("/page").await?, 200)?;
    // The query is not in the cache key: the cache answers, and no function runs.
    let response = stack.get("/page?x='+OR+1=1+--").await?;
    expect_status(&response, 200)?;
    let cached = response.headers.text("x-cache").unwrap_or_default();
    ensure!(cached.starts_with("Hit"), "{cached}");
    let is_it = |item: &Value| {
        item["type"] == "sqli" && item["parameter"] == "get > x" && item["seen_by"] == json!(["log"])
    };
    stack.console_api().wait_for("/api/v1/attacks", LISTED_AFTER_RECORD, is_it).await?;
    wait_for(&stack, "/logs/duplicates", 2).await?;
    let hit = only_hit(&stack).await?;
    ensure!(hit["delivery"] == "log" && hit["outcome"] == "monitored", "{hit}");
    ensure!(hit["edge_request_id"] == edge_request_id(&response)?.as_str(), "{hit}");
    ensure!(hit["response_status"] == 200, "{hit}");
    ensure!(stack.node_status("/logs/inspected").await? == 1, "only the cached request is inspected");
    ensure!(stack.node_status("/logs/completed").await? == 1, "a function sent the first request");
    stack.stop().await;
    Ok(())
}

pub(crate) async fn viewer_attack_is_completed(binaries: &Binaries) -> anyhow::Result<()> {
    let stack = start(binaries, Mode::Block, TriggerPair::Viewer).await?;
    expect_status(&stack.get("/page").await?, 200)?;
    expect_status(&stack.get("/page?x='+OR+1=1+--").await?, 403)?;
    wait_for(&stack, "/logs/completed", 2).await?;
    wait_for(&stack, "/logs/duplicates", 2).await?;
    let hit = only_hit(&stack).await?;
    ensure!(hit["delivery"] == "inline" && hit["outcome"] == "blocked" && hit["enforced"] == "yes", "{hit}");
    // No function runs on the response of a function: only the log has its status.
    ensure!(hit["response_status"] == 403, "{hit}");
    ensure!(stack.node_status("/logs/inspected").await? == 0, "a function sent every request");
    stack.stop().await;
    Ok(())
}

pub(crate) async fn firehose_survives_a_kill(binaries: &Binaries) -> anyhow::Result<()> {
    const REQUESTS: usize = 60;
    let mut stack = start(binaries, Mode::Block, TriggerPair::Origin).await?;
    let mut config = DistributionConfig::new(stack.addresses.origin);
    "E2EXAMPLE".clone_into(&mut config.distribution_id);
    config.faults = stack.faults.clone();
    let logs = AccessLogs::new(&config).with_firehose(firehose(&stack)?);
    let cloudfront = start_without_functions(config, logs).await?;
    let visitor = Client::default();
    for number in 0..REQUESTS {
        let request = Request::new("GET", format!("/etc/passwd?n={number}"), "shop.example.com");
        expect_status(&visitor.send(cloudfront.address(), &request).await?, 200)?;
        if number == REQUESTS / 2 {
            stack.restart_node().await?;
        }
    }
    let deadline = Instant::now() + TIMEOUT;
    let mut ids: Vec<String>;
    loop {
        let hits = stack.console_api().hits("").await?;
        ids = hits.iter().map(|hit| hit["request_id"].to_string()).collect();
        if ids.len() >= REQUESTS {
            break;
        }
        ensure!(Instant::now() < deadline, "{} of {REQUESTS} hits are listed", ids.len());
        sleep(Duration::from_millis(100)).await;
    }
    stack.all_delivered().await?;
    ids.sort();
    ids.dedup();
    let hits = stack.console_api().hits("").await?.len();
    ensure!((ids.len(), hits) == (REQUESTS, REQUESTS), "{} requests with {hits} hits", ids.len());
    stack.stop().await;
    Ok(())
}
