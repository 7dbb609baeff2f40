//! Delivery to the console: batched, acknowledged, at least once. Rejected records become dead
//! letters and do not block others.

use super::{
    Batch, Spool, SpoolError,
    console::{self, Console, IngestError},
    segment::Contents,
};
use crate::{config::ConsoleConfig, console_client::Backoff};
use hyper::body::Bytes;
use serde_json::value::RawValue;
use shared::{IngestBatch, IngestReply, record::NodeInfo};
use std::{io, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

const MAX_BATCH_RECORDS: usize = 500;
const MAX_BATCH_BYTES: usize = 4 * 1024 * 1024;
/// The longest `Retry-After` that is honoured.
const LONGEST_RETRY_AFTER: Duration = Duration::from_mins(1);
/// How long a stopping node delivers pending records. The rest stays on disk.
const LAST_DELIVERY: Duration = Duration::from_secs(2);

pub struct SpoolDelivery {
    spool: Arc<Spool>,
    console: Console,
    node: NodeInfo,
    /// Halved when the console rejects a batch, until the record that causes it is alone.
    batch_records: usize,
    backoff: Backoff,
}

impl SpoolDelivery {
    pub fn new(spool: Arc<Spool>, config: &ConsoleConfig, node: NodeInfo) -> anyhow::Result<Self> {
        let console = Console::new(config)?;
        Ok(Self { spool, console, node, batch_records: MAX_BATCH_RECORDS, backoff: Backoff::default() })
    }

    /// Delivers until `stop`, then the pending records once more.
    pub async fn run(mut self, stop: CancellationToken) {
        while stop.run_until_cancelled(self.deliver_or_wait()).await.is_some() {}
        let _ = tokio::time::timeout(LAST_DELIVERY, self.drain()).await;
    }

    async fn deliver_or_wait(&mut self) {
        if !self.deliver().await {
            self.spool.wait().await;
        }
    }

    async fn drain(&mut self) {
        while self.deliver().await {}
    }

    /// Delivers one batch. False when no record is pending.
    async fn deliver(&mut self) -> bool {
        let (node, records) = (self.node.clone(), self.batch_records);
        let read = on_disk(&self.spool, move |spool| {
            let Some(batch) = spool.read(records, MAX_BATCH_BYTES)? else { return Ok(None) };
            let body = body(node, &batch).map_err(|cause| spool.failed(cause))?;
            Ok(Some((batch, body)))
        });
        match read.await {
            Ok(Some((batch, body))) => self.send(batch, body).await,
            Ok(None) => return false,
            Err(error) => {
                error!("cannot read the spool: {error}");
                tokio::time::sleep(Backoff::LONGEST).await;
            }
        }
        true
    }

    async fn send(&mut self, batch: Batch, body: Bytes) {
        if batch.records.is_empty() {
            let Contents { damaged, damaged_bytes: bytes, .. } = batch.contents;
            warn!("skipping an unreadable part of the spool: {bytes} bytes in {damaged} malformed ranges");
            return self.settle(batch, IngestReply::default()).await;
        }
        match self.console.ingest(body).await {
            Ok(reply) => self.settle(batch, reply).await,
            Err(error) => self.handle_failure(batch, error).await,
        }
    }

    async fn settle(&mut self, batch: Batch, reply: IngestReply) {
        if self.backoff.has_failed() {
            info!("the console accepts records again");
        }
        self.backoff = Backoff::default();
        self.batch_records = MAX_BATCH_RECORDS.min(self.batch_records * 2);
        self.spool.delivered.inc_by(batch.records.len() as u64);
        let rejected = reply.rejected.into_iter().map(|rejected| (rejected.index, rejected.reason));
        self.acknowledge(batch, rejected.collect()).await;
    }

    async fn handle_failure(&mut self, batch: Batch, error: IngestError) {
        self.spool.delivery_errors.inc();
        match error {
            IngestError::Rejected { detail, .. } if batch.records.len() == 1 => {
                self.acknowledge(batch, vec![(0, detail)]).await;
            }
            IngestError::Rejected { .. } => self.batch_records = (batch.records.len() / 2).max(1),
            IngestError::Busy { retry_after: Some(pause), .. } => {
                tokio::time::sleep(pause.min(LONGEST_RETRY_AFTER)).await;
            }
            error => self.back_off(&error).await,
        }
    }

    async fn back_off(&mut self, error: &IngestError) {
        if !self.backoff.has_failed() {
            warn!("cannot deliver, hits wait in the spool: {error}");
        }
        self.backoff.wait().await;
    }

    /// Stores rejected records as dead letters, each with its reason, and acknowledges the batch.
    async fn acknowledge(&self, batch: Batch, rejected: Vec<(usize, String)>) {
        let done = on_disk(&self.spool, move |spool| {
            for (index, reason) in &rejected {
                warn!("the console rejected a record, kept in rejected.jsonl: {reason}");
                if let Some(Err(error)) =
                    batch.records.get(*index).map(|record| spool.dead_letter(record, reason))
                {
                    error!("cannot keep a rejected record: {error}");
                }
            }
            spool.acknowledge(&batch)
        });
        if let Err(error) = done.await {
            error!("cannot acknowledge delivered records, they are delivered again: {error}");
        }
    }
}

/// Runs disk I/O on a blocking thread.
async fn on_disk<T: Send + 'static>(
    spool: &Arc<Spool>,
    work: impl FnOnce(&Spool) -> Result<T, SpoolError> + Send + 'static,
) -> Result<T, SpoolError> {
    let on_thread = spool.clone();
    match tokio::task::spawn_blocking(move || work(&on_thread)).await {
        Ok(done) => done,
        Err(stopped) => Err(spool.failed(io::Error::other(stopped))),
    }
}

fn body(node: NodeInfo, batch: &Batch) -> io::Result<Bytes> {
    let raw = |record: &Vec<u8>| RawValue::from_string(String::from_utf8(record.clone()).ok()?).ok();
    // The checksum held, so each record is the JSON this program wrote.
    let records = batch.records.iter().filter_map(raw).collect();
    console::compress(&IngestBatch { node, status: None, records })
}
