//! gzip, zlib and bare deflate, with an end to how much may come out.

use crate::budget::{Budget, Limit};
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use std::io::Read;

/// What grows to the limit by more than this was made to grow.
const BOMB_RATIO: usize = 100;
/// Of a bomb, this much is looked at.
const BOMB_BYTES: usize = 64 << 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Gzip,
    Zlib,
    /// Without a header, so only when a header of the request says so.
    Deflate,
}

/// Whether the first bytes are those of gzip or zlib.
pub(crate) fn is_compressed(bytes: &[u8]) -> bool {
    Format::shown(bytes).is_some()
}

impl Format {
    /// The format the data itself shows.
    pub(crate) fn shown(bytes: &[u8]) -> Option<Self> {
        match *bytes {
            [0x1F, 0x8B, 8, ..] => Some(Self::Gzip),
            [0x78, flags @ (0x01 | 0x5E | 0x9C | 0xDA), ..]
                if (0x7800 + u16::from(flags)) % 31 == 0 && bytes.len() > 8 =>
            {
                Some(Self::Zlib)
            }
            _ => None,
        }
    }
}

/// What comes out, as far as it is sound and affordable. `None` when nothing does.
pub(crate) fn inflate(bytes: &[u8], format: Format, budget: &mut Budget) -> Option<Vec<u8>> {
    let limit = budget.bytes_left() / 2;
    let mut out = match format {
        Format::Gzip => read(MultiGzDecoder::new(bytes), limit),
        Format::Zlib => read(ZlibDecoder::new(bytes), limit),
        Format::Deflate => read(DeflateDecoder::new(bytes), limit),
    };
    if out.len() > limit {
        if limit / bytes.len().max(1) > BOMB_RATIO {
            budget.bomb(Limit::Inflation);
        } else {
            budget.spend_bytes(usize::MAX);
        }
        out.truncate(BOMB_BYTES);
    }
    (!out.is_empty()).then_some(out)
}

/// Reads one byte more than the limit, so that the caller can tell. A broken stream gives what came before the break.
fn read(stream: impl Read, limit: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let _broken = stream.take(most).read_to_end(&mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn data_comes_out_even_when_cut() {
        let packed = gzip(b"some text");
        let mut budget = Budget::for_request();
        assert_eq!(Format::shown(&packed), Some(Format::Gzip));
        assert_eq!(inflate(&packed, Format::Gzip, &mut budget).as_deref(), Some(b"some text".as_slice()));
        let cut = &packed[..packed.len() - 6];
        assert_eq!(inflate(cut, Format::Gzip, &mut budget).as_deref(), Some(b"some text".as_slice()));
        assert_eq!(inflate(b"\x1f\x8b\x08nothing", Format::Gzip, &mut budget), None);
    }

    #[test]
    fn a_bomb_is_noted_and_cut() {
        let mut budget = Budget::for_request();
        let out = inflate(&gzip(&vec![0; 40 << 20]), Format::Gzip, &mut budget).unwrap();
        assert_eq!(out.len(), BOMB_BYTES);
        assert_eq!(budget.exhausted(), Some(Limit::Inflation));
    }
}
