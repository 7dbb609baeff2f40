//! Hostile clients: of the node and the console without credentials, of the console with the tokens
//! of a node and of an analyst, and of the distribution. Each kind has its own rate; what they are answered is counted.

mod kinds;

use super::raw;
use crate::stack::Stack;
use anyhow::Context as _;
use kinds::{Kind, Targets};
use serde_json::json;
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    task::JoinSet,
    time::{Instant, MissedTickBehavior},
};

pub(super) struct Hostile {
    tasks: JoinSet<()>,
    counts: Arc<Counts>,
}

/// Operations, by kind and result.
#[derive(Default)]
struct Counts {
    operations: AtomicU64,
    results: Mutex<BTreeMap<(&'static str, String), u64>>,
}

impl Hostile {
    pub(super) async fn start(stack: &Stack, held: u32) -> anyhow::Result<Self> {
        let token = json!({"name": "hostile node", "role": "node"});
        let created = stack.console_api().make("/api/v1/tokens", &token).await?;
        let node_token = created["token"].as_str().context("no token")?.to_owned();
        let targets = Arc::new(Targets::new(stack, node_token)?);
        let counts = Arc::new(Counts::default());
        let mut tasks = JoinSet::new();
        for kind in kinds::ALL {
            tasks.spawn(repeat(kind, targets.clone(), counts.clone()));
        }
        for client in 0..held {
            for (name, address) in
                [("node, half open", targets.node), ("console, half open", targets.console)]
            {
                tasks.spawn(hold(name, address, client, counts.clone()));
            }
        }
        Ok(Self { tasks, counts })
    }

    pub(super) fn operations(&self) -> u64 {
        self.counts.operations.load(Ordering::Relaxed)
    }

    /// Ends all clients. Returns a table of their results.
    pub(super) async fn stop(mut self) -> String {
        self.tasks.shutdown().await;
        let mut table = "hostile clients, by kind and result:".to_owned();
        for ((kind, result), count) in
            self.counts.results.lock().unwrap_or_else(PoisonError::into_inner).iter()
        {
            let _ = write!(table, "\n  {kind:<34} {result:<12} {count:>8}");
        }
        table
    }
}

impl Counts {
    fn add(&self, kind: &'static str, result: String) {
        self.operations.fetch_add(1, Ordering::Relaxed);
        let mut results = self.results.lock().unwrap_or_else(PoisonError::into_inner);
        *results.entry((kind, result)).or_default() += 1;
    }
}

/// Calls at the rate of the kind.
async fn repeat(kind: &'static Kind, targets: Arc<Targets>, counts: Arc<Counts>) {
    let mut ticks = tokio::time::interval(kind.interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for number in 0.. {
        ticks.tick().await;
        let (address, bytes) = (kind.request)(&targets, number);
        let result = raw::call(address, number, &bytes).await;
        counts.add(kind.name, result.map_or_else(|_| "closed".to_owned(), |status| status.to_string()));
    }
}

/// Keeps a connection open by a byte of a header now and then, and opens it again after it was
/// closed.
async fn hold(name: &'static str, address: SocketAddr, client: u32, counts: Arc<Counts>) {
    /// Shorter than the timeout of a head.
    const PAUSE: Duration = Duration::from_secs(3);
    loop {
        let start = Instant::now();
        if let Ok(mut stream) = raw::connect(address, client).await {
            let mut sent = stream.write_all(b"POST /v1/inspect/request HTTP/1.1\r\nX-Slow: ").await;
            let mut byte = [0];
            while sent.is_ok() {
                match tokio::time::timeout(PAUSE, stream.read(&mut byte)).await {
                    Err(_) => sent = stream.write_all(b"x").await,
                    Ok(Ok(1)) => {}
                    Ok(_) => break,
                }
            }
        }
        counts.add(name, "closed".to_owned());
        tokio::time::sleep_until(start + PAUSE).await;
    }
}
