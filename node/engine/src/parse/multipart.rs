//! Multipart parser: splits the body at each declared boundary that occurs, else at that of its
//! first line.
//!
//! Parsers that choose different boundaries see different parts; all of them are inspected. A part
//! is a file only if each parser sees a file; otherwise it is inspected as a field as well.

mod disposition;
mod head;

use super::{Sink, form::Parameter, malformed};
use crate::point_path::PointPath;
use disposition::Disposition;
use memchr::memmem;
use shared::point::Tag;
use std::ops::Range;

/// Further boundaries in a content type are an overlimit.
const MAX_BOUNDARIES: usize = 4;
/// RFC 2046 allows 70; a part begins at the start of a longer one, too.
const MAX_BOUNDARY_BYTES: usize = 256;
/// The most levels of multipart parts inside multipart parts.
const MAX_NESTED: usize = 4;

/// A part of a multipart body.
pub struct Part<'a> {
    /// Empty if no blank line separates it from the content.
    pub head: &'a [u8],
    /// The place of the part in the body, after its delimiter.
    pub span: Range<usize>,
    /// The place of the content in the body.
    pub content: Range<usize>,
}

/// Adds every part. `false` when the body contains no boundary.
pub(super) fn parse<'a>(
    body: &'a [u8],
    content_type: &str,
    root: PointPath,
    sink: &mut Sink<'a, '_>,
) -> bool {
    parse_at_depth(body, content_type, root, MAX_NESTED, sink)
}

/// Whether the content type declares parts.
pub fn is_declared(content_type: &str) -> bool {
    const TYPE: &str = "multipart/";
    content_type.trim_start().get(..TYPE.len()).is_some_and(|it| it.eq_ignore_ascii_case(TYPE))
}

/// Whether a declared body cannot be split into parts.
pub(super) fn is_malformed(body: &[u8], content_type: &str) -> bool {
    malformed::is_broken_multipart(body, declared(content_type).first().map(Vec::as_slice))
}

fn parse_at_depth<'a>(
    body: &'a [u8],
    content_type: &str,
    root: PointPath,
    depth: usize,
    sink: &mut Sink<'a, '_>,
) -> bool {
    let mut boundaries = boundaries(content_type, body);
    if boundaries.len() > MAX_BOUNDARIES {
        sink.budget.too_deep();
        boundaries.truncate(MAX_BOUNDARIES);
    }
    for boundary in &boundaries {
        parse_parts(body, boundary, root, depth, sink);
    }
    !boundaries.is_empty()
}

/// The declared boundaries that occur, else the one the body starts with.
pub fn boundaries(content_type: &str, body: &[u8]) -> Vec<Vec<u8>> {
    let mut boundaries = declared(content_type);
    boundaries.retain(|boundary| memmem::find(body, &delimiter(boundary)).is_some());
    if boundaries.is_empty() { detected(body).into_iter().collect() } else { boundaries }
}

fn detected(body: &[u8]) -> Option<Vec<u8>> {
    let line = body.split(|&byte| byte == b'\n').next()?.trim_ascii_end();
    let boundary = line.strip_prefix(b"--").filter(|it| (1..=200).contains(&it.len()))?;
    let has_part = memmem::find(body, b"ontent-").is_some() || memmem::find(body, b"ONTENT-").is_some();
    has_part.then(|| boundary.to_vec())
}

fn delimiter(boundary: &[u8]) -> Vec<u8> {
    [b"--", boundary].concat()
}

/// The boundaries of a content type, at most one more than the limit.
pub(super) fn declared(content_type: &str) -> Vec<Vec<u8>> {
    let lower = content_type.to_ascii_lowercase();
    let mut boundaries: Vec<Vec<u8>> = Vec::new();
    if !lower.contains("multipart/") {
        return boundaries;
    }
    for (at, word) in lower.match_indices("boundary") {
        let value = content_type[at + word.len()..].trim_start();
        let Some(value) = value.strip_prefix('=').map(str::trim_start) else { continue };
        // Searching to the end for each of many would take quadratic time.
        let value = value.get(..value.floor_char_boundary(MAX_BOUNDARY_BYTES)).unwrap_or_default();
        let value = match value.strip_prefix('"') {
            Some(quoted) => quoted.split('"').next(),
            None => value.split([';', ',']).next().map(str::trim),
        };
        let boundary = value.unwrap_or_default().as_bytes().to_vec();
        if !boundary.is_empty() && !boundaries.contains(&boundary) {
            boundaries.push(boundary);
        }
        if boundaries.len() > MAX_BOUNDARIES {
            break;
        }
    }
    boundaries
}

fn parse_parts<'a>(body: &'a [u8], boundary: &[u8], root: PointPath, depth: usize, sink: &mut Sink<'a, '_>) {
    for part in parts(body, boundary) {
        if !sink.item(|sink| parse_part(body, &part, root, depth, sink)) {
            break;
        }
    }
}

/// The parts between the delimiters of a boundary, and after the last one unless it closes the body.
pub fn parts<'a>(body: &'a [u8], boundary: &[u8]) -> impl Iterator<Item = Part<'a>> {
    let delimiter = delimiter(boundary);
    let starts: Vec<usize> = memmem::find_iter(body, &delimiter).collect();
    let ends: Vec<usize> = starts.iter().skip(1).copied().chain([body.len()]).collect();
    let spans = starts.into_iter().zip(ends).map(move |(start, end)| start + delimiter.len()..end);
    spans.filter(|span| !body[span.clone()].starts_with(b"--")).map(|span| Part::of(body, span))
}

fn parse_part<'a>(
    body: &'a [u8],
    part: &Part<'a>,
    root: PointPath,
    depth: usize,
    sink: &mut Sink<'a, '_>,
) -> bool {
    let (head, content) = (part.head, &body[part.content.clone()]);
    let disposition = disposition::parse(head);
    let is_clear = disposition.is_some();
    let disposition = disposition.unwrap_or_else(|| Disposition {
        name: parameter(head, b"name="),
        filename: parameter(head, b"filename"),
    });
    let name = disposition.name.unwrap_or_default();
    let point = Parameter { before: Some(root), tag: Tag::Multipart }.named(sink.arena, name);
    let parts = sink.arena.then(root, Tag::Multipart);
    let names = sink.arena.then(parts, Tag::Name);
    let fits = sink.push_name(names, name);
    let is_nested = fits && depth > 0 && parse_at_depth(content, &content_type(head), point, depth - 1, sink);
    // Parsers of forms take the parts of a named part for its text.
    if is_nested && name.is_empty() {
        return true;
    }
    let Some(filename) = disposition.filename else {
        return fits && head::push_content(head, content, point, sink);
    };
    let file = sink.arena.then(point, Tag::File);
    let name_point = sink.arena.then(file, Tag::Name);
    fits && sink.push_value(name_point, filename.trim_ascii_start())
        && head::push_content(head, content, file, sink)
        && (is_clear || head::push_content(head, content, point, sink))
}

/// The content types of a part, joined.
pub fn content_type(head: &[u8]) -> String {
    head::content_types(head).join(", ")
}

/// Whether the content of a part is in a transfer encoding that changes it, also in one that is unknown.
pub fn is_transfer_encoded(head: &[u8]) -> bool {
    head::is_transfer_encoded(head)
}

impl<'a> Part<'a> {
    /// Splits headers and content at the first blank line; without one all of it is content.
    fn of(body: &'a [u8], span: Range<usize>) -> Self {
        let part = &body[span.clone()];
        let is_blank = |end: &usize| matches!(&part[end + 1..], [b'\n', ..] | [b'\r', b'\n', ..]);
        let Some(end) = memchr::memchr_iter(b'\n', part).find(is_blank) else {
            let content = part.strip_prefix(b"\r\n").or(part.strip_prefix(b"\n")).unwrap_or(part);
            let content = span.end - content.len()..span.end;
            return Self { head: &[], span, content };
        };
        let content = &part[end + 1..];
        let content = content.strip_prefix(b"\r").unwrap_or(content);
        let content = content.strip_prefix(b"\n").unwrap_or(content);
        let start = span.end - content.len();
        let content = content.strip_suffix(b"\n").unwrap_or(content);
        let content = content.strip_suffix(b"\r").unwrap_or(content);
        Self { head: &part[..end], content: start..start + content.len(), span }
    }
}

/// The first parameter in an unclear head. `filename` also matches `filename*=`.
fn parameter<'a>(head: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let lower = head.to_ascii_lowercase();
    let mut occurrences =
        memmem::find_iter(&lower, name).filter(|&at| at > 0 && !lower[at - 1].is_ascii_alphanumeric());
    let value = head[occurrences.next()? + name.len()..].trim_ascii_start();
    let value = value.strip_prefix(b"*").unwrap_or(value);
    let value = value.strip_prefix(b"=").unwrap_or(value);
    let Some(quoted) = value.strip_prefix(b"\"") else {
        return value.split(|byte| b";\r\n".contains(byte)).next();
    };
    // Up to the last quote of the line: a payload may contain quotes.
    let line = quoted.split(|byte| b"\r\n".contains(byte)).next()?;
    let end = memmem::find(line, b"\";").or_else(|| memchr::memrchr(b'"', line)).unwrap_or(line.len());
    Some(&line[..end])
}
