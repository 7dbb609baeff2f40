//! Frames of records in a segment: a mark, the kind, the length, a CRC-32 of kind, length and
//! record, the record. Numbers have 4 bytes, little-endian.

use super::kind::{Counts, RecordKind};

const HEADER_BYTES: usize = 10;
/// Not a byte of UTF-8 text, so it marks the next record after damaged bytes.
const MARK: u8 = 0xFF;

/// Frames appended in one write.
#[derive(Default)]
pub(super) struct Frames {
    pub(super) bytes: Vec<u8>,
    pub(super) counts: Counts,
}

/// A piece of a segment.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    Record(RecordKind, &'a [u8]),
    /// Bytes up to the next valid record, or the end.
    Damage(usize),
}

/// The pieces of a segment in order. Never fails, and the pieces cover all bytes.
pub(super) struct Pieces<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Frames {
    pub(super) fn push(&mut self, kind: RecordKind, record: &[u8]) {
        let length = u32::try_from(record.len()).expect("records are bounded far below 4 GiB").to_le_bytes();
        self.bytes.extend_from_slice(&[MARK, kind.code()]);
        self.bytes.extend_from_slice(&length);
        self.bytes.extend_from_slice(&checksum(kind, length, record).to_le_bytes());
        self.bytes.extend_from_slice(record);
        self.counts.add(kind);
    }
}

impl<'a> Pieces<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The byte after the last piece.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    fn next_start(&self) -> usize {
        let rest = self.at + 1..self.bytes.len();
        rest.into_iter()
            .find(|start| self.bytes[*start] == MARK && frame(&self.bytes[*start..]).is_some())
            .unwrap_or(self.bytes.len())
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        let rest = self.bytes.get(self.at..).filter(|rest| !rest.is_empty())?;
        if let Some((kind, record)) = frame(rest) {
            self.at += HEADER_BYTES + record.len();
            return Some(Piece::Record(kind, record));
        }
        let start = self.at;
        self.at = self.next_start();
        Some(Piece::Damage(self.at - start))
    }
}

/// The frame at the start of the bytes.
fn frame(bytes: &[u8]) -> Option<(RecordKind, &[u8])> {
    let (header, rest) = bytes.split_first_chunk::<HEADER_BYTES>()?;
    let [MARK, code, l0, l1, l2, l3, c0, c1, c2, c3] = *header else { return None };
    let (kind, length) = (RecordKind::from_code(code)?, [l0, l1, l2, l3]);
    let record = rest.get(..u32::from_le_bytes(length) as usize)?;
    let is_whole = checksum(kind, length, record) == u32::from_le_bytes([c0, c1, c2, c3]);
    is_whole.then_some((kind, record))
}

fn checksum(kind: RecordKind, length: [u8; 4], record: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&[kind.code()]);
    hasher.update(&length);
    hasher.update(record);
    hasher.finalize()
}

#[cfg(test)]
mod tests;
