//! The spool: records on disk, from their verdict to the console's acknowledgement.
//!
//! A record is written with `write(2)` before its verdict leaves, so it survives a kill of the
//! process; a background task syncs the files, so a power loss costs at most the sync interval.
//! Records are kept in two priority queues of segments, so that those of blocked requests outlast
//! the others when the spool is full. `state.json` holds the position the console has acknowledged,
//! and exact counts of dropped records.

mod batch;
mod console;
pub mod delivery;
mod files;
mod frame;
pub mod heartbeat;
mod kind;
mod priority_queue;
mod segment;
mod state;

use crate::{config::SpoolConfig, metrics::on_scrape};
pub use batch::Batch;
use files::{Files, Limits};
use frame::Frames;
use kind::{Priority, RecordKind};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::counter::{ConstCounter, Counter},
    registry::Registry,
};
use serde::Serialize;
use shared::Record;
pub use state::{Dropped, Tally};
use std::{
    fs::{self, File, TryLockError},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};
use uuid::Uuid;

/// One per node, the only user of its directory.
pub struct Spool {
    directory: PathBuf,
    limits: Limits,
    files: Mutex<Files>,
    /// Held while the state is written, which takes too long for the lock on `files`.
    saving: Mutex<()>,
    /// Notified at each append.
    appended: Notify,
    delivered: Counter,
    delivery_errors: Counter,
    /// Held for the lifetime of the spool.
    _lock: File,
}

/// Pending and lost records. The tally is exact across restarts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SpoolStats {
    /// Records waiting for delivery.
    pub pending: u64,
    pub pending_bytes: u64,
    /// Whether the last write succeeded.
    pub writable: bool,
    /// The sum of `lost.dropped`.
    pub dropped: u64,
    pub lost: Tally,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DroppedLabels {
    reason: &'static str,
    kind: &'static str,
}

#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    #[error("the spool {} is in use by another node; set another spool.directory", .0.display())]
    InUse(PathBuf),
    #[error("spool {path}: {cause}")]
    Io { path: PathBuf, cause: io::Error },
    #[error("a write of {bytes} bytes exceeds the {limit} bytes of a spool segment")]
    TooLarge { bytes: u64, limit: u64 },
    #[error(
        "records of blocked requests use all {max_bytes} bytes of the spool; \
         check the connection to the console, or raise spool.max_bytes"
    )]
    Full { max_bytes: u64 },
    #[error("the record cannot be serialized as JSON: {0}")]
    Encode(#[from] serde_json::Error),
}

impl Spool {
    const MAX_SEGMENT_BYTES: u64 = 8 * 1024 * 1024;
    /// `rejected.jsonl` starts anew when it is larger; the one before is kept.
    const MAX_REJECTED_BYTES: u64 = 8 * 1024 * 1024;

    pub fn open(config: &SpoolConfig) -> Result<Self, SpoolError> {
        let directory = config.directory.clone();
        let failed = |cause| SpoolError::Io { path: directory.clone(), cause };
        fs::create_dir_all(&directory).map_err(failed)?;
        let lock = File::create(directory.join("lock")).map_err(failed)?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => SpoolError::InUse(directory.clone()),
            TryLockError::Error(cause) => failed(cause),
        })?;
        let (files, state_was_damaged) = Files::open(&directory).map_err(failed)?;
        if state_was_damaged {
            warn!(
                "state.json of the spool is malformed: its counts restart at 0, and its records are delivered again"
            );
        }
        let spool = Self {
            limits: Limits {
                max_bytes: config.max_bytes,
                segment_bytes: Self::MAX_SEGMENT_BYTES.min(config.max_bytes / 4),
            },
            files: Mutex::new(files),
            saving: Mutex::new(()),
            appended: Notify::new(),
            delivered: Counter::default(),
            delivery_errors: Counter::default(),
            _lock: lock,
            directory,
        };
        spool.remove_settled()?;
        Ok(spool)
    }

    /// Appends records, those of one priority in one write. When the spool is full, the oldest
    /// records of low priority are dropped first. Dropped records are counted, old or new.
    pub fn append(&self, records: &[Record]) -> Result<(), SpoolError> {
        self.append_all(records, true)
    }

    /// Appends records that the caller keeps and appends again after a failure: these are not lost.
    pub fn append_kept(&self, records: &[Record]) -> Result<(), SpoolError> {
        self.append_all(records, false)
    }

    fn append_all(&self, records: &[Record], is_loss: bool) -> Result<(), SpoolError> {
        let mut queues = Priority::ALL.map(|priority| (priority, Frames::default()));
        for record in records {
            let kind = RecordKind::of(record);
            queues[kind.priority().index()].1.push(kind, &serde_json::to_vec(record)?);
        }
        let mut result = Ok(());
        for (priority, frames) in queues.iter().filter(|(_, frames)| !frames.bytes.is_empty()) {
            result = result.and(self.append_frames(*priority, frames, is_loss));
        }
        self.appended.notify_one();
        result
    }

    /// `is_loss`: whether a failure loses the records.
    fn append_frames(&self, priority: Priority, frames: &Frames, is_loss: bool) -> Result<(), SpoolError> {
        loop {
            let mut files = self.files();
            let appended = files.append(&self.directory, self.limits, priority, frames);
            // The disk may be smaller than spool.max_bytes.
            let try_again =
                matches!(&appended, Err(error) if error.is_full_disk()) && files.make_room(priority);
            if is_loss
                && !try_again
                && let Err(error) = &appended
            {
                files.count_lost(error, frames.counts);
            }
            let has_settled = files.has_settled();
            drop(files);
            if has_settled {
                // On failure the next sync tries again and logs it.
                let _ = self.remove_settled();
            }
            if !try_again {
                return appended;
            }
        }
    }

    /// Waits until a record was appended since the last wait.
    pub async fn wait(&self) {
        self.appended.notified().await;
    }

    /// Reads the oldest records of a queue, at most `max_records` and about `max_bytes`. Queues
    /// alternate. `None` when no record is pending.
    pub fn read(&self, max_records: usize, max_bytes: usize) -> Result<Option<Batch>, SpoolError> {
        let Some((priority, segment, offset)) = self.files().start_delivery() else { return Ok(None) };
        let path = segment::path(&self.directory, priority, segment.sequence);
        let batch = match segment::read(&path, offset, segment.bytes) {
            Ok(bytes) => Batch::read(priority, segment, offset, &bytes, max_records, max_bytes),
            // The file was removed from outside: skip it.
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Batch::lost(priority, segment, offset),
            Err(cause) => return Err(self.failed(cause)),
        };
        Ok(Some(batch))
    }

    /// Marks a batch as settled by the console: it is not read again.
    pub fn acknowledge(&self, batch: &Batch) -> Result<(), SpoolError> {
        self.files().acknowledge(batch);
        self.remove_settled()
    }

    /// Writes a record that the console rejected to `rejected.jsonl`.
    pub fn dead_letter(&self, record: &[u8], reason: &str) -> Result<(), SpoolError> {
        let line = serde_json::json!({ "reason": reason, "record": String::from_utf8_lossy(record) });
        self.files().count_rejected();
        self.write_rejected(&line.to_string()).map_err(|cause| self.failed(cause))
    }

    fn write_rejected(&self, line: &str) -> io::Result<()> {
        let path = self.directory.join("rejected.jsonl");
        if fs::metadata(&path).is_ok_and(|file| file.len() > Self::MAX_REJECTED_BYTES) {
            fs::rename(&path, self.directory.join("rejected.old.jsonl"))?;
        }
        writeln!(File::options().create(true).append(true).open(path)?, "{line}")
    }

    /// Makes appended records and counts survive a power loss. Probes whether a spool that failed
    /// is writable again.
    pub fn sync(&self) -> Result<(), SpoolError> {
        let (writers, is_saved, is_writable) = self.files().start_sync();
        let synced = (|| {
            for writer in &writers {
                writer.sync_data()?;
            }
            if !writers.is_empty() {
                File::open(&self.directory)?.sync_all()?;
            }
            if is_writable { Ok(()) } else { self.probe() }
        })();
        if !is_writable || synced.is_err() {
            self.files().set_writable(synced.is_ok());
        }
        synced.map_err(|cause| self.failed(cause))?;
        if is_saved { Ok(()) } else { self.remove_settled() }
    }

    /// Syncs until `stop`, and at last.
    pub async fn sync_periodically(self: Arc<Self>, interval: Duration, stop: CancellationToken) {
        loop {
            let stopped = stop.run_until_cancelled(tokio::time::sleep(interval)).await.is_none();
            let spool = self.clone();
            if let Ok(Err(cause)) = tokio::task::spawn_blocking(move || spool.sync()).await {
                error!("cannot sync the spool: {cause}");
            }
            if stopped {
                return;
            }
        }
    }

    /// Writes as much as the smallest record.
    fn probe(&self) -> io::Result<()> {
        let path = self.directory.join("probe");
        let mut file = File::create(&path)?;
        file.write_all(&[b'.'; 4096])?;
        file.sync_all()?;
        fs::remove_file(path)
    }

    /// Registers the series of the spool and of its delivery.
    pub fn register(self: &Arc<Self>, registry: &mut Registry) {
        let (delivered, errors) = (self.delivered.clone(), self.delivery_errors.clone());
        registry.register("postanalytics_exporter_records_exported", "Records delivered", delivered);
        registry.register("postanalytics_exporter_errors", "Failed deliveries", errors);
        let spool = self.clone();
        on_scrape(registry, move |scrape| {
            let SpoolStats { pending, pending_bytes, writable, lost, .. } = spool.stats();
            scrape.gauge("spool_pending_records", "Records waiting for delivery", pending)?;
            scrape.gauge("spool_pending_bytes", "Bytes of records waiting for delivery", pending_bytes)?;
            scrape.gauge("spool_writable", "1 if the last write succeeded", writable.into())?;
            let Dropped { full, unwritable, too_large } = lost.dropped;
            let dropped = [("full", full), ("unwritable", unwritable), ("too_large", too_large)];
            let dropped = dropped.into_iter().flat_map(|(reason, counts)| {
                let of_kind = move |(kind, count)| (DroppedLabels { reason, kind }, ConstCounter::new(count));
                counts.by_kind().map(of_kind)
            });
            scrape.family("spool_dropped", "Records dropped", dropped)?;
            scrape.counter("spool_rejected", "Records rejected by the console", lost.rejected)?;
            scrape.counter(
                "spool_damaged_bytes",
                "Bytes of the spool that were unreadable",
                lost.damaged_bytes,
            )
        });
    }

    pub fn stats(&self) -> SpoolStats {
        self.files().stats()
    }

    /// Whether records can be written.
    pub fn is_writable(&self) -> bool {
        self.files().stats().writable
    }

    /// The node's id, generated at its first start and stored in the spool.
    pub fn node_id(&self) -> Result<Uuid, SpoolError> {
        let path = self.directory.join("node-id");
        if let Some(id) = fs::read_to_string(&path).ok().and_then(|text| text.trim().parse().ok()) {
            return Ok(id);
        }
        let id = Uuid::new_v4();
        let write = || {
            let mut file = File::create(&path)?;
            file.write_all(id.to_string().as_bytes())?;
            file.sync_all()
        };
        write().map_err(|cause| self.failed(cause))?;
        Ok(id)
    }

    /// Saves the state, then removes settled segments: a kill between the two loses no count.
    fn remove_settled(&self) -> Result<(), SpoolError> {
        let _saving = self.saving.lock().unwrap_or_else(PoisonError::into_inner);
        let (gone, state) = {
            let mut files = self.files();
            // Later changes belong to the next save.
            files.set_saved(true);
            (files.settled(), files.state())
        };
        let saved = state.save(&self.directory);
        for (priority, sequences) in Priority::ALL.into_iter().zip(&gone) {
            for sequence in sequences {
                // A file that cannot be removed now is removed at the next start.
                let _ = fs::remove_file(segment::path(&self.directory, priority, *sequence));
            }
        }
        self.files().forget(&gone);
        saved.map_err(|cause| {
            self.files().set_saved(false);
            self.failed(cause)
        })
    }

    fn files(&self) -> MutexGuard<'_, Files> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, cause: io::Error) -> SpoolError {
        SpoolError::Io { path: self.directory.clone(), cause }
    }
}

impl SpoolError {
    fn io(directory: &Path, cause: io::Error) -> Self {
        Self::Io { path: directory.to_owned(), cause }
    }

    fn is_full_disk(&self) -> bool {
        let full = |cause: &io::Error| {
            matches!(cause.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
        };
        matches!(self, Self::Io { cause, .. } if full(cause))
    }
}

#[cfg(test)]
mod tests;
