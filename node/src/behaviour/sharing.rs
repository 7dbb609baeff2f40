//! Sharing of counts between nodes through Redis or Valkey.
//!
//! Asynchronous: a node sends its counts after the request, and merges those of other nodes from
//! the response, in time for the source's next request. Without the server each node counts alone.

use super::{Behaviour, counters::Key};
use redis::{Client, Pipeline, RedisError, aio::MultiplexedConnection};
use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// Windows queued for sharing; more are dropped and counted.
const CAPACITY: usize = 10_000;
const BATCH: usize = 200;
const TIMEOUT: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_secs(1);

/// The queue of changed windows.
#[derive(Debug)]
pub(super) struct Outbox {
    sender: mpsc::Sender<Key>,
    unshared: Arc<AtomicU64>,
}

/// The task that shares counts.
pub struct Sharing {
    client: Client,
    connection: Option<MultiplexedConnection>,
    changed: mpsc::Receiver<Key>,
    unshared: Arc<AtomicU64>,
    is_failing: bool,
}

impl Outbox {
    /// Queues a changed window.
    pub(super) fn put(&self, key: Key) {
        if self.sender.try_send(key).is_err() {
            self.unshared.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts that were not shared with other nodes.
    pub(super) fn unshared(&self) -> u64 {
        self.unshared.load(Ordering::Relaxed)
    }
}

impl Sharing {
    pub(super) fn new(url: &str) -> Result<(Self, Outbox), RedisError> {
        let (sender, changed) = mpsc::channel(CAPACITY);
        let unshared = Arc::new(AtomicU64::new(0));
        let outbox = Outbox { sender, unshared: unshared.clone() };
        let client = Client::open(url)?;
        Ok((Self { client, connection: None, changed, unshared, is_failing: false }, outbox))
    }

    pub async fn run(mut self, behaviour: Arc<Behaviour>, stop: CancellationToken) {
        let mut batch = Vec::new();
        while let Some(1..) = stop.run_until_cancelled(self.changed.recv_many(&mut batch, BATCH)).await {
            match tokio::time::timeout(TIMEOUT, self.exchange(&behaviour, &batch)).await {
                Ok(Ok(())) if self.is_failing => {
                    self.is_failing = false;
                    info!("shared counters are available again");
                }
                Ok(Ok(())) => {}
                Ok(Err(cause)) => self.record_failure(&batch, &cause.to_string()).await,
                Err(_) => self.record_failure(&batch, "no response").await,
            }
            batch.clear();
        }
    }

    async fn record_failure(&mut self, batch: &[Key], cause: &str) {
        self.unshared.fetch_add(batch.len() as u64, Ordering::Relaxed);
        self.connection = None;
        if !self.is_failing {
            warn!("cannot share counters, each node counts alone: {cause}");
        }
        self.is_failing = true;
        tokio::time::sleep(PAUSE).await;
    }

    /// Sends changed windows and merges the results. Whole windows include members of failed
    /// attempts.
    async fn exchange(&mut self, behaviour: &Behaviour, batch: &[Key]) -> Result<(), RedisError> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            connection => connection.insert(self.client.get_multiplexed_async_connection().await?),
        };
        let mut pipeline = redis::pipe();
        let keys: HashSet<Key> = batch.iter().copied().collect();
        let keys: Vec<Key> = keys.into_iter().filter(|key| add(&mut pipeline, behaviour, *key)).collect();
        if keys.is_empty() {
            return Ok(());
        }
        let windows: Vec<Vec<(String, f64)>> = pipeline.query_async(connection).await?;
        for (key, window) in keys.into_iter().zip(windows) {
            behaviour.merge(key, window.iter().filter_map(member));
        }
        Ok(())
    }
}

/// Appends the commands for a window: the latest members at their latest times. False when the
/// window is empty.
fn add(pipeline: &mut Pipeline, behaviour: &Behaviour, key: Key) -> bool {
    let (name, span, members) = behaviour.window(key);
    let Some((_, latest)) = members.last() else { return false };
    let limit = isize::try_from(span.limit).unwrap_or(isize::MAX);
    let added = pipeline.cmd("ZADD").arg(&name).arg("GT");
    for (member, at) in &members {
        added.arg(at).arg(format!("{member:016x}"));
    }
    added.ignore();
    pipeline.cmd("ZREMRANGEBYSCORE").arg(&name).arg("-inf").arg(latest - span.millis).ignore();
    pipeline.cmd("ZREMRANGEBYRANK").arg(&name).arg(0).arg(-1 - limit).ignore();
    pipeline.cmd("PEXPIRE").arg(&name).arg(span.millis).ignore();
    pipeline.cmd("ZRANGE").arg(&name).arg(0).arg(-1).arg("WITHSCORES");
    true
}

#[expect(clippy::cast_possible_truncation, reason = "scores are whole milliseconds, as they were sent")]
fn member((member, at): &(String, f64)) -> Option<(u64, i64)> {
    Some((u64::from_str_radix(member, 16).ok()?, *at as i64))
}

#[cfg(test)]
mod tests;
