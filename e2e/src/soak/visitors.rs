//! Visitors of the distribution at a fixed rate, their latencies, and the requests that were blocked.

use crate::{console::Console, stack::edge_request_id};
use anyhow::{Context as _, ensure};
use cloudfront_sim::http1::{Client, Request};
use std::{
    collections::{HashMap, HashSet},
    fmt, mem,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{task::JoinSet, time::Instant};

/// Concurrent visitors. Latency counts from the time at which a request was due.
const VISITORS: u32 = 8;
/// One request in this many is an attack.
const ATTACKS: u64 = 20;
/// The visited site, other than those of recorded hits.
const HOST: &str = "soak.example.com";
/// Failures that are printed.
const PRINTED: u64 = 10;

pub(super) struct Visitors {
    address: SocketAddr,
    client: Client,
    stopped: AtomicBool,
    sent: AtomicU64,
    failed: AtomicU64,
    window: Mutex<Latencies>,
    blocked: Mutex<HashSet<String>>,
}

/// Latencies of benign requests.
#[derive(Default)]
pub(super) struct Latencies(Vec<Duration>);

/// The comparison of the visitors' requests with the console's hits.
pub(super) struct Losses {
    sent: u64,
    failed: u64,
    blocked: usize,
    missing: usize,
    twice: usize,
}

impl Visitors {
    pub(super) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            client: Client::default(),
            stopped: AtomicBool::new(false),
            sent: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            window: Mutex::default(),
            blocked: Mutex::default(),
        }
    }

    pub(super) fn start(self: Arc<Self>, rate: u32) -> JoinSet<()> {
        let interval = Duration::from_secs(u64::from(VISITORS)) / rate;
        (0..VISITORS).map(|_| self.clone().visit(interval)).collect()
    }

    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    async fn visit(self: Arc<Self>, interval: Duration) {
        let mut ticks = tokio::time::interval(interval);
        while !self.stopped.load(Ordering::Relaxed) {
            let due = ticks.tick().await;
            let number = self.sent.fetch_add(1, Ordering::Relaxed);
            if let Err(error) = self.request(number, due).await
                && self.failed.fetch_add(1, Ordering::Relaxed) < PRINTED
            {
                println!("request {number} failed: {error:#}");
            }
        }
    }

    async fn request(&self, number: u64, due: Instant) -> anyhow::Result<()> {
        let is_attack = number.is_multiple_of(ATTACKS);
        let response = self.client.send(self.address, &request(number, is_attack)).await?;
        let expected = if is_attack { 403 } else { 200 };
        ensure!(response.status == expected, "expected {expected}, got {}", response.status);
        if is_attack {
            lock(&self.blocked).insert(edge_request_id(&response)?);
        } else {
            lock(&self.window).0.push(due.elapsed());
        }
        Ok(())
    }

    /// The latencies since the last call.
    pub(super) fn take_window(&self) -> Latencies {
        mem::take(&mut lock(&self.window))
    }

    pub(super) async fn reconcile(&self, console: &Console) -> anyhow::Result<Losses> {
        let mut listed: HashMap<(String, String), u32> = HashMap::new();
        for hit in console.hits(&format!("q=host:{HOST}")).await? {
            let text = |name: &str| {
                hit[name].as_str().map(str::to_owned).with_context(|| format!("no {name}: {hit}"))
            };
            *listed.entry((text("edge_request_id")?, text("type")?)).or_default() += 1;
        }
        let ids: HashSet<&str> = listed.keys().map(|(id, _)| id.as_str()).collect();
        let blocked = lock(&self.blocked);
        Ok(Losses {
            sent: self.sent.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            blocked: blocked.len(),
            missing: blocked.iter().filter(|id| !ids.contains(id.as_str())).count(),
            twice: listed.values().filter(|count| **count > 1).count(),
        })
    }
}

fn request(number: u64, is_attack: bool) -> Request {
    let (method, target, body) = match (is_attack, number % 4) {
        (true, _) if (number / ATTACKS).is_multiple_of(2) => ("GET", format!("/etc/passwd?n={number}"), None),
        (true, _) => ("GET", format!("/search?n={number}&q='+OR+1=1--+"), None),
        (false, 1) => ("POST", "/cart".to_owned(), Some("product=blue+shoes&count=2")),
        (false, _) => ("GET", format!("/products/{number}?page=2&sort=price"), None),
    };
    let request = Request::new(method, target, HOST)
        .header("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0")
        .header("Accept", "text/html,application/xhtml+xml");
    match body {
        Some(body) => request.header("Content-Type", "application/x-www-form-urlencoded").with_body(body),
        None => request,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Latencies {
    pub(super) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// `None` without any.
    pub(super) fn p99(&self) -> Option<Duration> {
        self.percentile(99)
    }

    fn percentile(&self, percent: usize) -> Option<Duration> {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len() * percent / 100).copied()
    }
}

impl fmt::Display for Latencies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |percent| self.percentile(percent).unwrap_or_default();
        write!(f, "{}, p50 {:.2?}, p99 {:.2?}", self.0.len(), shown(50), shown(99))
    }
}

impl Losses {
    pub(super) fn none(&self) -> anyhow::Result<()> {
        let Self { failed, missing, twice, .. } = *self;
        ensure!(failed == 0, "{failed} requests of visitors failed");
        ensure!(missing == 0, "{missing} blocked requests are not in the console");
        ensure!(twice == 0, "{twice} hits are in the console twice");
        Ok(())
    }
}

impl fmt::Display for Losses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sent, failed, blocked, missing, twice } = self;
        write!(
            f,
            "requests {sent}, failed {failed}; blocked {blocked}, missing in the console {missing}, twice {twice}"
        )
    }
}
