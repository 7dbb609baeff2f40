//! Segments: the files that hold records.

use super::{
    frame::{Piece, Pieces},
    kind::{Counts, Priority},
};
use std::{
    fs::{self, File},
    io::{self, Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
};

/// A file and its written size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segment {
    pub sequence: u64,
    pub bytes: u64,
    /// Records not settled yet.
    pub contents: Contents,
}

/// The contents of a range of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Contents {
    pub records: Counts,
    /// Malformed ranges between records.
    pub damaged: u64,
    pub damaged_bytes: u64,
}

impl Contents {
    pub(super) fn add(&mut self, piece: &Piece<'_>) {
        match piece {
            Piece::Record(kind, _) => self.records.add(*kind),
            Piece::Damage(bytes) => {
                self.damaged += 1;
                self.damaged_bytes += *bytes as u64;
            }
        }
    }
}

pub(super) fn path(directory: &Path, priority: Priority, sequence: u64) -> PathBuf {
    directory.join(format!("{}-{sequence:020}.spool", priority.file_prefix()))
}

/// The sequence numbers of a queue's files, the oldest first.
pub(super) fn list(directory: &Path, priority: Priority) -> io::Result<Vec<u64>> {
    let number = |name: &str| {
        name.strip_prefix(priority.file_prefix())?
            .strip_prefix('-')?
            .strip_suffix(".spool")?
            .parse::<u64>()
            .ok()
    };
    let mut sequences = Vec::new();
    for entry in fs::read_dir(directory)? {
        sequences.extend(entry?.file_name().to_str().and_then(number));
    }
    sequences.sort_unstable();
    Ok(sequences)
}

/// The bytes of a file from an offset to `end`. Empty when the file is shorter than the offset.
pub(super) fn read(path: &Path, offset: u64, end: u64) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::new();
    file.take(end.saturating_sub(offset)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The contents of a range of bytes.
pub(super) fn contents(bytes: &[u8]) -> Contents {
    let mut contents = Contents::default();
    for piece in Pieces::new(bytes) {
        contents.add(&piece);
    }
    contents
}
