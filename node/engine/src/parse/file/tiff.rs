//! Metadata of TIFF and Exif: the texts of the first directory and of its Exif directory (TIFF 6.0;
//! Exif 2.3).

use super::Text;
use crate::decode::charset;

/// The names of the tags with texts that people write.
const TAGS: &[(u16, &str)] = &[
    (0x010E, "Description"),
    (0x010F, "Make"),
    (0x0110, "Model"),
    (0x0131, "Software"),
    (0x013B, "Artist"),
    (0x8298, "Copyright"),
    (0x9286, "Comment"),
    (0x9C9B, "Title"),
    (0x9C9C, "Comment"),
    (0x9C9D, "Author"),
    (0x9C9E, "Keywords"),
    (0x9C9F, "Subject"),
    (0xA430, "Owner"),
];
const EXIF_DIRECTORY: u16 = 0x8769;
/// Tags of Windows, in UTF-16.
const WIDE: std::ops::RangeInclusive<u16> = 0x9C9B..=0x9C9F;
/// The tag whose text begins with eight bytes for its character set.
const USER_COMMENT: u16 = 0x9286;
/// Further entries of a directory are ignored.
const MAX_ENTRIES: usize = 256;

pub(super) fn is_supported(value: &[u8]) -> bool {
    value.starts_with(b"II*\0") || value.starts_with(b"MM\0*")
}

pub(super) fn texts(value: &[u8]) -> Vec<Text> {
    let tiff = Tiff { bytes: value, is_big: value.starts_with(b"MM") };
    let mut texts = Vec::new();
    let first = tiff.long(4).and_then(|at| tiff.directory(at, &mut texts));
    if let Some(exif) = first {
        tiff.directory(exif, &mut texts);
    }
    texts
}

struct Tiff<'v> {
    bytes: &'v [u8],
    is_big: bool,
}

impl Tiff<'_> {
    /// Adds the texts of a directory. Returns the position of its Exif directory.
    fn directory(&self, at: usize, texts: &mut Vec<Text>) -> Option<usize> {
        let mut exif = None;
        let count = usize::from(self.short(at)?).min(MAX_ENTRIES);
        for entry in (0..count).map(|number| at.saturating_add(2 + 12 * number)) {
            let (tag, length) = (self.short(entry)?, self.long(entry + 4)?);
            if tag == EXIF_DIRECTORY {
                exif = self.long(entry + 8);
            }
            let Some((_, name)) = TAGS.iter().find(|(known, _)| *known == tag) else { continue };
            // Up to four bytes are in the entry itself.
            let start = if length <= 4 { Some(entry + 8) } else { self.long(entry + 8) };
            let value = start.and_then(|start| self.bytes.get(start..start.checked_add(length)?));
            if let Some(value) = value {
                texts.push(Text::new(name.as_bytes(), &text(tag, value)));
            }
        }
        exif
    }

    fn short(&self, at: usize) -> Option<u16> {
        let bytes = *self.bytes.get(at..)?.first_chunk()?;
        Some(if self.is_big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    }

    fn long(&self, at: usize) -> Option<usize> {
        let bytes = *self.bytes.get(at..)?.first_chunk()?;
        let value = if self.is_big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) };
        usize::try_from(value).ok()
    }
}

fn text(tag: u16, value: &[u8]) -> Vec<u8> {
    let text = match value {
        _ if WIDE.contains(&tag) => charset::transcode(value, false),
        [b'U', b'N', b'I', b'C', b'O', b'D', b'E', 0, rest @ ..] if tag == USER_COMMENT => {
            let is_big = rest.first() == Some(&0);
            charset::transcode(rest, is_big)
        }
        [_, _, _, _, _, _, _, _, rest @ ..] if tag == USER_COMMENT => rest.to_vec(),
        _ => value.to_vec(),
    };
    // Texts end with zeros; some cameras fill them up.
    let end = text.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    text[..end].to_vec()
}
