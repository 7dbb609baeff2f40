//! Both lanes and the counts: what the spool's lock protects.

use super::{
    Batch, SpoolError, SpoolStats,
    frame::Frames,
    kind::{Counts, LaneName},
    lane::Lane,
    segment::{Contents, Segment},
    state::{State, Tally},
};
use std::{fs::File, io, path::Path, sync::Arc};

pub(super) struct Files {
    /// As in [`LaneName::ALL`].
    lanes: [Lane; 2],
    tally: Tally,
    /// The lane that was read last.
    delivered: LaneName,
    is_writable: bool,
    /// Whether `state.json` says what is true.
    is_saved: bool,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) max_bytes: u64,
    pub(super) segment_bytes: u64,
}

impl Files {
    /// The files of a directory, and whether their state had to be given up.
    pub(super) fn open(directory: &Path) -> io::Result<(Self, bool)> {
        let (state, is_damaged) = State::load(directory)?;
        let files = Self {
            lanes: [
                Lane::open(directory, LaneName::Monitored, state.monitored)?,
                Lane::open(directory, LaneName::Blocked, state.blocked)?,
            ],
            tally: state.tally,
            delivered: LaneName::Blocked,
            is_writable: true,
            is_saved: true,
        };
        Ok((files, is_damaged))
    }

    pub(super) fn append(
        &mut self,
        directory: &Path,
        limits: Limits,
        lane: LaneName,
        frames: &Frames,
    ) -> Result<(), SpoolError> {
        let bytes = frames.bytes.len() as u64;
        if bytes > limits.segment_bytes {
            return Err(SpoolError::TooLarge(bytes));
        }
        while self.bytes() + bytes > limits.max_bytes {
            if !self.make_room(lane) {
                return Err(SpoolError::Full);
            }
        }
        let appended = self.lanes[lane.index()].append(directory, frames, limits.segment_bytes);
        self.is_writable = appended.is_ok();
        appended.map_err(|cause| SpoolError::io(directory, cause))
    }

    /// Throws away the oldest segment that has to give way to a record of this lane. False when there is none.
    pub(super) fn make_room(&mut self, lane: LaneName) -> bool {
        let dropped = self.lanes[..=lane.index()].iter_mut().find_map(Lane::drop_oldest);
        if let Some(contents) = dropped {
            self.tally.dropped.full += contents.records;
            self.count_damage(contents);
        }
        dropped.is_some()
    }

    pub(super) fn count_lost(&mut self, why: &SpoolError, records: Counts) {
        let dropped = &mut self.tally.dropped;
        *match why {
            SpoolError::Full => &mut dropped.full,
            SpoolError::TooLarge(_) => &mut dropped.too_large,
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

    /// Where to read the next batch: lanes take turns.
    pub(super) fn start_delivery(&mut self) -> Option<(LaneName, Segment, u64)> {
        let order = match self.delivered {
            LaneName::Monitored => [LaneName::Blocked, LaneName::Monitored],
            LaneName::Blocked => [LaneName::Monitored, LaneName::Blocked],
        };
        order.into_iter().find_map(|lane| {
            let (segment, offset) = self.lanes[lane.index()].start_delivery()?;
            self.delivered = lane;
            Some((lane, segment, offset))
        })
    }

    pub(super) fn acknowledge(&mut self, batch: &Batch) {
        self.lanes[batch.lane.index()].acknowledge(batch.end, batch.contents);
        self.count_damage(batch.contents);
    }

    /// What is to be synced, whether the state is saved, and whether writing worked last.
    pub(super) fn start_sync(&mut self) -> (Vec<Arc<File>>, bool, bool) {
        let writers = self.lanes.iter_mut().filter_map(Lane::unsynced).collect();
        (writers, self.is_saved, self.is_writable)
    }

    pub(super) fn set_writable(&mut self, is_writable: bool) {
        self.is_writable = is_writable;
    }

    pub(super) fn set_saved(&mut self, is_saved: bool) {
        self.is_saved = is_saved;
    }

    /// The state as it is to be saved.
    pub(super) fn state(&self) -> State {
        let [monitored, blocked] = &self.lanes;
        State { monitored: monitored.state(), blocked: blocked.state(), tally: self.tally }
    }

    pub(super) fn has_settled(&self) -> bool {
        self.lanes.iter().any(|lane| !lane.gone().is_empty())
    }

    /// The segments of each lane whose files may be removed, once the state is saved.
    pub(super) fn settled(&self) -> [Vec<u64>; 2] {
        self.lanes.each_ref().map(|lane| lane.gone().to_vec())
    }

    pub(super) fn forget(&mut self, removed: &[Vec<u64>; 2]) {
        for (lane, removed) in self.lanes.iter_mut().zip(removed) {
            lane.forget(removed);
        }
    }

    fn bytes(&self) -> u64 {
        self.lanes.iter().map(Lane::bytes).sum()
    }

    pub(super) fn stats(&self) -> SpoolStats {
        SpoolStats {
            pending: self.lanes.iter().map(Lane::pending).sum(),
            pending_bytes: self.lanes.iter().map(Lane::pending_bytes).sum(),
            writable: self.is_writable,
            dropped: self.tally.dropped.total(),
            lost: self.tally,
        }
    }
}
