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

/// Further boundaries in a content type are an overlimit.
const MAX_BOUNDARIES: usize = 4;
/// The most levels of multipart parts inside multipart parts.
const MAX_NESTED: usize = 4;

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
pub(super) fn is_declared(content_type: &str) -> bool {
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
fn boundaries(content_type: &str, body: &[u8]) -> Vec<Vec<u8>> {
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
    let delimiter = delimiter(boundary);
    let starts: Vec<usize> = memmem::find_iter(body, &delimiter).collect();
    for (number, &start) in starts.iter().enumerate() {
        let end = starts.get(number + 1).copied().unwrap_or(body.len());
        let part = &body[start + delimiter.len()..end];
        if !part.starts_with(b"--") && !sink.item(|sink| parse_part(part, root, depth, sink)) {
            break;
        }
    }
}

fn parse_part<'a>(part: &'a [u8], root: PointPath, depth: usize, sink: &mut Sink<'a, '_>) -> bool {
    let (head, content) = head::split(part);
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
    let is_nested = fits
        && depth > 0
        && parse_at_depth(content, &head::content_types(head).join(", "), point, depth - 1, sink);
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
