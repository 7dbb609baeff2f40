//! The path, whole: a payload may span segments. Then what routes hand to applications as values: each segment that is
//! more than a name, and matrix parameters, `/cars;colour=red;year=2`.

use super::Sink;
use crate::{
    decode::percent,
    field::{Field, FieldKind},
    point_path::PointPath,
};
use shared::{InspectRequest, point::Tag};
use std::borrow::Cow;

pub(super) fn parse<'a>(request: &'a InspectRequest, sink: &mut Sink<'a, '_>) {
    let path = request.path.as_bytes();
    let point_path = sink.arena.then(None, Tag::Uri);
    if sink.push(Field::new(point_path, FieldKind::Path, path)) && path.iter().any(|&byte| is_telling(byte)) {
        parse_segments(path, sink);
    }
}

/// What no name of a page has. Most paths have nothing of it.
fn is_telling(byte: u8) -> bool {
    !matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' | b'@' | b'+' | b',' | b'!')
}

fn parse_segments<'a>(path: &'a [u8], sink: &mut Sink<'a, '_>) {
    let segments = path.split(|&byte| byte == b'/').skip(1);
    for (number, segment) in (0_u64..).zip(segments) {
        if !segment.iter().any(|&byte| is_telling(byte)) {
            continue;
        }
        let point_path = sink.arena.indexed(None, Tag::Path, number);
        if !push(segment, point_path, sink) {
            return;
        }
        for parameter in segment.split(|&byte| byte == b';').skip(1) {
            let Some(at) = memchr::memchr(b'=', parameter) else { continue };
            let named = sink.arena.named(point_path, Tag::Hash, &parameter[..at]);
            if !push(&parameter[at + 1..], named, sink) {
                return;
            }
        }
    }
}

fn push<'a>(value: &'a [u8], point_path: PointPath, sink: &mut Sink<'a, '_>) -> bool {
    let decoded = percent::decode(value);
    let layer = decoded.is_some().then_some(percent::NAME);
    let value = decoded.map_or(Cow::Borrowed(value), Cow::Owned);
    sink.push(Field::new(point_path, FieldKind::Value, value).decoded(layer))
}
