//! `multipart/form-data`, by its declared boundary or by the one its first line shows.

use super::{Sink, form::Parameter};
use crate::{
    field::{Field, Place},
    trail::Trail,
};
use memchr::memmem;
use shared::point::Tag;

/// The boundary of a multipart body: the declared one when it occurs, else the one the body opens with.
pub(super) fn boundary(content_type: &str, body: &[u8]) -> Option<Vec<u8>> {
    let occurs = |boundary: &Vec<u8>| memmem::find(body, &delimiter(boundary)).is_some();
    declared(content_type).filter(occurs).or_else(|| shown(body))
}

fn shown(body: &[u8]) -> Option<Vec<u8>> {
    let line = body.split(|&byte| byte == b'\n').next()?.trim_ascii_end();
    let boundary = line.strip_prefix(b"--").filter(|it| (1..=200).contains(&it.len()))?;
    let has_part = memmem::find(body, b"ontent-").is_some() || memmem::find(body, b"ONTENT-").is_some();
    has_part.then(|| boundary.to_vec())
}

fn delimiter(boundary: &[u8]) -> Vec<u8> {
    [b"--", boundary].concat()
}

fn declared(content_type: &str) -> Option<Vec<u8>> {
    if !content_type.to_ascii_lowercase().contains("multipart/") {
        return None;
    }
    let at = content_type.to_ascii_lowercase().find("boundary=")?;
    let value = content_type[at + 9..].split(';').next()?.trim().trim_matches('"');
    (!value.is_empty()).then(|| value.as_bytes().to_vec())
}

/// Adds every part. `false` when the boundary never occurs.
pub(super) fn unpack<'a>(body: &'a [u8], boundary: &[u8], root: Trail, sink: &mut Sink<'a, '_>) -> bool {
    let delimiter = delimiter(boundary);
    let starts: Vec<usize> = memmem::find_iter(body, &delimiter).collect();
    for (number, &start) in starts.iter().enumerate() {
        let end = starts.get(number + 1).copied().unwrap_or(body.len());
        let part = &body[start + delimiter.len()..end];
        if !part.starts_with(b"--") && !unpack_part(part, root, sink) {
            break;
        }
    }
    !starts.is_empty()
}

fn unpack_part<'a>(part: &'a [u8], root: Trail, sink: &mut Sink<'a, '_>) -> bool {
    let (head, content) = split_head(part);
    let name = parameter(head, b"name=").unwrap_or_default();
    let trail = Parameter { before: Some(root), tag: Tag::Multipart }.named(sink.trails, name);
    let parts = sink.trails.then(root, Tag::Multipart);
    let names = sink.trails.then(parts, Tag::Name);
    let fits = sink.push(Field::new(names, Place::Name, name));
    let Some(filename) = parameter(head, b"filename") else {
        return fits && sink.push(Field::new(trail, Place::Value, content));
    };
    let file = sink.trails.then(trail, Tag::File);
    let called = sink.trails.then(file, Tag::Name);
    let filename = filename.trim_ascii_start();
    fits && sink.push(Field::new(called, Place::Value, filename))
        && sink.push(Field::new(file, Place::Value, content))
}

/// Headers and content of a part. Without a blank line all of it is content.
fn split_head(part: &[u8]) -> (&[u8], &[u8]) {
    let part = part.strip_prefix(b"\r\n").or(part.strip_prefix(b"\n")).unwrap_or(part);
    for blank in [b"\r\n\r\n".as_slice(), b"\n\n"] {
        if let Some(at) = memmem::find(part, blank) {
            let content = &part[at + blank.len()..];
            let content = content.strip_suffix(b"\n").unwrap_or(content);
            return (&part[..at], content.strip_suffix(b"\r").unwrap_or(content));
        }
    }
    (&[], part)
}

/// A parameter of the part's headers. `filename` also stands for `filename*=`.
fn parameter<'a>(head: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let lower = head.to_ascii_lowercase();
    let mut found =
        memmem::find_iter(&lower, name).filter(|&at| at > 0 && !lower[at - 1].is_ascii_alphanumeric());
    let value = head[found.next()? + name.len()..].trim_ascii_start();
    let value = value.strip_prefix(b"*").unwrap_or(value);
    let value = value.strip_prefix(b"=").unwrap_or(value);
    let Some(quoted) = value.strip_prefix(b"\"") else {
        return value.split(|byte| b";\r\n".contains(byte)).next();
    };
    // The last quote of the line: a payload may hold quotes itself.
    let line = quoted.split(|byte| b"\r\n".contains(byte)).next()?;
    let end = memmem::find(line, b"\";").or_else(|| memchr::memrchr(b'"', line)).unwrap_or(line.len());
    Some(&line[..end])
}
