//! Records on disk between their verdict and the console's acknowledgement.
//!
//! A record is written with `write(2)` before its verdict leaves, so it survives a kill of the process; a background task
//! syncs the files, so a power loss costs at most the sync interval. Records lie in two lanes of segments, so that those
//! of blocked requests can outlast the others when the spool is full. `state.json` says how far the console has
//! acknowledged, and keeps the exact counts of what had to go.

mod batch;
mod console;
pub mod delivery;
mod files;
mod frame;
pub mod heartbeat;
mod kind;
mod lane;
mod segment;
mod state;

use crate::config::SpoolConfig;
pub use batch::Batch;
use files::{Files, Limits};
use frame::Frames;
use kind::{Kind, LaneName};
use serde::Serialize;
use shared::Record;
pub use state::{Dropped, Tally};
use std::{
    fs::{self, File, TryLockError},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;
use tracing::warn;
use uuid::Uuid;

/// One per node; its directory belongs to it alone.
pub struct Spool {
    directory: PathBuf,
    limits: Limits,
    files: Mutex<Files>,
    /// Held while the state is written, which takes too long for the lock on `files`.
    saving: Mutex<()>,
    /// Woken at each append.
    appended: Notify,
    /// Held as long as the spool lives.
    _lock: File,
}

/// What waits, and what was lost. The tally is exact across restarts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SpoolStats {
    /// Records that wait for delivery.
    pub pending: u64,
    pub pending_bytes: u64,
    /// Whether the last try to write succeeded.
    pub writable: bool,
    /// All of `lost.dropped`.
    pub dropped: u64,
    pub lost: Tally,
}

#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    #[error("the spool {0} is used by another node")]
    InUse(PathBuf),
    #[error("the spool {path}: {cause}")]
    Io { path: PathBuf, cause: io::Error },
    #[error("{0} bytes do not fit into the spool")]
    TooLarge(u64),
    #[error("the spool is full of blocked requests")]
    Full,
    #[error("the record cannot be spelled as JSON: {0}")]
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
                "the spool's state.json makes no sense: its counts start anew, what it holds is sent again"
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
            _lock: lock,
            directory,
        };
        spool.remove_settled()?;
        Ok(spool)
    }

    /// Appends records, those of one lane in one write. When the spool is full the oldest monitored records go first; what
    /// could not be kept is counted, whether old or new.
    pub fn append(&self, records: &[Record]) -> Result<(), SpoolError> {
        let mut lanes = LaneName::ALL.map(|lane| (lane, Frames::default()));
        for record in records {
            let kind = Kind::of(record);
            lanes[kind.lane().index()].1.push(kind, &serde_json::to_vec(record)?);
        }
        let mut result = Ok(());
        for (lane, frames) in lanes.iter().filter(|(_, frames)| !frames.bytes.is_empty()) {
            result = result.and(self.append_frames(*lane, frames));
        }
        self.appended.notify_one();
        result
    }

    fn append_frames(&self, lane: LaneName, frames: &Frames) -> Result<(), SpoolError> {
        loop {
            let mut files = self.files();
            let appended = files.append(&self.directory, self.limits, lane, frames);
            // The disk may be smaller than the configuration says.
            let try_again = matches!(&appended, Err(error) if error.is_full_disk()) && files.make_room(lane);
            if !try_again && let Err(error) = &appended {
                files.count_lost(error, frames.counts);
            }
            let has_settled = files.has_settled();
            drop(files);
            if has_settled {
                // Failing that, the next sync tries again and tells.
                let _ = self.remove_settled();
            }
            if !try_again {
                return appended;
            }
        }
    }

    /// Waits until something was appended since the last wait.
    pub async fn wait(&self) {
        self.appended.notified().await;
    }

    /// Reads the oldest records of a lane, at most so many and about so many bytes. Lanes take turns. Nothing when nothing
    /// waits.
    pub fn read(&self, max_records: usize, max_bytes: usize) -> Result<Option<Batch>, SpoolError> {
        let Some((lane, segment, offset)) = self.files().start_delivery() else { return Ok(None) };
        let path = segment::path(&self.directory, lane, segment.sequence);
        let batch = match segment::read(&path, offset, segment.bytes) {
            Ok(bytes) => Batch::read(lane, segment, offset, &bytes, max_records, max_bytes),
            // Somebody removed the file: the others are not to wait for it.
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Batch::lost(lane, segment, offset),
            Err(cause) => return Err(self.failed(cause)),
        };
        Ok(Some(batch))
    }

    /// The console has settled a batch: it will not be read again.
    pub fn acknowledge(&self, batch: &Batch) -> Result<(), SpoolError> {
        self.files().acknowledge(batch);
        self.remove_settled()
    }

    /// Keeps a record the console refused, for people to look at.
    pub fn set_aside(&self, record: &[u8], reason: &str) -> Result<(), SpoolError> {
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

    /// Makes appended records, and the counts, survive a power loss. Finds out whether a spool that could not be written
    /// can be written again.
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

    /// As much as the smallest record takes.
    fn probe(&self) -> io::Result<()> {
        let path = self.directory.join("probe");
        let mut file = File::create(&path)?;
        file.write_all(&[b'.'; 4096])?;
        file.sync_all()?;
        fs::remove_file(path)
    }

    pub fn stats(&self) -> SpoolStats {
        self.files().stats()
    }

    /// Whether records are being kept.
    pub fn is_writable(&self) -> bool {
        self.files().stats().writable
    }

    /// The node's id, made at its first start and kept with its spool.
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

    /// Saves the state, then removes the segments it no longer needs. In this order: a kill in between costs no count.
    fn remove_settled(&self) -> Result<(), SpoolError> {
        let _turn = self.saving.lock().unwrap_or_else(PoisonError::into_inner);
        let (gone, state) = {
            let mut files = self.files();
            // What changes from here on is for the next save.
            files.set_saved(true);
            (files.settled(), files.state())
        };
        let saved = state.save(&self.directory);
        for (lane, sequences) in LaneName::ALL.into_iter().zip(&gone) {
            for sequence in sequences {
                // One that cannot be removed now goes at the next start.
                let _ = fs::remove_file(segment::path(&self.directory, lane, *sequence));
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
