//! Reads what was recorded in pieces, the latest first, until there is no more, or it has been enough.

use super::Recorded;
use crate::{
    hit::RecordedHit,
    store::{Store, StoreError},
};
use serde::{Deserialize, Serialize};
use shared::{Decision, RecordedRequest, RequestId};
use std::{collections::HashSet, time::Duration};
use tokio::time::Instant;
use uuid::Uuid;

/// How many hits are held in memory.
const PIECE: u32 = 500;

/// How far a scan may go.
#[derive(Debug, Clone, Copy)]
pub struct ScanLimits {
    pub hits: u64,
    pub time: Duration,
}

impl ScanLimits {
    /// While somebody waits for the answer.
    pub const CALL: Self = Self { hits: 100_000, time: Duration::from_secs(5) };
}

/// How far a scan has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Progress {
    /// How many hits were looked at.
    pub hits: u64,
    /// Whether these were all.
    pub complete: bool,
}

pub struct Scan {
    store: Store,
    which: Recorded,
    limits: ScanLimits,
    end: Instant,
    last: Option<Uuid>,
    pub progress: Progress,
}

impl Scan {
    pub fn new(store: Store, which: Recorded, limits: ScanLimits) -> Self {
        let end = Instant::now() + limits.time;
        Self { store, which, limits, end, last: None, progress: Progress::default() }
    }

    /// The next hits; none at the end.
    pub async fn hits(&mut self) -> Result<Vec<RecordedHit>, StoreError> {
        if self.progress.complete || self.progress.hits >= self.limits.hits || Instant::now() >= self.end {
            return Ok(Vec::new());
        }
        let hits = self.store.hits_before(&self.which, self.last, PIECE).await?;
        self.progress.complete = hits.len() < PIECE as usize;
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

    /// The next requests, with what was decided on them; `None` at the end.
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
