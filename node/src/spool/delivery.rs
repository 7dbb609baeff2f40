//! Delivery to the console: batched, acknowledged, at least once. What the console refuses is set aside, never in the way.

use super::{
    Batch, Spool, SpoolError,
    console::{Console, IngestError},
};
use crate::{config::ConsoleConfig, metrics::Metrics};
use serde_json::value::RawValue;
use shared::{IngestBatch, IngestReply, record::NodeInfo};
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

const MAX_BATCH_RECORDS: usize = 500;
const MAX_BATCH_BYTES: usize = 4 * 1024 * 1024;
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// A console that comes back is noticed within this time.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// How long a stopping node tries to hand over what it still has. The rest waits on disk.
const LAST_TRY: Duration = Duration::from_secs(2);

pub struct Delivery {
    spool: Arc<Spool>,
    console: Console,
    node: NodeInfo,
    metrics: Arc<Metrics>,
    /// Halved when the console refuses a batch, until the record that is the cause stands alone.
    batch_records: usize,
    pause: Duration,
}

impl Delivery {
    pub fn new(
        spool: Arc<Spool>,
        config: &ConsoleConfig,
        node: NodeInfo,
        metrics: Arc<Metrics>,
    ) -> anyhow::Result<Self> {
        let console = Console::new(config)?;
        Ok(Self { spool, console, node, metrics, batch_records: MAX_BATCH_RECORDS, pause: FIRST_PAUSE })
    }

    /// Delivers until told to stop, then once more.
    pub async fn run(mut self, stop: CancellationToken) {
        while stop.run_until_cancelled(self.round()).await.is_some() {}
        let _ = tokio::time::timeout(LAST_TRY, self.drain()).await;
    }

    async fn round(&mut self) {
        if !self.deliver().await {
            self.spool.wait().await;
        }
    }

    async fn drain(&mut self) {
        while self.deliver().await {}
    }

    /// Delivers one batch. False when there was nothing to deliver.
    async fn deliver(&mut self) -> bool {
        let batch = match self.spool.read(self.batch_records, MAX_BATCH_BYTES) {
            Ok(batch) => batch,
            Err(error) => {
                error!("the spool cannot be read: {error}");
                tokio::time::sleep(LONGEST_PAUSE).await;
                return true;
            }
        };
        if batch.is_empty() {
            return false;
        }
        match self.send(&batch).await {
            Ok(reply) => self.settle(&batch, &reply),
            Err(error) => self.give_way(&batch, error).await,
        }
        true
    }

    async fn send(&self, batch: &Batch) -> Result<IngestReply, IngestError> {
        if batch.records.is_empty() {
            return Ok(IngestReply::default());
        }
        let raw = |record: &Vec<u8>| RawValue::from_string(String::from_utf8(record.clone()).ok()?).ok();
        // The checksum held, so each record is the JSON this program wrote.
        let records = batch.records.iter().filter_map(raw).collect();
        self.console.ingest(&IngestBatch { node: self.node.clone(), records }).await
    }

    fn settle(&mut self, batch: &Batch, reply: &IngestReply) {
        if self.pause > FIRST_PAUSE {
            info!("the console takes records again");
        }
        self.pause = FIRST_PAUSE;
        self.batch_records = MAX_BATCH_RECORDS.min(self.batch_records * 2);
        self.metrics.delivered.inc_by(batch.records.len() as u64);
        for rejected in &reply.rejected {
            self.set_aside(batch.records.get(rejected.index), &rejected.reason);
        }
        self.acknowledge(batch);
    }

    async fn give_way(&mut self, batch: &Batch, error: IngestError) {
        self.metrics.delivery_errors.inc();
        match error {
            IngestError::Refused { ref detail, .. } if batch.records.len() == 1 => {
                self.set_aside(batch.records.first(), detail);
                self.acknowledge(batch);
            }
            IngestError::Refused { .. } => self.batch_records = (batch.records.len() / 2).max(1),
            IngestError::Busy { retry_after: Some(pause), .. } => {
                tokio::time::sleep(pause.min(LONGEST_PAUSE)).await;
            }
            error => self.back_off(&error).await,
        }
    }

    async fn back_off(&mut self, error: &IngestError) {
        if self.pause == FIRST_PAUSE {
            warn!("nothing is delivered, hits wait in the spool: {error}");
        }
        tokio::time::sleep(self.pause).await;
        self.pause = LONGEST_PAUSE.min(self.pause * 2);
    }

    fn set_aside(&self, record: Option<&Vec<u8>>, reason: &str) {
        warn!("the console rejected a record, it is kept in rejected.jsonl: {reason}");
        let kept = record.map_or(Ok(()), |record| self.spool.set_aside(record, reason));
        log_failure(kept);
    }

    fn acknowledge(&self, batch: &Batch) {
        log_failure(self.spool.acknowledge(batch));
    }
}

impl Batch {
    /// Whether there is neither a record to deliver nor damage to step over.
    fn is_empty(&self) -> bool {
        self.records.is_empty() && self.damaged == 0
    }
}

fn log_failure(result: Result<(), SpoolError>) {
    if let Err(error) = result {
        error!("{error}");
    }
}
