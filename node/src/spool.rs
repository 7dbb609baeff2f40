//! Records on disk between their verdict and the console's acknowledgement.
//!
//! A record is written with `write(2)` before its verdict leaves, so it survives a kill of the process; a background task
//! syncs the file, so a power loss costs at most the sync interval. Segments `<sequence>.spool` hold checksummed
//! frames; `state.json` says how far the console has acknowledged, and keeps the exact counts of what had to go.

mod console;
pub mod delivery;
mod segment;
mod state;

use crate::config::SpoolConfig;
use segment::{Frames, Segment};
use serde::Serialize;
use shared::Record;
use state::{Position, State};
use std::{
    collections::VecDeque,
    fs::{self, File, TryLockError},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;
use uuid::Uuid;

/// One per node; its directory belongs to it alone.
pub struct Spool {
    directory: PathBuf,
    max_bytes: u64,
    segment_bytes: u64,
    files: Mutex<Files>,
    /// Woken at each append.
    appended: Notify,
    /// Held as long as the spool lives.
    _lock: File,
}

struct Files {
    /// The oldest first; never empty once something was appended.
    segments: VecDeque<Segment>,
    /// The last segment, open for appending.
    writer: Option<Arc<File>>,
    unsynced: bool,
    state: State,
    pending: u64,
}

/// Counts, exact across restarts except `pending_bytes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SpoolStats {
    /// Records that wait for delivery.
    pub pending: u64,
    pub pending_bytes: u64,
    /// Records that were thrown away because the spool was full.
    pub dropped: u64,
    /// Records the console refused; kept in `rejected.jsonl`.
    pub rejected: u64,
    /// Segments with bytes that could not be read, e.g. after a power loss.
    pub damaged: u64,
}

/// Records read for delivery, and the place to acknowledge.
pub struct Batch {
    pub records: Vec<Vec<u8>>,
    start: Position,
    end: Position,
    damaged: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    #[error("the spool {0} is used by another node")]
    InUse(PathBuf),
    #[error("the spool {path}: {cause}")]
    Io { path: PathBuf, cause: io::Error },
    #[error("{0} bytes do not fit into the spool")]
    TooLarge(u64),
    #[error("the record cannot be spelled as JSON: {0}")]
    Encode(#[from] serde_json::Error),
}

impl Spool {
    const MAX_SEGMENT_BYTES: u64 = 8 * 1024 * 1024;

    pub fn open(config: &SpoolConfig) -> Result<Self, SpoolError> {
        let directory = config.directory.clone();
        let failed = |cause| SpoolError::Io { path: directory.clone(), cause };
        fs::create_dir_all(&directory).map_err(failed)?;
        let lock = File::create(directory.join("lock")).map_err(failed)?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => SpoolError::InUse(directory.clone()),
            TryLockError::Error(cause) => failed(cause),
        })?;
        let files = Files::open(&directory).map_err(failed)?;
        Ok(Self {
            max_bytes: config.max_bytes,
            segment_bytes: Self::MAX_SEGMENT_BYTES.min(config.max_bytes / 4),
            files: Mutex::new(files),
            appended: Notify::new(),
            _lock: lock,
            directory,
        })
    }

    /// Appends records in one write. When the spool is full, the oldest records go, and are counted.
    pub fn append(&self, records: &[Record]) -> Result<(), SpoolError> {
        let mut frames = Vec::new();
        for record in records {
            segment::push_frame(&mut frames, &serde_json::to_vec(record)?);
        }
        let bytes = frames.len() as u64;
        if bytes > self.segment_bytes {
            return Err(SpoolError::TooLarge(bytes));
        }
        let mut files = self.files();
        let appended = self.make_room(&mut files, bytes).and_then(|()| files.append(&frames));
        appended.map_err(|cause| self.failed(cause))?;
        files.pending += records.len() as u64;
        drop(files);
        self.appended.notify_one();
        Ok(())
    }

    /// Waits until something was appended since the last wait.
    pub async fn wait(&self) {
        self.appended.notified().await;
    }

    /// Reads the oldest records not acknowledged, at most so many and about so many bytes.
    pub fn read(&self, max_records: usize, max_bytes: usize) -> Result<Batch, SpoolError> {
        let (start, segments) = {
            let files = self.files();
            (files.state.position, files.segments.clone())
        };
        Batch::read(&self.directory, start, &segments, max_records, max_bytes)
            .map_err(|cause| self.failed(cause))
    }

    /// The console has settled a batch: it will not be read again.
    pub fn acknowledge(&self, batch: &Batch) -> Result<(), SpoolError> {
        let mut files = self.files();
        // Room was made meanwhile, the batch's records are counted as dropped. They will at worst be sent again.
        if files.state.position != batch.start {
            return Ok(());
        }
        files.state.position = batch.end;
        files.state.damaged += batch.damaged;
        files.pending = files.pending.saturating_sub(batch.records.len() as u64);
        files.remove_read(&self.directory);
        files.state.save(&self.directory).map_err(|cause| self.failed(cause))
    }

    /// Keeps a record the console refused, for people to look at.
    pub fn set_aside(&self, record: &[u8], reason: &str) -> Result<(), SpoolError> {
        let line = serde_json::json!({ "reason": reason, "record": String::from_utf8_lossy(record) });
        let path = self.directory.join("rejected.jsonl");
        let mut files = self.files();
        files.state.rejected += 1;
        let file = File::options().create(true).append(true).open(path);
        file.and_then(|mut file| writeln!(file, "{line}")).map_err(|cause| self.failed(cause))
    }

    /// Makes appended records survive a power loss.
    pub fn sync(&self) -> Result<(), SpoolError> {
        let writer = {
            let mut files = self.files();
            std::mem::take(&mut files.unsynced).then(|| files.writer.clone()).flatten()
        };
        writer.map_or(Ok(()), |file| file.sync_data()).map_err(|cause| self.failed(cause))
    }

    pub fn stats(&self) -> SpoolStats {
        let files = self.files();
        let State { position, dropped, rejected, damaged } = files.state;
        SpoolStats {
            pending: files.pending,
            pending_bytes: files.bytes().saturating_sub(position.offset),
            dropped,
            rejected,
            damaged,
        }
    }

    /// The node's id, made at its first start and kept with its spool.
    pub fn node_id(&self) -> Result<Uuid, SpoolError> {
        let path = self.directory.join("node-id");
        if let Some(id) = fs::read_to_string(&path).ok().and_then(|text| text.trim().parse().ok()) {
            return Ok(id);
        }
        let id = Uuid::new_v4();
        fs::write(&path, id.to_string()).map_err(|cause| self.failed(cause))?;
        Ok(id)
    }

    fn make_room(&self, files: &mut Files, bytes: u64) -> io::Result<()> {
        if files.segments.back().is_some_and(|last| last.bytes + bytes > self.segment_bytes) {
            files.writer = None;
        }
        while files.bytes() + bytes > self.max_bytes && files.drop_oldest(&self.directory)? {}
        if files.writer.is_none() {
            files.start_segment(&self.directory)?;
        }
        Ok(())
    }

    fn files(&self) -> MutexGuard<'_, Files> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, cause: io::Error) -> SpoolError {
        SpoolError::Io { path: self.directory.clone(), cause }
    }
}

impl Files {
    fn open(directory: &Path) -> io::Result<Self> {
        let state = State::load(directory)?;
        let mut files = Self {
            segments: segment::list(directory)?.into(),
            writer: None,
            unsynced: false,
            state,
            pending: 0,
        };
        files.remove_read(directory);
        // A start after the last segment there is, even if the state file was lost.
        if let Some(first) = files.segments.front()
            && first.sequence > files.state.position.sequence
        {
            files.state.position = Position { sequence: first.sequence, offset: 0 };
        }
        let all = Batch::read(directory, files.state.position, &files.segments, usize::MAX, usize::MAX)?;
        files.pending = all.records.len() as u64;
        Ok(files)
    }

    fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }

    fn append(&mut self, frames: &[u8]) -> io::Result<()> {
        let (Some(writer), Some(last)) = (self.writer.clone(), self.segments.back_mut()) else {
            return Err(io::Error::other("no segment is open"));
        };
        if let Err(cause) = (&*writer).write_all(frames) {
            // Half a frame would hide what follows it.
            let _ = writer.set_len(last.bytes);
            self.writer = None;
            return Err(cause);
        }
        last.bytes += frames.len() as u64;
        self.unsynced = true;
        Ok(())
    }

    fn start_segment(&mut self, directory: &Path) -> io::Result<()> {
        let after = self.segments.back().map_or(self.state.position.sequence, |last| last.sequence);
        let segment = Segment { sequence: after + 1, bytes: 0 };
        self.writer =
            Some(Arc::new(File::options().create_new(true).append(true).open(segment.path(directory))?));
        self.segments.push_back(segment);
        Ok(())
    }

    /// Throws away the oldest segment with what is undelivered in it. False when there is none.
    fn drop_oldest(&mut self, directory: &Path) -> io::Result<bool> {
        let Some(oldest) = self.segments.front().copied() else { return Ok(false) };
        let from = self.state.position.offset_in(oldest.sequence);
        let lost = Frames::open(directory, oldest, from)?.count() as u64;
        if self.segments.len() == 1 {
            self.writer = None;
        }
        fs::remove_file(oldest.path(directory))?;
        self.segments.pop_front();
        self.state.dropped += lost;
        self.pending = self.pending.saturating_sub(lost);
        self.state.position = Position { sequence: oldest.sequence + 1, offset: 0 };
        self.state.save(directory)?;
        Ok(true)
    }

    /// Removes the segments before the position. A file that cannot be removed now is tried again at the next start.
    fn remove_read(&mut self, directory: &Path) {
        while let Some(read) =
            self.segments.pop_front_if(|oldest| oldest.sequence < self.state.position.sequence)
        {
            let _ = fs::remove_file(read.path(directory));
        }
    }
}

impl Batch {
    fn read(
        directory: &Path,
        start: Position,
        segments: &VecDeque<Segment>,
        max_records: usize,
        max_bytes: usize,
    ) -> io::Result<Self> {
        let mut batch = Self { records: Vec::new(), start, end: start, damaged: 0 };
        let mut bytes = 0;
        let unread = segments.iter().filter(|segment| segment.sequence >= start.sequence);
        for segment in unread {
            let mut frames = Frames::open(directory, *segment, start.offset_in(segment.sequence))?;
            while batch.records.len() < max_records && bytes < max_bytes {
                let Some(record) = frames.next() else { break };
                bytes += record.len();
                batch.records.push(record);
            }
            batch.end = Position { sequence: segment.sequence, offset: frames.offset() };
            if batch.records.len() >= max_records || bytes >= max_bytes {
                break;
            }
            let is_last = segments.back() == Some(segment);
            if frames.is_damaged() && !is_last {
                batch.damaged += 1;
            }
        }
        Ok(batch)
    }
}

#[cfg(test)]
mod tests;
