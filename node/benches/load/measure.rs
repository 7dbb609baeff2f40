//! Measurement of throughput, latency and processor time.

use crate::{client::Client, target::Target};
use anyhow::ensure;
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};
use tokio::{runtime, task::JoinSet};

/// Threads of the load generator: one may not saturate a node.
const THREADS: usize = 2;

/// The results of calls.
#[derive(Default)]
pub(crate) struct Outcome {
    pub took: Duration,
    pub processor_time: Duration,
    /// Latencies of calls with status 200.
    pub admitted: Vec<Duration>,
    /// Latencies of calls with status 503.
    pub shed: Vec<Duration>,
    /// Calls not sent, as every connection was busy.
    pub unsent: u64,
}

impl Outcome {
    pub(crate) fn add(&mut self, other: Self) {
        self.took += other.took;
        self.processor_time += other.processor_time;
        self.admitted.extend(other.admitted);
        self.shed.extend(other.shed);
        self.unsent += other.unsent;
    }

    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    pub(crate) fn per_second(&self) -> f64 {
        self.admitted.len() as f64 / self.took.as_secs_f64()
    }

    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    pub(crate) fn processor_micros(&self) -> f64 {
        self.processor_time.as_secs_f64() * 1e6 / self.admitted.len().max(1) as f64
    }

    fn record(&mut self, status: u16, took: Duration) -> anyhow::Result<()> {
        match status {
            200 => self.admitted.push(took),
            503 => self.shed.push(took),
            other => anyhow::bail!("the node responds with status {other}"),
        }
        Ok(())
    }
}

pub(crate) fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort_unstable();
    times.get(times.len() * percent / 100).or(times.last()).copied().unwrap_or_default()
}

/// Closed loop: each connection sends its next call after the last response.
pub(crate) fn closed(
    target: &Target,
    call: &Arc<[u8]>,
    connections: usize,
    duration: Duration,
) -> anyhow::Result<Outcome> {
    let address = target.address;
    on_threads(target, |_| {
        let call = call.clone();
        async move {
            let mut tasks = JoinSet::new();
            for _ in 0..connections / THREADS {
                tasks.spawn(repeat(address, call.clone(), Instant::now() + duration));
            }
            gather(tasks).await
        }
    })
}

async fn repeat(address: SocketAddr, call: Arc<[u8]>, end: Instant) -> anyhow::Result<Outcome> {
    let mut client = Client::connect(address).await?;
    let mut outcome = Outcome::default();
    while Instant::now() < end {
        let start = Instant::now();
        let status = client.call(&call).await?;
        outcome.record(status, start.elapsed())?;
    }
    Ok(outcome)
}

/// Sends about this many calls. Returns the number of verdicts; the others got 503.
pub(crate) fn times(
    target: &Target,
    call: &Arc<[u8]>,
    connections: usize,
    times: u64,
) -> anyhow::Result<u64> {
    let address = target.address;
    let each = times / connections as u64;
    let outcome = on_threads(target, |_| {
        let call = call.clone();
        async move {
            let mut tasks = JoinSet::new();
            for _ in 0..connections / THREADS {
                let call = call.clone();
                tasks.spawn(async move {
                    let mut client = Client::connect(address).await?;
                    let mut outcome = Outcome::default();
                    for _ in 0..each {
                        outcome.record(client.call(&call).await?, Duration::ZERO)?;
                    }
                    Ok(outcome)
                });
            }
            gather(tasks).await
        }
    })?;
    Ok(outcome.admitted.len() as u64)
}

/// Open loop: calls start at a fixed rate; latencies count from the scheduled start.
pub(crate) fn open(
    target: &Target,
    call: &Arc<[u8]>,
    connections: usize,
    per_second: f64,
    duration: Duration,
) -> anyhow::Result<Outcome> {
    let address = target.address;
    let interval = Duration::from_secs_f64(1.0 / per_second);
    let next = Arc::new(AtomicU32::new(0));
    let start = Instant::now() + Duration::from_millis(200);
    on_threads(target, |_| {
        let (call, next) = (call.clone(), next.clone());
        async move {
            let mut tasks = JoinSet::new();
            for _ in 0..connections / THREADS {
                tasks.spawn(on_schedule(
                    address,
                    call.clone(),
                    next.clone(),
                    start,
                    interval,
                    start + duration,
                ));
            }
            gather(tasks).await
        }
    })
}

async fn on_schedule(
    address: SocketAddr,
    call: Arc<[u8]>,
    next: Arc<AtomicU32>,
    start: Instant,
    interval: Duration,
    end: Instant,
) -> anyhow::Result<Outcome> {
    let mut client = Client::connect(address).await?;
    let mut outcome = Outcome::default();
    loop {
        let number = next.fetch_add(1, Relaxed);
        let due = start + interval * number;
        if due >= end {
            return Ok(outcome);
        }
        tokio::time::sleep_until(due.into()).await;
        // A call not sent in time would measure the client.
        if due.elapsed() > LATE {
            outcome.unsent += 1;
            continue;
        }
        let status = client.call(&call).await?;
        outcome.record(status, due.elapsed())?;
    }
}

const LATE: Duration = Duration::from_millis(20);

async fn gather(mut tasks: JoinSet<anyhow::Result<Outcome>>) -> anyhow::Result<Outcome> {
    let mut all = Outcome::default();
    while let Some(outcome) = tasks.join_next().await {
        all.add(outcome??);
    }
    Ok(all)
}

/// Runs the future of `work` on each thread, and measures the node's processor time.
fn on_threads<F>(target: &Target, work: impl Fn(usize) -> F) -> anyhow::Result<Outcome>
where
    F: Future<Output = anyhow::Result<Outcome>> + Send,
{
    let (start, before) = (Instant::now(), target.processor_time()?);
    let mut all = Outcome::default();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let work = work(thread);
                scope.spawn(|| runtime::Builder::new_current_thread().enable_all().build()?.block_on(work))
            })
            .collect();
        for thread in threads {
            let outcome =
                thread.join().map_err(|_| anyhow::anyhow!("a thread of the load generator panicked"))?;
            all.add(outcome?);
        }
        anyhow::Ok(())
    })?;
    all.took = start.elapsed();
    all.processor_time = target.processor_time()?.saturating_sub(before);
    ensure!(!all.admitted.is_empty(), "the node admitted nothing");
    Ok(all)
}
