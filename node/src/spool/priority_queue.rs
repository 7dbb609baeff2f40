//! A queue of records in segments: appended to the last, delivered from the first.

use super::{
    frame::Frames,
    kind::Priority,
    segment::{self, Contents, Segment},
    state::{QueueState, SpoolOffset},
};
use std::{
    cmp::Ordering,
    collections::VecDeque,
    fs::{self, File},
    io::{self, Write as _},
    path::Path,
    sync::Arc,
};

pub(super) struct PriorityQueue {
    priority: Priority,
    /// The oldest first.
    segments: VecDeque<Segment>,
    /// The last segment, open for appending.
    writer: Option<Arc<File>>,
    unsynced: bool,
    position: SpoolOffset,
    /// Settled segments whose files have to be removed.
    gone: Vec<u64>,
    /// The segment being delivered. It must not be dropped meanwhile: its records may have arrived.
    in_delivery: Option<u64>,
    next_sequence: u64,
}

impl PriorityQueue {
    pub(super) fn open(directory: &Path, priority: Priority, state: QueueState) -> io::Result<Self> {
        let QueueState { position, gone } = state;
        let mut queue = Self {
            priority,
            segments: VecDeque::new(),
            writer: None,
            unsynced: false,
            next_sequence: position.sequence + 1,
            position,
            gone: Vec::new(),
            in_delivery: None,
        };
        for sequence in segment::list(directory, priority)? {
            queue.next_sequence = queue.next_sequence.max(sequence + 1);
            if sequence < position.sequence || gone.contains(&sequence) {
                queue.gone.push(sequence);
            } else {
                queue.segments.push_back(queue.scan(directory, sequence)?);
            }
        }
        queue.retire();
        Ok(queue)
    }

    fn scan(&self, directory: &Path, sequence: u64) -> io::Result<Segment> {
        let path = segment::path(directory, self.priority, sequence);
        let bytes = fs::metadata(&path)?.len();
        let unread = segment::read(&path, self.offset_in(sequence), bytes)?;
        Ok(Segment { sequence, bytes, contents: segment::contents(&unread) })
    }

    pub(super) fn state(&self) -> QueueState {
        QueueState { position: self.position, gone: self.gone.clone() }
    }

    pub(super) fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }

    pub(super) fn pending(&self) -> u64 {
        self.segments.iter().map(|segment| segment.contents.records.total()).sum()
    }

    pub(super) fn pending_bytes(&self) -> u64 {
        self.segments
            .iter()
            .map(|segment| segment.bytes.saturating_sub(self.offset_in(segment.sequence)))
            .sum()
    }

    /// The offset of the next unread byte of a segment.
    fn offset_in(&self, sequence: u64) -> u64 {
        match sequence.cmp(&self.position.sequence) {
            Ordering::Less => u64::MAX,
            Ordering::Equal => self.position.offset,
            Ordering::Greater => 0,
        }
    }

    /// Appends in one write, to a new segment when the last would grow beyond `segment_bytes`.
    pub(super) fn append(&mut self, directory: &Path, frames: &Frames, segment_bytes: u64) -> io::Result<()> {
        let bytes = frames.bytes.len() as u64;
        if self.segments.back().is_some_and(|last| last.bytes + bytes > segment_bytes) {
            self.writer = None;
        }
        let writer = match &self.writer {
            Some(writer) => writer.clone(),
            None => self.start_segment(directory)?,
        };
        let Some(last) = self.segments.back_mut() else {
            return Err(io::Error::other("no segment is open"));
        };
        if let Err(cause) = (&*writer).write_all(&frames.bytes) {
            // Removes a partly written frame.
            if writer.set_len(last.bytes).is_err() {
                self.writer = None;
            }
            return Err(cause);
        }
        last.bytes += bytes;
        last.contents.records += frames.counts;
        self.unsynced = true;
        Ok(())
    }

    fn start_segment(&mut self, directory: &Path) -> io::Result<Arc<File>> {
        // An empty segment is reused: a disk that accepts files but no bytes would fill with them.
        let empty = self.segments.back().filter(|last| last.bytes == 0).map(|last| last.sequence);
        let sequence = empty.unwrap_or(self.next_sequence);
        let path = segment::path(directory, self.priority, sequence);
        let file = Arc::new(File::options().create(true).append(true).open(path)?);
        if empty.is_some() {
            file.set_len(0)?;
        } else {
            self.next_sequence += 1;
            self.segments.push_back(Segment { sequence, bytes: 0, contents: Contents::default() });
        }
        self.writer = Some(file.clone());
        Ok(file)
    }

    /// The file with records to sync, if any.
    pub(super) fn unsynced(&mut self) -> Option<Arc<File>> {
        std::mem::take(&mut self.unsynced).then(|| self.writer.clone()).flatten()
    }

    /// Removes the oldest segment that is not being delivered.
    pub(super) fn drop_oldest(&mut self) -> Option<Contents> {
        let is_removable =
            |segment: &Segment| segment.bytes > 0 && self.in_delivery != Some(segment.sequence);
        let index = self.segments.iter().position(is_removable)?;
        if index + 1 == self.segments.len() {
            self.writer = None;
        }
        let dropped = self.segments.remove(index)?;
        self.gone.push(dropped.sequence);
        Some(dropped.contents)
    }

    /// The oldest segment with unread records, and their offset. Not dropped until the next call.
    pub(super) fn start_delivery(&mut self) -> Option<(Segment, u64)> {
        let unread = |segment: &&Segment| self.offset_in(segment.sequence) < segment.bytes;
        let segment = self.segments.iter().find(unread).copied();
        self.in_delivery = segment.map(|segment| segment.sequence);
        segment.map(|segment| (segment, self.offset_in(segment.sequence)))
    }

    /// Settles everything up to `end`, with these contents.
    pub(super) fn acknowledge(&mut self, end: SpoolOffset, settled: Contents) {
        self.in_delivery = None;
        self.position = end;
        if let Some(segment) = self.segments.iter_mut().find(|segment| segment.sequence == end.sequence) {
            segment.contents.records -= settled.records;
            if end.offset >= segment.bytes {
                segment.contents = Contents::default();
            }
        }
        self.retire();
    }

    /// Retires segments that are read to their end and get no more records.
    fn retire(&mut self) {
        while let Some(first) = self.segments.front().copied() {
            let is_written = self.writer.is_some() && self.segments.len() == 1;
            if is_written || self.offset_in(first.sequence) < first.bytes {
                return;
            }
            self.segments.pop_front();
            self.gone.push(first.sequence);
        }
    }

    /// The settled segments whose files have to be removed.
    pub(super) fn gone(&self) -> &[u64] {
        &self.gone
    }

    pub(super) fn forget(&mut self, removed: &[u64]) {
        self.gone.retain(|sequence| !removed.contains(sequence));
    }
}
