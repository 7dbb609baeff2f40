//! Entries of ZIP archives, found by the signatures of their headers: the directory of a truncated
//! archive is missing, and that of a hostile one may differ from its entries.

use memchr::memmem;
use std::ops::Range;

/// Longer names are cut off.
const MAX_NAME: usize = 260;
/// Compression method 8.
const DEFLATE: u16 = 8;
/// The size of a field that is stored elsewhere (ZIP64).
const ELSEWHERE: u32 = u32::MAX;

/// An entry by one of its headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry<'v> {
    pub name: &'v [u8],
    /// The position of the name.
    pub span: Range<usize>,
    /// Absent for a header of the directory.
    pub content: Option<Content<'v>>,
}

/// The content of an entry, up to the end of the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Content<'v> {
    pub bytes: &'v [u8],
    pub is_deflated: bool,
}

/// The entries of all local headers and of the directory.
pub(crate) fn entries(archive: &[u8]) -> impl Iterator<Item = Entry<'_>> {
    memmem::find_iter(archive, b"PK").filter_map(|at| match archive.get(at..at + 4)? {
        b"PK\x03\x04" => local(archive, at),
        b"PK\x01\x02" => {
            let header = &archive[at..];
            named(archive, at + 46, number(header, 28)?, None)
        }
        _ => None,
    })
}

fn local(archive: &[u8], at: usize) -> Option<Entry<'_>> {
    let header = &archive[at..];
    let (name, extra) = (number(header, 26)?, number(header, 28)?);
    let bytes = archive.get(at + 30 + usize::from(name) + usize::from(extra)..).unwrap_or_default();
    let content = Content { bytes, is_deflated: number(header, 8)? == DEFLATE };
    named(archive, at + 30, name, Some(content))
}

fn named<'v>(
    archive: &'v [u8],
    start: usize,
    length: u16,
    content: Option<Content<'v>>,
) -> Option<Entry<'v>> {
    let end = (start + usize::from(length).min(MAX_NAME)).min(archive.len());
    let name = archive.get(start..end)?;
    Some(Entry { name, span: start..end, content })
}

/// The sizes that the directory declares.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Directory {
    /// All entries, decompressed.
    pub size: u64,
    /// Whether entries share compressed data, as only bombs do.
    pub overlaps: bool,
}

/// The directory at the end of a whole archive.
pub(crate) fn directory(archive: &[u8]) -> Option<Directory> {
    let end = memmem::rfind(archive, b"PK\x05\x06")?;
    let length = usize::try_from(long(&archive[end..], 12)?).ok()?;
    let mut rest = archive.get(end.checked_sub(length)?..end)?;
    let mut directory = Directory::default();
    let mut ranges = Vec::new();
    while rest.starts_with(b"PK\x01\x02") {
        let (compressed, size, offset) = (long(rest, 20)?, long(rest, 24)?, long(rest, 42)?);
        if ![compressed, size, offset].contains(&ELSEWHERE) {
            directory.size += u64::from(size);
            ranges.push((offset, compressed));
        }
        let names =
            [28, 30, 32].iter().map(|at| number(rest, *at).map(usize::from)).sum::<Option<usize>>()?;
        rest = rest.get(46 + names..)?;
    }
    ranges.sort_unstable();
    directory.overlaps = ranges.windows(2).any(|pair| {
        let (offset, compressed) = pair[0];
        u64::from(offset) + u64::from(compressed) > u64::from(pair[1].0)
    });
    Some(directory)
}

fn number(header: &[u8], at: usize) -> Option<u16> {
    header.get(at..)?.first_chunk().map(|bytes| u16::from_le_bytes(*bytes))
}

fn long(header: &[u8], at: usize) -> Option<u32> {
    header.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

/// An archive of stored entries.
#[cfg(test)]
pub(crate) fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let length = |it: usize| u32::try_from(it).unwrap().to_le_bytes();
    let mut archive = Vec::new();
    let mut headers = Vec::new();
    for (name, content) in files {
        let offset = archive.len();
        let name_length = u16::try_from(name.len()).unwrap().to_le_bytes();
        let size = [length(content.len()), length(content.len())].concat();
        archive.extend(
            [&b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0"[..], &size, &name_length, b"\0\0"].concat(),
        );
        archive.extend([name.as_bytes(), content].concat());
        headers
            .extend([&b"PK\x01\x02\x14\0\x14\0\0\0\0\0\0\0\0\0\0\0\0\0"[..], &size, &name_length].concat());
        headers.extend([&[0; 12][..], &length(offset), name.as_bytes()].concat());
    }
    let directory = [length(headers.len()), length(archive.len())].concat();
    [&archive[..], &headers, b"PK\x05\x06\0\0\0\0\0\0\0\0", &directory, b"\0\0"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_found_by_local_headers_and_in_the_directory() {
        let archive = archive(&[("a/b.txt", b"one"), ("../c", b"two")]);
        let names: Vec<_> =
            entries(&archive).map(|it| String::from_utf8_lossy(it.name).into_owned()).collect();
        assert_eq!(names, ["a/b.txt", "../c", "a/b.txt", "../c"]);
        let content = entries(&archive).next().unwrap().content.unwrap();
        assert!(content.bytes.starts_with(b"onePK") && !content.is_deflated);
        assert_eq!(directory(&archive), Some(Directory { size: 6, overlaps: false }));
        assert_eq!(directory(&archive[..50]), None);
    }

    #[test]
    fn entries_that_share_data_overlap() {
        let whole = archive(&[("a", b"one"), ("b", b"two")]);
        let second = 31 + 3;
        let at = memmem::rfind(&whole, b"PK\x01\x02").unwrap() + 42;
        assert_eq!(long(&whole, at), Some(u32::try_from(second).unwrap()));
        let hostile = [&whole[..at], &[0; 4], &whole[at + 4..]].concat();
        assert!(directory(&hostile).unwrap().overlaps);
    }

    #[test]
    fn any_bytes_are_an_archive() {
        for bytes in [
            b"PK\x03\x04".as_slice(),
            b"PK\x01\x02PK\x05\x06",
            b"PK\x05\x06\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF",
        ] {
            assert_eq!(entries(bytes).count(), 0);
            directory(bytes);
        }
    }
}
