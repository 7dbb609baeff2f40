//! What the spool remembers across restarts beside its segments.

use serde::{Deserialize, Serialize};
use std::{fs, io, path::Path};

/// How far the console has acknowledged: the byte after the last settled record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Position {
    pub sequence: u64,
    pub offset: u64,
}

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(super) struct State {
    pub position: Position,
    pub dropped: u64,
    pub rejected: u64,
    pub damaged: u64,
}

impl Position {
    /// Where to read on in a segment.
    pub(super) fn offset_in(self, sequence: u64) -> u64 {
        if self.sequence == sequence { self.offset } else { 0 }
    }
}

impl State {
    const FILE: &str = "state.json";

    pub(super) fn load(directory: &Path) -> io::Result<Self> {
        match fs::read(directory.join(Self::FILE)) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error),
        }
    }

    /// Replaces the file in one step, so that a kill leaves the old or the new one.
    pub(super) fn save(&self, directory: &Path) -> io::Result<()> {
        let fresh = directory.join("state.json.new");
        fs::write(&fresh, serde_json::to_vec(self)?)?;
        fs::rename(fresh, directory.join(Self::FILE))
    }
}
