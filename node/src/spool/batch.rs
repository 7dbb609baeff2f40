//! Records read for delivery, and the place to acknowledge.

use super::{
    frame::{Piece, Pieces},
    kind::LaneName,
    segment::{Contents, Segment},
    state::Position,
};

pub struct Batch {
    /// Each a [`shared::Record`] in JSON. None when there was nothing but damage to step over.
    pub records: Vec<Vec<u8>>,
    pub(super) lane: LaneName,
    pub(super) end: Position,
    pub(super) contents: Contents,
}

impl Batch {
    /// Reads the start of `bytes`, which stand at `offset` of the segment.
    pub(super) fn read(
        lane: LaneName,
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
        // The file may have become shorter: what is missing is no reason to wait.
        let is_read = pieces.at() == bytes.len();
        let offset = if is_read { segment.bytes } else { offset + pieces.at() as u64 };
        Self { records, lane, end: Position { sequence: segment.sequence, offset }, contents }
    }

    /// Of a segment whose file is gone.
    pub(super) fn lost(lane: LaneName, segment: Segment, offset: u64) -> Self {
        let contents = Contents { damaged: 1, damaged_bytes: segment.bytes - offset, ..Contents::default() };
        let end = Position { sequence: segment.sequence, offset: segment.bytes };
        Self { records: Vec::new(), lane, end, contents }
    }
}
