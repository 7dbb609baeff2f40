//! The journal: which requests were counted, so that neither a kill nor a repeated record counts a
//! request twice.
//!
//! The requests of a batch and their counts are written with one `write(2)`, after their hits and
//! before the counts go to the spool. After a kill, the last counts go to the spool again; the
//! console recognizes them by their sequence. Requests that connectors send are written with a
//! delay: a kill may lose the last of them, which then count as inspected from the log.
//!
//! A frame is its length and a CRC-32 of the rest (4 bytes each), a time in milliseconds (8), the
//! number of requests (4), the requests (8 each), and the counts in JSON, if any; little-endian.

use super::CoverageCounts;
use crate::recent::{Entry, RecentRequests};
use jiff::Timestamp;
use shared::CoverageRecord;
use std::{
    fs::{self, File},
    io::{self, Write as _},
    mem,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};
use tracing::warn;
use uuid::Uuid;

#[derive(Debug)]
pub struct Journal {
    state: Mutex<JournalState>,
    /// Requests of connectors that are not written. Apart from the state: a request of a visitor does
    /// not wait for a disk.
    buffered: Mutex<Vec<Entry>>,
}

#[derive(Debug)]
pub struct JournalState {
    directory: PathBuf,
    /// Requests of a file.
    capacity: usize,
    /// Of the counts. Each journal has its own sequence.
    source: Uuid,
    sequence: u64,
    /// Counts that may not be in the spool.
    unspooled: Option<CoverageRecord>,
    writer: Option<File>,
    young: Written,
}

/// What the younger file holds.
#[derive(Debug, Default)]
struct Written {
    bytes: u64,
    requests: usize,
    since: Option<Timestamp>,
}

const YOUNG: &str = "log-requests.journal";
const OLD: &str = "log-requests.old.journal";
const HEAD_BYTES: usize = 8;
/// Time and number of requests.
const FIXED_BYTES: usize = 12;
/// Counts of many small batches take more than their requests.
const MAX_COUNT_BYTES: u64 = 64 << 20;
/// Further requests are not remembered across a restart: the disk is not writable.
const MAX_BUFFERED: usize = 500_000;

impl Journal {
    /// Opens the files of a directory, and remembers their requests. Each of two files has half of
    /// `capacity`, as the generations of [`RecentRequests`].
    pub fn open(directory: &Path, capacity: usize, recent: &RecentRequests) -> io::Result<Self> {
        let (mut last, mut is_damaged, mut young) = (None, false, Written::default());
        for name in [OLD, YOUNG] {
            let bytes = match fs::read(directory.join(name)) {
                Err(cause) if cause.kind() == io::ErrorKind::NotFound => Vec::new(),
                read => read?,
            };
            young = Written::default();
            let mut rest = &bytes[..];
            while let Some((frame, after)) = Frame::read(rest) {
                for entry in &frame.entries {
                    recent.record(*entry, frame.at);
                }
                young.add(rest.len() - after.len(), &frame.entries, frame.at);
                last = frame.counts.or(last);
                rest = after;
            }
            if !rest.is_empty() {
                is_damaged = true;
                warn!("{name}: {} bytes are damaged; their requests may count again", rest.len());
            }
        }
        // A damaged part may hold counts of a higher sequence: a new source has none.
        let known = last.as_ref().filter(|_| !is_damaged);
        let (source, sequence) =
            known.map_or_else(|| (Uuid::new_v4(), 0), |last| (last.source, last.sequence));
        let state = JournalState {
            directory: directory.to_owned(),
            capacity: (capacity / 2).max(1),
            source,
            sequence,
            unspooled: last,
            writer: None,
            young,
        };
        Ok(Self { state: Mutex::new(state), buffered: Mutex::default() })
    }

    /// Remembers a request of a connector across restarts.
    pub fn record_connector(&self, entry: Entry) {
        let mut buffered = self.buffered();
        if buffered.len() < MAX_BUFFERED {
            buffered.push(entry);
        }
    }

    /// Writes the requests of connectors.
    pub fn flush(&self, now: Timestamp) -> io::Result<()> {
        let entries = mem::take(&mut *self.buffered());
        if entries.is_empty() {
            return Ok(());
        }
        let written = self.lock().write(&entries, None, now);
        if written.is_err() {
            self.buffered().extend(entries);
        }
        written
    }

    pub fn lock(&self) -> MutexGuard<'_, JournalState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn buffered(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.buffered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl JournalState {
    /// Writes requests of a log and their counts, which then wait for the spool. The counts before
    /// must be in the spool.
    pub fn append(&mut self, entries: &[Entry], counts: CoverageCounts, now: Timestamp) -> io::Result<()> {
        let counts = counts.into_counts();
        let counts =
            CoverageRecord { source: self.source, sequence: self.sequence.saturating_add(1), counts };
        self.write(entries, Some(&counts), now)?;
        self.sequence = counts.sequence;
        self.unspooled = Some(counts);
        Ok(())
    }

    /// Counts that may not be in the spool.
    pub fn unspooled(&self) -> Option<&CoverageRecord> {
        self.unspooled.as_ref()
    }

    /// The counts are in the spool.
    pub fn spooled(&mut self) {
        self.unspooled = None;
    }

    fn write(
        &mut self,
        entries: &[Entry],
        counts: Option<&CoverageRecord>,
        now: Timestamp,
    ) -> io::Result<()> {
        let is_old =
            self.young.since.is_some_and(|since| now.duration_since(since) >= RecentRequests::WINDOW);
        let max_bytes = MAX_COUNT_BYTES.saturating_add(8 * self.capacity as u64);
        if is_old || self.young.requests >= self.capacity || self.young.bytes >= max_bytes {
            self.rotate()?;
        }
        let frame = Frame::bytes(entries, counts, now)?;
        let path = self.directory.join(YOUNG);
        let writer = match &mut self.writer {
            Some(writer) => writer,
            none => {
                let file = File::options().create(true).append(true).open(path)?;
                if file.metadata()?.len() < self.young.bytes {
                    self.young = Written::default();
                }
                // Damage, or a part of a frame.
                file.set_len(self.young.bytes)?;
                none.insert(file)
            }
        };
        if let Err(cause) = writer.write_all(&frame) {
            self.writer = None;
            return Err(cause);
        }
        self.young.add(frame.len(), entries, now);
        Ok(())
    }

    fn rotate(&mut self) -> io::Result<()> {
        self.writer = None;
        match fs::rename(self.directory.join(YOUNG), self.directory.join(OLD)) {
            // Removed from outside.
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
            renamed => renamed?,
        }
        self.young = Written::default();
        Ok(())
    }
}

impl Written {
    fn add(&mut self, bytes: usize, entries: &[Entry], at: Timestamp) {
        self.bytes += bytes as u64;
        self.requests += entries.len();
        self.since.get_or_insert(at);
    }
}

struct Frame {
    at: Timestamp,
    entries: Vec<Entry>,
    counts: Option<CoverageRecord>,
}

impl Frame {
    fn bytes(entries: &[Entry], counts: Option<&CoverageRecord>, at: Timestamp) -> io::Result<Vec<u8>> {
        let number = u32::try_from(entries.len()).map_err(io::Error::other)?;
        let mut frame = vec![0; HEAD_BYTES];
        frame.extend_from_slice(&at.as_millisecond().to_le_bytes());
        frame.extend_from_slice(&number.to_le_bytes());
        frame.extend(entries.iter().flat_map(|entry| entry.to_bytes()));
        if let Some(counts) = counts {
            serde_json::to_writer(&mut frame, counts)?;
        }
        let (head, payload) = frame.split_at_mut(HEAD_BYTES);
        let length = u32::try_from(payload.len()).map_err(io::Error::other)?;
        let (first, second) = head.split_at_mut(HEAD_BYTES / 2);
        first.copy_from_slice(&length.to_le_bytes());
        second.copy_from_slice(&crc32fast::hash(payload).to_le_bytes());
        Ok(frame)
    }

    /// The first frame, and the bytes after it. `None` if it is not whole.
    fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let (checksum, rest) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let (payload, after) = rest.split_at_checked(length).filter(|_| length >= FIXED_BYTES)?;
        if crc32fast::hash(payload) != u32::from_le_bytes(*checksum) {
            return None;
        }
        let (at, payload) = payload.split_first_chunk::<8>()?;
        let (number, payload) = payload.split_first_chunk::<4>()?;
        let number = usize::try_from(u32::from_le_bytes(*number)).ok()?;
        let (entries, counts) = payload.split_at_checked(number.checked_mul(8)?)?;
        let (entries, []) = entries.as_chunks::<8>() else { return None };
        let counts = if counts.is_empty() { None } else { Some(serde_json::from_slice(counts).ok()?) };
        let at = Timestamp::from_millisecond(i64::from_le_bytes(*at)).ok()?;
        let entries = entries.iter().map(|entry| Entry::from_bytes(*entry)).collect();
        Some((Self { at, entries, counts }, after))
    }
}
