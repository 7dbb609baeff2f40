//! `state.json`: the spool's state across restarts, apart from its segments.

use super::kind::Counts;
use crate::atomic_file;
use serde::{Deserialize, Serialize};
use std::{fs, io, path::Path};

/// The acknowledged position: the byte after the last settled record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct SpoolOffset {
    pub sequence: u64,
    pub offset: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct State {
    pub monitored: QueueState,
    pub blocked: QueueState,
    pub tally: Tally,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct QueueState {
    pub position: SpoolOffset,
    /// Settled segments whose files may still exist: neither read nor counted again.
    pub gone: Vec<u64>,
}

/// Records that did not reach the console since the spool was created.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Tally {
    pub dropped: Dropped,
    /// Records rejected by the console, kept in `rejected.jsonl`.
    pub rejected: u64,
    /// Unreadable ranges of segments, e.g. after a power loss.
    pub damaged: u64,
    pub damaged_bytes: u64,
}

/// Dropped records, by reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Dropped {
    /// The spool, or the disk, was full.
    pub full: Counts,
    /// The write failed.
    pub unwritable: Counts,
    /// The record was larger than a segment.
    pub too_large: Counts,
}

impl State {
    const FILE: &str = "state.json";

    /// Loads the state. Also returns whether it was damaged; a damaged file is renamed.
    pub(super) fn load(directory: &Path) -> io::Result<(Self, bool)> {
        let path = directory.join(Self::FILE);
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Self::default(), false)),
            read => read?,
        };
        if let Ok(state) = serde_json::from_slice(&bytes) {
            return Ok((state, false));
        }
        fs::rename(path, directory.join("state.json.damaged"))?;
        Ok((Self::default(), true))
    }

    pub(super) fn save(&self, directory: &Path) -> io::Result<()> {
        atomic_file::replace(&directory.join(Self::FILE), &[&serde_json::to_vec(self)?])
    }
}

impl Dropped {
    pub fn total(&self) -> u64 {
        self.full.total() + self.unwritable.total() + self.too_large.total()
    }
}
