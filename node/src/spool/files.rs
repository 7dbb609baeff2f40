//! Both priority queues and the tally: the state that the spool's lock protects.

use super::{
    Batch, SpoolError, SpoolStats,
    frame::Frames,
    kind::{Counts, Priority},
    priority_queue::PriorityQueue,
    segment::{Contents, Segment},
    state::{State, Tally},
};
use std::{fs::File, io, path::Path, sync::Arc};

pub(super) struct Files {
    /// In the order of [`Priority::ALL`].
    queues: [PriorityQueue; 2],
    tally: Tally,
    /// The queue that was read last.
    delivered: Priority,
    is_writable: bool,
    /// Whether `state.json` is up to date.
    is_saved: bool,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) max_bytes: u64,
    pub(super) segment_bytes: u64,
}

impl Files {
    /// Opens the files of a directory. Also returns whether their state was damaged.
    pub(super) fn open(directory: &Path) -> io::Result<(Self, bool)> {
        let (state, is_damaged) = State::load(directory)?;
        let files = Self {
            queues: [
                PriorityQueue::open(directory, Priority::Low, state.monitored)?,
                PriorityQueue::open(directory, Priority::High, state.blocked)?,
            ],
            tally: state.tally,
            delivered: Priority::High,
            is_writable: true,
            is_saved: true,
        };
        Ok((files, is_damaged))
    }

    pub(super) fn append(
        &mut self,
        directory: &Path,
        limits: Limits,
        priority: Priority,
        frames: &Frames,
    ) -> Result<(), SpoolError> {
        let bytes = frames.bytes.len() as u64;
        if bytes > limits.segment_bytes {
            return Err(SpoolError::TooLarge { bytes, limit: limits.segment_bytes });
        }
        while self.bytes() + bytes > limits.max_bytes {
            if !self.make_room(priority) {
                return Err(SpoolError::Full { max_bytes: limits.max_bytes });
            }
        }
        let appended = self.queues[priority.index()].append(directory, frames, limits.segment_bytes);
        self.is_writable = appended.is_ok();
        appended.map_err(|cause| SpoolError::io(directory, cause))
    }

    /// Drops the oldest segment of this priority or a lower one. False when there is none.
    pub(super) fn make_room(&mut self, priority: Priority) -> bool {
        let dropped = self.queues[..=priority.index()].iter_mut().find_map(PriorityQueue::drop_oldest);
        if let Some(contents) = dropped {
            self.tally.dropped.full += contents.records;
            self.count_damage(contents);
        }
        dropped.is_some()
    }

    pub(super) fn count_lost(&mut self, why: &SpoolError, records: Counts) {
        let dropped = &mut self.tally.dropped;
        *match why {
            SpoolError::Full { .. } => &mut dropped.full,
            SpoolError::TooLarge { .. } => &mut dropped.too_large,
            _ => &mut dropped.unwritable,
        } += records;
        self.is_saved = false;
    }

    pub(super) fn count_rejected(&mut self) {
        self.tally.rejected += 1;
        self.is_saved = false;
    }

    fn count_damage(&mut self, contents: Contents) {
        self.tally.damaged += contents.damaged;
        self.tally.damaged_bytes += contents.damaged_bytes;
    }

    /// Where to read the next batch: queues alternate.
    pub(super) fn start_delivery(&mut self) -> Option<(Priority, Segment, u64)> {
        let order = match self.delivered {
            Priority::Low => [Priority::High, Priority::Low],
            Priority::High => [Priority::Low, Priority::High],
        };
        order.into_iter().find_map(|priority| {
            let (segment, offset) = self.queues[priority.index()].start_delivery()?;
            self.delivered = priority;
            Some((priority, segment, offset))
        })
    }

    pub(super) fn acknowledge(&mut self, batch: &Batch) {
        self.queues[batch.priority.index()].acknowledge(batch.end, batch.contents);
        self.count_damage(batch.contents);
    }

    /// The files to sync, whether the state is saved, and whether the last write succeeded.
    pub(super) fn start_sync(&mut self) -> (Vec<Arc<File>>, bool, bool) {
        let writers = self.queues.iter_mut().filter_map(PriorityQueue::unsynced).collect();
        (writers, self.is_saved, self.is_writable)
    }

    pub(super) fn set_writable(&mut self, is_writable: bool) {
        self.is_writable = is_writable;
    }

    pub(super) fn set_saved(&mut self, is_saved: bool) {
        self.is_saved = is_saved;
    }

    /// The state to save.
    pub(super) fn state(&self) -> State {
        let [monitored, blocked] = &self.queues;
        State { monitored: monitored.state(), blocked: blocked.state(), tally: self.tally }
    }

    pub(super) fn has_settled(&self) -> bool {
        self.queues.iter().any(|queue| !queue.gone().is_empty())
    }

    /// The segments of each queue whose files can be removed once the state is saved.
    pub(super) fn settled(&self) -> [Vec<u64>; 2] {
        self.queues.each_ref().map(|queue| queue.gone().to_vec())
    }

    pub(super) fn forget(&mut self, removed: &[Vec<u64>; 2]) {
        for (queue, removed) in self.queues.iter_mut().zip(removed) {
            queue.forget(removed);
        }
    }

    fn bytes(&self) -> u64 {
        self.queues.iter().map(PriorityQueue::bytes).sum()
    }

    pub(super) fn stats(&self) -> SpoolStats {
        SpoolStats {
            pending: self.queues.iter().map(PriorityQueue::pending).sum(),
            pending_bytes: self.queues.iter().map(PriorityQueue::pending_bytes).sum(),
            writable: self.is_writable,
            dropped: self.tally.dropped.total(),
            lost: self.tally,
        }
    }
}
