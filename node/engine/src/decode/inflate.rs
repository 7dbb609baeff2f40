//! Decompression of gzip, zlib, raw deflate and brotli, with bounded output.

use crate::budget::{Budget, Limit};
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use shared::point::Tag;
use std::io::Read;

/// Data that reaches the limit with a higher ratio is a decompression bomb.
const BOMB_RATIO: usize = 100;
/// The read buffer of the brotli decoder.
const BUFFER_BYTES: usize = 4 << 10;
/// The bytes of a bomb that are inspected.
const BOMB_BYTES: usize = 64 << 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Gzip,
    Zlib,
    /// No magic number: used only if `content-encoding` declares it.
    Deflate,
    /// No magic number either.
    Brotli,
}

/// Whether the first bytes are those of gzip or zlib.
pub(crate) fn is_compressed(bytes: &[u8]) -> bool {
    Format::detect(bytes).is_some()
}

impl Format {
    /// Whether a word names a coding that is decoded here.
    pub(crate) fn is_name(coding: &str) -> bool {
        ["gzip", "x-gzip", "deflate", "br"].iter().any(|it| coding.eq_ignore_ascii_case(it))
    }

    /// The format declared by a coding of `content-encoding`, checked against the magic number
    /// where there is one.
    pub(crate) fn named(coding: &str, bytes: &[u8]) -> Option<Self> {
        match coding.trim().to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => Self::detect(bytes).filter(|it| *it == Self::Gzip),
            "deflate" => Some(Self::detect(bytes).filter(|it| *it == Self::Zlib).unwrap_or(Self::Deflate)),
            "br" => Some(Self::Brotli),
            _ => None,
        }
    }

    /// Whether the format has a magic number.
    pub(crate) fn has_magic_number(self) -> bool {
        matches!(self, Self::Gzip | Self::Zlib)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gzip | Self::Zlib | Self::Deflate => "gzip",
            Self::Brotli => "brotli",
        }
    }

    pub(crate) fn tag(self) -> Tag {
        match self {
            Self::Gzip | Self::Zlib | Self::Deflate => Tag::Gzip,
            Self::Brotli => Tag::Brotli,
        }
    }

    /// The format given by the magic number.
    pub(crate) fn detect(bytes: &[u8]) -> Option<Self> {
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

/// Decompressed data.
pub(crate) struct Inflated {
    pub data: Vec<u8>,
    /// Whether the stream is valid to its end, and within the limit.
    pub is_whole: bool,
}

/// The valid decompressed data within the budget. `None` if that is empty.
pub(crate) fn inflate(bytes: &[u8], format: Format, budget: &mut Budget) -> Option<Vec<u8>> {
    let Inflated { data, .. } = inflate_checked(bytes, format, budget);
    (!data.is_empty()).then_some(data)
}

/// At most `limit` bytes of raw deflate data.
pub(crate) fn inflate_start(bytes: &[u8], limit: usize) -> Vec<u8> {
    let mut data = read(DeflateDecoder::new(bytes), limit).data;
    data.truncate(limit);
    data
}

/// The valid decompressed data within the budget.
pub(crate) fn inflate_checked(bytes: &[u8], format: Format, budget: &mut Budget) -> Inflated {
    let limit = budget.inflation_left();
    let mut out = match format {
        Format::Gzip => read(MultiGzDecoder::new(bytes), limit),
        Format::Zlib => read(ZlibDecoder::new(bytes), limit),
        Format::Deflate => read(DeflateDecoder::new(bytes), limit),
        Format::Brotli => read(brotli_decompressor::Decompressor::new(bytes, BUFFER_BYTES), limit),
    };
    budget.spend_inflation(out.data.len());
    if out.data.len() > limit {
        if limit / bytes.len().max(1) > BOMB_RATIO {
            budget.bomb(Limit::Inflation);
        } else {
            budget.spend_bytes(usize::MAX);
        }
        out.data.truncate(BOMB_BYTES);
    }
    out
}

/// Reads at most one byte more than the limit, which shows the caller that it was exceeded. A
/// corrupt stream gives the data before the corruption.
fn read(stream: impl Read, limit: usize) -> Inflated {
    let mut data = Vec::new();
    let read_limit = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let is_valid = stream.take(read_limit).read_to_end(&mut data).is_ok();
    Inflated { is_whole: is_valid && data.len() <= limit, data }
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
    fn truncated_data_is_decompressed() {
        let packed = gzip(b"some text");
        let mut budget = Budget::for_request();
        assert_eq!(Format::detect(&packed), Some(Format::Gzip));
        assert_eq!(inflate(&packed, Format::Gzip, &mut budget).as_deref(), Some(b"some text".as_slice()));
        let cut = &packed[..packed.len() - 6];
        assert_eq!(inflate(cut, Format::Gzip, &mut budget).as_deref(), Some(b"some text".as_slice()));
        assert_eq!(inflate(b"\x1f\x8b\x08nothing", Format::Gzip, &mut budget), None);
    }

    #[test]
    fn brotli_is_decompressed_and_its_bombs_are_detected() {
        let text = b"\x1b\x23\x00\xf8\x1d\x09\x36\x2e\x76\x7d\xb9\xa7\x54\xb3\x88\xc1\xd1\xe9\x95\x9e\xb0\x32\x05\x82\x57\x82\xc0\x93\x07\xf0\x20\x52\x33\xf4\x73\xaa\x3f\x00";
        let mut budget = Budget::for_request();
        let read = inflate(text, Format::Brotli, &mut budget);
        assert_eq!(read.as_deref(), Some(b"p=a+b and some more text, text, text".as_slice()));
        assert_eq!(budget.exhausted(), None);
        // 40 MB of zeros.
        let bomb = b"\xcb\xff\xff\x3f\xf8\x27\x00\xe2\xb1\x40\x20\xf7\xfe\x8f\xff\xff\x7f\xf0\x4f\x00\xc4\x61\x11\x80\xee\xfd\x1f\xff\xff\xff\xe0\x9f\x00\x88\xc3\x02\x00\xdd\xfb\x3f\xfe\xff\xff\xc1\x3f\x01\x10\x87\x05\x00\xba\xf7\x7f\xf9\xff\xff\x87\x7f\x02\x20\x0e\x0b\x00\x74\xef\xff\x00";
        assert_eq!(inflate(bomb, Format::Brotli, &mut budget).unwrap().len(), BOMB_BYTES);
        assert_eq!(budget.exhausted(), Some(Limit::Inflation));
    }

    #[test]
    fn many_decompressions_exhaust_the_budget() {
        let (mut budget, packed) = (Budget::for_request(), gzip(&vec![b'a'; 1 << 20]));
        let whole = || inflate(&packed, Format::Gzip, &mut budget).is_some_and(|it| it.len() == 1 << 20);
        assert_eq!(std::iter::repeat_with(whole).take(100).filter(|it| *it).count(), 32);
        assert_eq!(budget.exhausted(), Some(Limit::Bytes));
    }

    #[test]
    fn a_bomb_is_detected_and_truncated() {
        let mut budget = Budget::for_request();
        let out = inflate(&gzip(&vec![0; 40 << 20]), Format::Gzip, &mut budget).unwrap();
        assert_eq!(out.len(), BOMB_BYTES);
        assert_eq!(budget.exhausted(), Some(Limit::Inflation));
    }
}
