//! File types by content: magic numbers, and for XML, HTML and scripts the first tokens.
//!
//! A policy needs what libraries of magic numbers leave out: SVG, scripts, documents with macros, and
//! groups in which a PDF is a document and no archive.

use crate::decode::charset;
use memchr::memmem;
use std::fmt;

/// The type of a file, by its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileType {
    /// The usual extension.
    pub name: &'static str,
    pub group: FileGroup,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileGroup {
    Image,
    Audio,
    Video,
    Document,
    Archive,
    Font,
    /// Programs and scripts, and documents with macros.
    Program,
    /// Texts that browsers render as pages.
    Markup,
    Text,
    /// Data of an unknown type.
    Data,
}

/// A magic number and its position.
struct Magic(usize, &'static [u8], FileType);

macro_rules! magic_numbers {
    ($($group:ident { $($name:literal: $($at:literal $magic:literal)|+,)+ })+) => {
        &[$($($(Magic($at, $magic, FileType { name: $name, group: FileGroup::$group }),)+)+)+]
    };
}

/// Longer magic numbers precede the shorter ones that they begin with.
const MAGIC_NUMBERS: &[Magic] = magic_numbers! {
    Image {
        "png": 0 b"\x89PNG\r\n\x1a\n",
        "jpg": 0 b"\xFF\xD8\xFF",
        "gif": 0 b"GIF87a" | 0 b"GIF89a",
        "webp": 8 b"WEBPVP8",
        "avif": 4 b"ftypavif" | 4 b"ftypavis",
        "heic": 4 b"ftypheic" | 4 b"ftypheix" | 4 b"ftypmif1" | 4 b"ftyphevc",
        "tiff": 0 b"II*\0" | 0 b"MM\0*",
        "ico": 0 b"\0\0\x01\0",
        "psd": 0 b"8BPS\0",
        "bmp": 6 b"\0\0\0\0\x36\0\0\0" | 6 b"\0\0\0\0\x8A\0\0\0" | 6 b"\0\0\0\0\x7A\0\0\0",
    }
    Audio {
        "m4a": 4 b"ftypM4A",
        "mp3": 0 b"ID3\x02" | 0 b"ID3\x03" | 0 b"ID3\x04" | 0 b"\xFF\xFB" | 0 b"\xFF\xF3" | 0 b"\xFF\xF2",
        "ogg": 0 b"OggS",
        "flac": 0 b"fLaC",
        "wav": 8 b"WAVEfmt",
    }
    Video {
        "mov": 4 b"ftypqt",
        "mp4": 4 b"ftyp",
        "webm": 0 b"\x1A\x45\xDF\xA3",
        "avi": 8 b"AVI LIST",
        "mpg": 0 b"\0\0\x01\xBA" | 0 b"\0\0\x01\xB3",
    }
    Document {
        "pdf": 0 b"%PDF-",
        "rtf": 0 b"{\\rtf",
        "doc": 0 b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1",
        "ps": 0 b"%!PS",
    }
    Archive {
        "gz": 0 b"\x1F\x8B\x08",
        "bz2": 0 b"BZh91AY",
        "xz": 0 b"\xFD7zXZ\0",
        "zst": 0 b"\x28\xB5\x2F\xFD",
        "7z": 0 b"7z\xBC\xAF\x27\x1C",
        "rar": 0 b"Rar!\x1A\x07",
        "tar": 257 b"ustar",
    }
    Font {
        "woff": 0 b"wOFF",
        "woff2": 0 b"wOF2",
        "otf": 0 b"OTTO\0",
        "ttf": 0 b"\0\x01\0\0\0",
    }
    Program {
        "exe": 0 b"MZ\x90\0" | 0 b"MZP\0",
        "elf": 0 b"\x7FELF",
        "macho": 0 b"\xCF\xFA\xED\xFE" | 0 b"\xCE\xFA\xED\xFE",
        "class": 0 b"\xCA\xFE\xBA\xBE",
        "php": 0 b"<?php" | 0 b"<?=",
        "jsp": 0 b"<%",
        "sh": 0 b"#!",
    }
};

/// Entries of ZIP archives that are documents: the part of a name, and the type.
const ZIP_DOCUMENTS: &[(&[u8], FileType)] = &[
    (b"vbaProject.bin", FileType { name: "docm", group: FileGroup::Program }),
    (b"word/document.xml", FileType { name: "docx", group: FileGroup::Document }),
    (b"xl/workbook.xml", FileType { name: "xlsx", group: FileGroup::Document }),
    (b"ppt/presentation.xml", FileType { name: "pptx", group: FileGroup::Document }),
    (
        b"mimetypeapplication/vnd.oasis.opendocument.text",
        FileType { name: "odt", group: FileGroup::Document },
    ),
    (
        b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet",
        FileType { name: "ods", group: FileGroup::Document },
    ),
    (
        b"mimetypeapplication/vnd.oasis.opendocument.presentation",
        FileType { name: "odp", group: FileGroup::Document },
    ),
    (b"mimetypeapplication/epub+zip", FileType { name: "epub", group: FileGroup::Document }),
    (b"META-INF/MANIFEST.MF", FileType { name: "jar", group: FileGroup::Program }),
    (b"[Content_Types].xml", FileType { name: "docx", group: FileGroup::Document }),
];

const ZIP: FileType = FileType { name: "zip", group: FileGroup::Archive };
const SVG: FileType = FileType { name: "svg", group: FileGroup::Image };
const HTML: FileType = FileType { name: "html", group: FileGroup::Markup };
const XML: FileType = FileType { name: "xml", group: FileGroup::Markup };
const TEXT: FileType = FileType { name: "txt", group: FileGroup::Text };
const DATA: FileType = FileType { name: "data", group: FileGroup::Data };

/// The first bytes that contain the root element of an SVG image.
const HEAD: usize = 4 << 10;

impl FileType {
    /// The type of a file with this content.
    pub fn of(content: &[u8]) -> Self {
        if is_zip(content) {
            let found = ZIP_DOCUMENTS.iter().find(|(entry, _)| memmem::find(content, entry).is_some());
            return found.map_or(ZIP, |(_, file_type)| *file_type);
        }
        if let Some(file_type) = Self::by_magic_number(content) {
            return file_type;
        }
        let decoded = charset::read_detected(content);
        markup(decoded.as_deref().unwrap_or(content))
    }

    pub(crate) fn by_magic_number(content: &[u8]) -> Option<Self> {
        let is_at = |Magic(at, magic, _): &&Magic| content.get(*at..).is_some_and(|it| it.starts_with(magic));
        MAGIC_NUMBERS.iter().find(is_at).map(|Magic(_, _, file_type)| *file_type)
    }

    /// Whether this is an SVG image.
    pub(crate) fn is_svg(self) -> bool {
        self == SVG
    }
}

/// Whether the content starts as a file of a binary format other than programs and scripts.
pub(crate) fn is_binary_format(content: &[u8]) -> bool {
    let is_data =
        |it: FileType| !matches!(it.group, FileGroup::Program | FileGroup::Markup | FileGroup::Text);
    is_zip(content) || FileType::by_magic_number(content).is_some_and(is_data)
}

/// Whether the content starts as a ZIP archive.
pub(crate) fn is_zip(content: &[u8]) -> bool {
    content.starts_with(b"PK\x03\x04") || content.starts_with(b"PK\x05\x06")
}

fn markup(content: &[u8]) -> FileType {
    let head = content.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(content);
    let head = head[..head.len().min(HEAD)].trim_ascii_start().to_ascii_lowercase();
    let has = |tag: &[u8]| memmem::find(&head, tag).is_some();
    if head.starts_with(b"<") && has(b"<svg") && !has(b"<html") && !has(b"<!doctype html") {
        return SVG;
    }
    if head.starts_with(b"<?php") || head.starts_with(b"<%") {
        return FileType { name: "php", group: FileGroup::Program };
    }
    if head.starts_with(b"<?xml") {
        return if has(b"<html") { HTML } else { XML };
    }
    if head.starts_with(b"<")
        && [&b"<!doctype html"[..], b"<html", b"<head", b"<body", b"<script"].iter().any(|it| has(it))
    {
        return HTML;
    }
    let is_control = |byte: &u8| matches!(byte, 0..=8 | 14..=26 | 28..=31);
    if content.iter().any(is_control) { DATA } else { TEXT }
}

/// A type or a group of types that a policy allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AllowedType {
    Type(&'static str),
    Group(FileGroup),
}

/// The words for groups.
const GROUPS: &[(&str, FileGroup)] = &[
    ("image", FileGroup::Image),
    ("audio", FileGroup::Audio),
    ("video", FileGroup::Video),
    ("document", FileGroup::Document),
    ("archive", FileGroup::Archive),
    ("font", FileGroup::Font),
    ("text", FileGroup::Text),
];

impl AllowedType {
    /// The type or group with this name.
    pub fn parse(name: &str) -> Option<Self> {
        let group = GROUPS.iter().find(|(word, _)| *word == name).map(|(_, group)| Self::Group(*group));
        group.or_else(|| Self::names().find(|known| *known == name).map(Self::Type))
    }

    /// Whether a file of this type is allowed. An SVG image can hold scripts: only its name allows it.
    pub fn allows(self, file_type: FileType) -> bool {
        match self {
            Self::Type(name) => file_type.name == name,
            Self::Group(group) => file_type.group == group && !file_type.is_svg(),
        }
    }

    /// All names of types.
    pub fn names() -> impl Iterator<Item = &'static str> {
        let magic = MAGIC_NUMBERS.iter().map(|Magic(_, _, it)| it.name);
        let zipped = ZIP_DOCUMENTS.iter().map(|(_, it)| it.name);
        magic.chain(zipped).chain([ZIP, SVG, HTML, XML, TEXT, DATA].map(|it| it.name))
    }

    /// The names of groups.
    pub fn groups() -> impl Iterator<Item = &'static str> {
        GROUPS.iter().map(|(word, _)| *word)
    }
}

impl fmt::Display for AllowedType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Type(name) => name,
            Self::Group(group) => GROUPS.iter().find(|(_, it)| it == group).map_or("", |(word, _)| word),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_determines_the_type() {
        for (content, name) in [
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".as_slice(), "png"),
            (b"\xFF\xD8\xFF\xE0\0\x10JFIF", "jpg"),
            (b"RIFF\0\0\0\0WEBPVP8 ", "webp"),
            (b"\0\0\0\x18ftypmp42", "mp4"),
            (b"\0\0\0\x18ftypavif", "avif"),
            (b"%PDF-1.7\n", "pdf"),
            (b"PK\x03\x04 ..word/document.xml..", "docx"),
            (b"PK\x03\x04 ..word/document.xml..word/vbaProject.bin", "docm"),
            (b"PK\x03\x04 mimetypeapplication/vnd.oasis.opendocument.text", "odt"),
            (b"PK\x03\x04 notes.txt", "zip"),
            (b"\xEF\xBB\xBF<?xml version='1.0'?>\n<!-- x --><svg xmlns=''/>", "svg"),
            (b"\xFF\xFE<\0s\0v\0g\0", "svg"),
            (b"<?xml version='1.0'?><a/>", "xml"),
            (b"<!DOCTYPE html><p>an <svg>", "html"),
            (b" <?php echo 1;", "php"),
            (b"MZ\x90\0", "exe"),
            ("Gr\u{fc}\u{df}e".as_bytes(), "txt"),
            (b"\x01\x02\x03", "data"),
            (b"", "txt"),
        ] {
            assert_eq!(FileType::of(content).name, name, "{}", String::from_utf8_lossy(content));
        }
    }

    #[test]
    fn a_group_allows_its_types_but_no_svg() {
        let image = AllowedType::parse("image").unwrap();
        assert!(image.allows(FileType::of(b"GIF89a")));
        assert!(!image.allows(FileType::of(b"<svg/>")));
        assert!(AllowedType::parse("svg").unwrap().allows(FileType::of(b"<svg/>")));
        assert!(!image.allows(FileType::of(b"<?php")));
        assert_eq!(AllowedType::parse("picture"), None);
    }
}
