//! Failures of the node and the console: visitors are served, and no hit is lost.

use anyhow::{Context as _, ensure};
use e2e::{
    binaries::Binaries,
    stack::{Mode, Stack, StackOptions, TIMEOUT, TriggerPair, edge_request_id, expect_status},
};
use rustix::process::Signal;
use std::{
    collections::{HashMap, HashSet},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;

/// Longer than the default deadline, as this machine may be busy.
const SERVED_WITHIN: Duration = Duration::from_secs(5);

pub(crate) async fn node_is_away(binaries: &Binaries) -> anyhow::Result<()> {
    let mut stack = Stack::start(binaries, StackOptions::new(Mode::Block, TriggerPair::Viewer)).await?;
    expect_status(&stack.get("/").await?, 200)?;

    stack.node.freeze().await?;
    let start = Instant::now();
    expect_status(&stack.get("/etc/passwd?hangs").await?, 200).context("node hangs")?;
    ensure!(start.elapsed() < SERVED_WITHIN, "a hanging node cost the visitor {:?}", start.elapsed());
    stack.node.thaw();

    stack.node.terminate(TIMEOUT).await;
    expect_status(&stack.get("/etc/passwd?stopped").await?, 200).context("node stopped")?;
    stack.restart_node().await?;
    expect_status(&stack.get("/").await?, 200)?;

    let console = stack.console_api();
    for reason in ["node_timeout", "node_unreachable"] {
        console.wait_for("/api/v1/not-inspected", TIMEOUT, |entry| entry["reason"] == reason).await?;
    }
    let page = console.fetch("/attacks").await?;
    ensure!(
        page.contains("At least 2 requests were not inspected"),
        "the page does not show the requests that were not inspected: {page}"
    );
    stack.stop().await;
    Ok(())
}

pub(crate) async fn console_is_away(binaries: &Binaries) -> anyhow::Result<()> {
    const ATTACKS: usize = 30;
    let mut stack = Stack::start(binaries, StackOptions::new(Mode::Block, TriggerPair::Viewer)).await?;
    let mut blocked = HashSet::new();
    for n in 0..ATTACKS {
        if n == ATTACKS / 3 {
            stack.console.kill().await;
        }
        let response = stack.get(&format!("/etc/passwd?n={n}")).await?;
        expect_status(&response, 403)?;
        blocked.insert(edge_request_id(&response)?);
    }
    let undelivered = stack.node_status("/spool/pending").await?;
    ensure!(undelivered > 0, "the console was stopped, but no hit is undelivered");
    stack.restart_console().await?;
    stack.all_delivered().await?;
    let listed = listed_once(&stack).await?;
    ensure!(listed == blocked, "{} blocked, {} listed", blocked.len(), listed.len());
    stack.stop().await;
    eprintln!("{undelivered} of {ATTACKS} hits were undelivered at the restart");
    Ok(())
}

/// The visitors of a run, and their responses.
#[derive(Default)]
struct Visitors {
    started: AtomicU32,
    ended: AtomicU32,
    answers: Mutex<HashMap<String, u16>>,
}

impl Visitors {
    /// Sends attacks one after another; several of these run concurrently.
    async fn attack(&self, stack: &Stack, requests: u32) -> anyhow::Result<()> {
        for _ in 0..requests {
            let n = self.started.fetch_add(1, Ordering::SeqCst);
            let response = stack.get(&format!("/etc/passwd?n={n}")).await;
            self.ended.fetch_add(1, Ordering::SeqCst);
            let response = response?;
            let id = edge_request_id(&response)?;
            self.answers.lock().unwrap_or_else(PoisonError::into_inner).insert(id, response.status);
        }
        Ok(())
    }

    fn in_flight(&self) -> u32 {
        // In this order, so that a request that ends in between is not counted.
        let ended = self.ended.load(Ordering::SeqCst);
        self.started.load(Ordering::SeqCst).saturating_sub(ended)
    }

    fn with_status(&self, status: u16) -> HashSet<String> {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.iter().filter(|(_, got)| **got == status).map(|(id, _)| id.clone()).collect()
    }
}

pub(crate) async fn node_is_killed(binaries: &Binaries) -> anyhow::Result<()> {
    const VISITORS: u32 = 6;
    const REQUESTS: u32 = 50;
    // Without the circuit breaker every request calls the node, so that the kill affects many
    // calls.
    let parameters = vec![("wlrm_breaker_failures", "0".to_owned())];
    let options = StackOptions { parameters, ..StackOptions::new(Mode::Block, TriggerPair::Viewer) };
    let mut stack = Stack::start(binaries, options).await?;
    let visitors = Visitors::default();
    // Hits accumulate at the node, so that some are undelivered at the kill.
    stack.console.freeze().await?;

    let first_half = attack_concurrently(&stack, &visitors, VISITORS, REQUESTS);
    let kill = async {
        while visitors.with_status(403).len() < (VISITORS * REQUESTS / 4) as usize {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let undelivered = stack.node_status("/spool/pending").await?;
        let in_flight = visitors.in_flight();
        stack.node.signal(Signal::KILL);
        anyhow::Ok((in_flight, undelivered))
    };
    let ((), (in_flight, undelivered)) = tokio::try_join!(first_half, kill)?;
    ensure!(
        in_flight > 0 && undelivered > 0,
        "{in_flight} in flight, {undelivered} undelivered: the kill proves nothing"
    );

    let before = visitors.with_status(403).len();
    stack.restart_node().await?;
    stack.console.thaw();
    attack_concurrently(&stack, &visitors, VISITORS, REQUESTS / 5).await?;
    stack.all_delivered().await?;

    let (blocked, passed) = (visitors.with_status(403), visitors.with_status(200));
    ensure!(blocked.len() > before, "the restarted node blocked nothing");
    ensure!(!passed.is_empty(), "the killed node continued to reply");
    let listed = listed_once(&stack).await?;
    let lost: Vec<_> = blocked.difference(&listed).collect();
    ensure!(lost.is_empty(), "{} blocks are not in the list: {lost:?}", lost.len());
    let sent: HashSet<_> = blocked.union(&passed).cloned().collect();
    ensure!(listed.is_subset(&sent), "the list contains requests that were not sent");
    stack.stop().await;
    eprintln!(
        "killed with {in_flight} requests in flight and {undelivered} hits undelivered; {} blocks, all listed once",
        blocked.len()
    );
    Ok(())
}

async fn attack_concurrently(
    stack: &Stack,
    visitors: &Visitors,
    count: u32,
    requests: u32,
) -> anyhow::Result<()> {
    let all = (0..count).map(|_| visitors.attack(stack, requests));
    futures_util::future::try_join_all(all).await.map(drop)
}

/// CloudFront's request ids of all hits; fails if one is listed twice.
async fn listed_once(stack: &Stack) -> anyhow::Result<HashSet<String>> {
    let mut ids = HashSet::new();
    for hit in stack.console_api().hits("").await? {
        let id = hit["edge_request_id"].as_str().context("a hit without edge_request_id")?.to_owned();
        ensure!(ids.insert(id), "listed twice: {hit}");
    }
    Ok(ids)
}
