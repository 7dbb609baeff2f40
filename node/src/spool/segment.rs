//! Segment files and the frames in them: length, CRC-32 of the record, record; both numbers 4 bytes, little-endian.

use std::{
    fs::{self, File},
    io::{self, BufReader, Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
};

const HEADER_BYTES: u64 = 8;

/// One file, and how much of it is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segment {
    pub sequence: u64,
    pub bytes: u64,
}

impl Segment {
    pub(super) fn path(self, directory: &Path) -> PathBuf {
        directory.join(format!("{:020}.spool", self.sequence))
    }
}

/// The segments in a directory, the oldest first.
pub(super) fn list(directory: &Path) -> io::Result<Vec<Segment>> {
    let mut segments = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let sequence = name.to_str().and_then(|name| name.strip_suffix(".spool")?.parse().ok());
        if let Some(sequence) = sequence {
            segments.push(Segment { sequence, bytes: entry.metadata()?.len() });
        }
    }
    segments.sort_unstable_by_key(|segment| segment.sequence);
    Ok(segments)
}

pub(super) fn push_frame(frames: &mut Vec<u8>, record: &[u8]) {
    let length = u32::try_from(record.len()).expect("records are bounded far below 4 GiB");
    frames.extend_from_slice(&length.to_le_bytes());
    frames.extend_from_slice(&crc32fast::hash(record).to_le_bytes());
    frames.extend_from_slice(record);
}

/// The records of a segment from an offset on, up to its end or the first byte that cannot be trusted.
pub(super) struct Frames {
    file: BufReader<File>,
    segment: Segment,
    offset: u64,
}

impl Frames {
    pub(super) fn open(directory: &Path, segment: Segment, offset: u64) -> io::Result<Self> {
        let mut file = BufReader::new(File::open(segment.path(directory))?);
        file.seek(SeekFrom::Start(offset))?;
        Ok(Self { file, segment, offset })
    }

    /// The byte after the last whole record that was read.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether bytes are left over that are no record; to be asked at the end.
    pub(super) fn is_damaged(&self) -> bool {
        self.offset < self.segment.bytes
    }

    fn read(&mut self) -> Option<Vec<u8>> {
        let (length, checksum) = (self.number()?, self.number()?);
        let end = self.offset + HEADER_BYTES + u64::from(length);
        if end > self.segment.bytes {
            return None;
        }
        let mut record = vec![0; length as usize];
        self.file.read_exact(&mut record).ok()?;
        if crc32fast::hash(&record) != checksum {
            return None;
        }
        self.offset = end;
        Some(record)
    }

    fn number(&mut self) -> Option<u32> {
        let mut bytes = [0; 4];
        self.file.read_exact(&mut bytes).ok()?;
        Some(u32::from_le_bytes(bytes))
    }
}

impl Iterator for Frames {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        self.read()
    }
}
