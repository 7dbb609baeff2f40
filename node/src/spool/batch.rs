//! A batch of records read for delivery, and the position it acknowledges.

use super::{
    frame::{Piece, Pieces},
    kind::Priority,
    segment::{Contents, Segment},
    state::SpoolOffset,
};

pub struct Batch {
    /// Each a [`shared::Record`] in JSON. Empty when the range was damaged.
    pub records: Vec<Vec<u8>>,
    pub(super) priority: Priority,
    pub(super) end: SpoolOffset,
    pub(super) contents: Contents,
}

impl Batch {
    /// Reads the start of `bytes`, found at `offset` of the segment.
    pub(super) fn read(
        priority: Priority,
        segment: Segment,
        offset: u64,
        bytes: &[u8],
        max_records: usize,
        max_bytes: usize,
    ) -> Self {
        let (mut records, mut contents, mut size) = (Vec::new(), Contents::default(), 0);
        let mut pieces = Pieces::new(bytes);
        while records.len() < max_records && size < max_bytes {
            let Some(piece) = pieces.next() else { break };
            contents.add(&piece);
            if let Piece::Record(_, record) = piece {
                size += record.len();
                records.push(record.to_vec());
            }
        }
        // The file may have been truncated: missing bytes count as read.
        let is_read = pieces.at() == bytes.len();
        let offset = if is_read { segment.bytes } else { offset + pieces.at() as u64 };
        Self { records, priority, end: SpoolOffset { sequence: segment.sequence, offset }, contents }
    }

    /// The batch of a segment whose file is missing.
    pub(super) fn lost(priority: Priority, segment: Segment, offset: u64) -> Self {
        let contents = Contents { damaged: 1, damaged_bytes: segment.bytes - offset, ..Contents::default() };
        let end = SpoolOffset { sequence: segment.sequence, offset: segment.bytes };
        Self { records: Vec::new(), priority, end, contents }
    }
}
