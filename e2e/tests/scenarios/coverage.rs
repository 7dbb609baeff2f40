//! Coverage: each record of an access log counts once, whatever is repeated, delayed or killed.

use super::access_logs::{firehose, start_without_functions};
use anyhow::{Context as _, ensure};
use cloudfront_sim::{
    access_log::{AccessLogs, LogFormat},
    cloudfront::{CachePolicy, CloudFront, DistributionConfig, PathPattern},
    faults::{FaultPlan, LogFault},
    http1::{Client, Request},
};
use e2e::{
    binaries::Binaries,
    stack::{Mode, Stack, StackOptions, TIMEOUT, TriggerPair, expect_status},
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, HashSet},
    fs,
    path::Path,
    time::Duration,
};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

/// Requests of the quick scenario, and of the slow one.
pub(crate) const FEW: usize = 2_000;
pub(crate) const MANY: usize = 200_000;

/// A distribution without functions: only its log shows its requests.
const DISTRIBUTION: &str = "E2COVERAGE";
const BEHAVIORS: [&str; 3] = ["/api/*", "/img/*", "/img/large/*"];
const VISITORS: usize = 4;
const DELAY: Duration = Duration::from_millis(700);
/// As slow as a debug build on a busy machine.
const PER_REQUEST: Duration = Duration::from_millis(5);

/// Requests by behavior.
type Sums = BTreeMap<String, u64>;

pub(crate) async fn sums_equal_the_log(binaries: &Binaries, requests: usize) -> anyhow::Result<()> {
    let options = StackOptions { logs: true, ..StackOptions::new(Mode::Block, TriggerPair::Viewer) };
    let mut stack = Stack::start(binaries, options).await?;
    let logs = LogFault { duplicate: 0.3, delay_ms: u64::try_from(DELAY.as_millis())?, lose: 0.0 };
    stack.faults.set(FaultPlan { logs, ..FaultPlan::default() })?;
    let log = stack.directory().join("coverage.json");
    let cloudfront = cached_without_functions(&stack, &log).await?;
    let kills = 4;
    for part in 0..kills {
        let (first, last) = (requests * part / kills, requests * (part + 1) / kills);
        visit(&cloudfront, first..last).await?;
        match part {
            0 | 2 => stack.restart_node().await.context("kill -9 of the node")?,
            1 => stack.restart_console().await.context("kill -9 of the console")?,
            _ => {}
        }
    }
    // Functions saw these: requests, and a part of the coverage.
    for n in 0..10 {
        expect_status(&stack.get(&format!("/page?n={n}")).await?, 200)?;
    }
    let sent = u64::try_from(requests)?;
    let deadline = Instant::now() + TIMEOUT + PER_REQUEST * u32::try_from(requests)?;
    loop {
        let counted = counted(&stack, "requests").await?;
        if counted.values().sum::<u64>() >= sent {
            break;
        }
        ensure!(Instant::now() < deadline, "{counted:?} of {requests} requests are counted");
        sleep(Duration::from_millis(200)).await;
    }
    // Repeated records may still come.
    sleep(2 * DELAY).await;
    stack.all_delivered().await?;
    let (expected, counted) = (distinct(&log)?, counted(&stack, "requests").await?);
    ensure!(expected.values().sum::<u64>() == sent, "{requests} requests, {expected:?} in the log");
    ensure!(counted == expected, "counted: {counted:?}, in the log: {expected:?}");
    ensure!(expected.len() == BEHAVIORS.len() + 1, "{expected:?}");
    let attacks = self::counted(&stack, "log_attacks").await?;
    let hits = stack.console_api().items("/api/v1/requests?q=seen_by:log&limit=200").await?;
    let ids: HashSet<String> = hits.iter().map(|hit| hit["request_id"].to_string()).collect();
    ensure!(ids.len() == requests / 100, "{} requests have attacks", ids.len());
    ensure!(attacks.values().sum::<u64>() == ids.len() as u64, "{} requests, {attacks:?}", ids.len());
    edge_is_counted(&stack).await?;
    stack.stop().await;
    Ok(())
}

/// The requests of the stack's own distribution, which has functions.
async fn edge_is_counted(stack: &Stack) -> anyhow::Result<()> {
    let is_it =
        |row: &Value| row["distribution"] != DISTRIBUTION && row["edge"] == 10 && row["requests"] == 10;
    stack.console_api().wait_for("/api/v1/coverage?group=distribution", TIMEOUT, is_it).await?;
    Ok(())
}

async fn cached_without_functions(stack: &Stack, log: &Path) -> anyhow::Result<CloudFront> {
    let mut config = DistributionConfig::new(stack.addresses.origin);
    DISTRIBUTION.clone_into(&mut config.distribution_id);
    config.faults = stack.faults.clone();
    let mut cached = config.default_behavior.clone();
    cached.cache = CachePolicy::with_ttls(0, 60, 3600);
    config.behaviors = BEHAVIORS.into_iter().rev().map(|it| (PathPattern::new(it), cached.clone())).collect();
    let logs = AccessLogs::new(&config).with_file(LogFormat::V2Json, log)?.with_firehose(firehose(stack)?);
    start_without_functions(config, logs).await
}

/// One request in a hundred is an attack.
fn target(number: usize) -> String {
    match number % 100 {
        0 => format!("/api/etc/passwd?file=../../../etc/passwd&n={number}"),
        1..40 => format!("/api/orders/{number}"),
        40..60 => format!("/img/{}.png", number % 7),
        60..70 => format!("/img/large/{}.png", number % 5),
        _ => format!("/page/{number}"),
    }
}

async fn visit(cloudfront: &CloudFront, numbers: std::ops::Range<usize>) -> anyhow::Result<()> {
    let address = cloudfront.address();
    let mut sending = JoinSet::new();
    for visitor in 0..VISITORS {
        let own = numbers.clone().skip(visitor).step_by(VISITORS);
        sending.spawn(async move {
            let client = Client::default();
            for number in own {
                let request = Request::new("GET", target(number), "shop.example.com");
                expect_status(&client.send(address, &request).await?, 200)?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(sent) = sending.join_next().await {
        sent??;
    }
    Ok(())
}

/// The distinct records of the simulator's log.
fn distinct(log: &Path) -> anyhow::Result<Sums> {
    let (mut ids, mut sums) = (HashSet::new(), Sums::new());
    // The last line may be unfinished.
    for line in fs::read_to_string(log)?.lines() {
        let Ok(record) = serde_json::from_str::<Value>(line) else { continue };
        let text = |name: &str| record[name].as_str().map(str::to_owned).context("a field of the log");
        if ids.insert(text("x-edge-request-id")?) {
            *sums.entry(text("cache-behavior-path-pattern")?).or_default() += 1;
        }
    }
    Ok(sums)
}

/// A number of the console, by behavior; behaviors with 0 are left out.
async fn counted(stack: &Stack, number: &str) -> anyhow::Result<Sums> {
    let path = format!("/api/v1/coverage?distribution={DISTRIBUTION}&group=behavior");
    let mut sums = Sums::new();
    for row in stack.console_api().items(&path).await? {
        let (behavior, count) = (row["behavior"].as_str(), row[number].as_u64());
        let (behavior, count) = behavior.zip(count).context("a row of coverage")?;
        if count > 0 {
            sums.insert(behavior.to_owned(), count);
        }
    }
    Ok(sums)
}
