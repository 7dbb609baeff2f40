//! Path parser: the whole path, since a payload may span segments, then the values routers extract
//! from it: segments with special characters or in base64, and matrix parameters
//! (`/cars;colour=red;year=2`).

use super::Sink;
use crate::{
    decode::{base64, percent},
    field::{Field, FieldKind},
    point_path::PointPath,
};
use shared::{InspectRequest, point::Tag};
use std::borrow::Cow;

/// Shorter names of pages are base64 of a text by chance.
const MIN_ENCODED: usize = 16;

pub(super) fn parse<'a>(request: &'a InspectRequest, sink: &mut Sink<'a, '_>) {
    let path = request.path.as_bytes();
    let point = sink.arena.then(None, Tag::Uri);
    if sink.push(Field::new(point, FieldKind::Path, path)) {
        parse_segments(path, sink);
    }
}

/// Whether a router may extract more from a segment than a name.
fn is_value(segment: &[u8]) -> bool {
    segment.iter().any(|&byte| is_special(byte))
        || segment.len() >= MIN_ENCODED && base64::decode(segment).is_some()
}

/// Bytes that do not occur in ordinary page names. Most paths contain none.
fn is_special(byte: u8) -> bool {
    !matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' | b'@' | b'+' | b',' | b'!')
}

fn parse_segments<'a>(path: &'a [u8], sink: &mut Sink<'a, '_>) {
    let segments = path.split(|&byte| byte == b'/').skip(1);
    for (number, segment) in (0_u64..).zip(segments) {
        if !is_value(segment) {
            continue;
        }
        let point = sink.arena.indexed(None, Tag::Path, number);
        if !push(segment, point, sink) {
            return;
        }
        for parameter in segment.split(|&byte| byte == b';').skip(1) {
            let Some(at) = memchr::memchr(b'=', parameter) else { continue };
            let named = sink.arena.named(point, Tag::Hash, &parameter[..at]);
            if !push(&parameter[at + 1..], named, sink) {
                return;
            }
        }
    }
}

fn push<'a>(value: &'a [u8], point: PointPath, sink: &mut Sink<'a, '_>) -> bool {
    let decoded = percent::decode(value);
    let layer = decoded.is_some().then_some(percent::NAME);
    let value = decoded.map_or(Cow::Borrowed(value), Cow::Owned);
    sink.push(Field::new(point, FieldKind::Value, value).decoded(layer))
}
