//! Scans of recorded hits: in batches, the latest first, up to a limit of hits and time.

use crate::{
    hit::{HitFilter, RecordedHit},
    replay::Progress,
    store::{Store, StoreError},
};
use shared::{Decision, RecordedRequest, RequestId};
use std::{collections::HashSet, time::Duration};
use tokio::time::Instant;
use uuid::Uuid;

/// Hits held in memory.
const BATCH: u32 = 500;

/// Bounds of a scan.
#[derive(Debug, Clone, Copy)]
pub struct ScanLimits {
    pub hits: u64,
    pub time: Duration,
}

impl ScanLimits {
    /// Limits of a call that waits for the result.
    pub const CALL: Self = Self { hits: 100_000, time: Duration::from_secs(5) };
}

pub struct Scan {
    store: Store,
    filter: HitFilter,
    limits: ScanLimits,
    end: Instant,
    last: Option<Uuid>,
    pub progress: Progress,
}

impl Scan {
    pub fn new(store: Store, filter: HitFilter, limits: ScanLimits) -> Self {
        let end = Instant::now() + limits.time;
        Self { store, filter, limits, end, last: None, progress: Progress::default() }
    }

    /// The next hits; empty at the end.
    pub async fn hits(&mut self) -> Result<Vec<RecordedHit>, StoreError> {
        if self.progress.complete || self.progress.hits >= self.limits.hits || Instant::now() >= self.end {
            return Ok(Vec::new());
        }
        let hits = self.store.hits_before(&self.filter, self.last, BATCH).await?;
        self.progress.complete = hits.len() < BATCH as usize;
        self.progress.hits += hits.len() as u64;
        self.last = hits.last().map(|hit| hit.id);
        Ok(hits)
    }
}

/// The requests of the hits, each once.
pub struct RequestScan {
    scan: Scan,
    seen: HashSet<RequestId>,
}

impl RequestScan {
    pub fn new(scan: Scan) -> Self {
        Self { scan, seen: HashSet::new() }
    }

    /// The next requests, with their decisions; `None` at the end.
    pub async fn requests(&mut self) -> Result<Option<Vec<(RecordedRequest, Decision)>>, StoreError> {
        let hits = self.scan.hits().await?;
        if hits.is_empty() {
            return Ok(None);
        }
        let ids = hits.into_iter().map(|hit| hit.request_id);
        let new: Vec<RequestId> = ids.filter(|id| self.seen.insert(*id)).collect();
        self.scan.store.requests(&new).await.map(Some)
    }

    pub fn progress(&self) -> Progress {
        self.scan.progress
    }
}
