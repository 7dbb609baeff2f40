//! The path, whole: a payload may span segments. Then its matrix parameters, `/cars;colour=red;year=2`.

use super::Sink;
use crate::{
    decode::percent,
    field::{Field, Place},
};
use shared::{InspectRequest, point::Tag};
use std::borrow::Cow;

pub(super) fn unpack<'a>(request: &'a InspectRequest, sink: &mut Sink<'a, '_>) {
    let path = request.path.as_bytes();
    let trail = sink.trails.then(None, Tag::Uri);
    if sink.push(Field::new(trail, Place::Path, path)) && path.contains(&b';') {
        unpack_matrix(path, sink);
    }
}

fn unpack_matrix<'a>(path: &'a [u8], sink: &mut Sink<'a, '_>) {
    let segments = path.split(|&byte| byte == b'/').skip(1);
    for (number, segment) in (0_u64..).zip(segments) {
        for parameter in segment.split(|&byte| byte == b';').skip(1) {
            let Some(at) = memchr::memchr(b'=', parameter) else { continue };
            let (name, value) = (&parameter[..at], &parameter[at + 1..]);
            let segment = sink.trails.indexed(None, Tag::Path, number);
            let trail = sink.trails.named(segment, Tag::Hash, name);
            let decoded = percent::peel(value);
            let layer = decoded.is_some().then_some(percent::NAME);
            let value = decoded.map_or(Cow::Borrowed(value), Cow::Owned);
            if !sink.push(Field::new(trail, Place::Value, value).decoded(layer)) {
                return;
            }
        }
    }
}
