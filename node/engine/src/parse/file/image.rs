//! Metadata of images: comments and Exif in PNG, JPEG, GIF, `WebP` and TIFF.

use super::{MAX_TEXT, Text, tiff};
use flate2::read::ZlibDecoder;
use std::io::Read;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
const JPEG: &[u8] = b"\xFF\xD8\xFF";
const EXIF: &[u8] = b"Exif\0\0";
/// Further texts of a PNG image are not read: each takes a decompression.
const MAX_CHUNKS: usize = 1_000;
/// Keys of drawings that editors embed in their exported images.
const DRAWINGS: [&[u8]; 3] = [b"application/vnd.excalidraw+json", b"mxGraphModel", b"mxfile"];

pub(super) fn is_supported(value: &[u8]) -> bool {
    value.starts_with(PNG)
        || value.starts_with(JPEG)
        || is_gif(value)
        || is_webp(value)
        || tiff::is_supported(value)
}

pub(super) fn texts(value: &[u8]) -> Vec<Text> {
    if let Some(chunks) = value.strip_prefix(PNG) {
        png(chunks)
    } else if value.starts_with(JPEG) {
        jpeg(&value[2..])
    } else if is_gif(value) {
        gif(value)
    } else if is_webp(value) {
        webp(&value[12..])
    } else {
        tiff::texts(value)
    }
}

fn is_gif(value: &[u8]) -> bool {
    value.starts_with(b"GIF87a") || value.starts_with(b"GIF89a")
}

fn is_webp(value: &[u8]) -> bool {
    value.starts_with(b"RIFF") && value.get(8..12) == Some(b"WEBP")
}

/// Chunks: a length, a type, data, a checksum.
fn png(mut rest: &[u8]) -> Vec<Text> {
    let mut texts = Vec::new();
    while let Some((head, after)) = rest.split_first_chunk::<8>().filter(|_| texts.len() < MAX_CHUNKS) {
        let [a, b, c, d, kind @ ..] = *head;
        let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
        let data = &after[..length.min(after.len())];
        match &kind {
            b"tEXt" => texts.extend(keyed(data).map(|(key, text)| Text::new(key, text))),
            b"zTXt" => texts.extend(keyed(data).map(|(key, text)| Text::new(key, &inflated(text.get(1..))))),
            b"iTXt" => texts.extend(international(data)),
            b"eXIf" => texts.extend(tiff::texts(data)),
            _ => {}
        }
        rest = after.get(length.saturating_add(4)..).unwrap_or_default();
    }
    texts.retain(|text| !DRAWINGS.contains(&&*text.name));
    texts
}

fn keyed(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr::memchr(0, data)?;
    Some((&data[..end], &data[end + 1..]))
}

/// A key, whether the text is compressed, the method, the language, the translated key, the text.
fn international(data: &[u8]) -> Option<Text> {
    let (key, rest) = keyed(data)?;
    let (flags, rest) = rest.split_first_chunk::<2>()?;
    let (_, text) = keyed(keyed(rest)?.1)?;
    Some(if flags[0] == 0 { Text::new(key, text) } else { Text::new(key, &inflated(Some(text))) })
}

/// One byte more than the longest text, so that a longer one is recognized.
fn inflated(data: Option<&[u8]>) -> Vec<u8> {
    let mut text = Vec::new();
    let limit = u64::try_from(MAX_TEXT).unwrap_or(u64::MAX) + 1;
    let _corrupt = ZlibDecoder::new(data.unwrap_or_default()).take(limit).read_to_end(&mut text);
    text
}

/// Segments before the pixels: a marker, a length, data.
fn jpeg(mut rest: &[u8]) -> Vec<Text> {
    const START_OF_SCAN: u8 = 0xDA;
    let mut texts = Vec::new();
    while let [0xFF, marker, high, low, after @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low])).saturating_sub(2);
        let data = &after[..length.min(after.len())];
        match *marker {
            START_OF_SCAN => break,
            0xFE => texts.push(Text::new(b"Comment", data)),
            0xE1 => texts.extend(data.strip_prefix(EXIF).map(tiff::texts).into_iter().flatten()),
            _ => {}
        }
        rest = after.get(length..).unwrap_or_default();
    }
    texts
}

/// Comment extensions: `!`, 0xFE, blocks with a length each. Pixels contain these bytes by chance.
fn gif(value: &[u8]) -> Vec<Text> {
    let starts = memchr::memmem::find_iter(value, b"!\xFE").take(super::MAX_TEXTS);
    let comments = starts.map(|at| blocks(&value[at + 2..]));
    comments
        .filter(|text| std::str::from_utf8(text).is_ok())
        .map(|text| Text::new(b"Comment", &text))
        .collect()
}

fn blocks(mut rest: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    while let Some((length @ 1..=255, after)) = rest.split_first() {
        let length = usize::from(*length).min(after.len());
        text.extend_from_slice(&after[..length]);
        if text.len() > MAX_TEXT {
            break;
        }
        rest = &after[length..];
    }
    text
}

/// Chunks: a type, a length, data of even length.
fn webp(mut rest: &[u8]) -> Vec<Text> {
    let mut texts = Vec::new();
    while let Some((head, after)) = rest.split_first_chunk::<8>() {
        let [kind @ .., a, b, c, d] = *head;
        let length = usize::try_from(u32::from_le_bytes([a, b, c, d])).unwrap_or(usize::MAX);
        if kind == *b"EXIF" {
            let data = &after[..length.min(after.len())];
            texts.extend(tiff::texts(data.strip_prefix(EXIF).unwrap_or(data)));
        }
        rest = after.get(length.saturating_add(length % 2)..).unwrap_or_default();
    }
    texts
}
