//! `a=1&b=2`, the syntax of queries and of form bodies.

use super::Sink;
use crate::{
    decode::percent,
    field::{Field, Place, point_name},
};
use shared::Point;
use std::borrow::Cow;

/// Adds each name and value. Names share one point: an attacker must not be able to make points at will.
pub(super) fn unpack<'a>(
    text: &'a [u8],
    names: &Point,
    point_of: &dyn Fn(String) -> Point,
    sink: &mut Sink<'a, '_>,
) {
    for pair in text.split(|&byte| byte == b'&').filter(|pair| !pair.is_empty()) {
        let (raw_name, raw_value) = split_pair(pair);
        let (name, layer) = decoded(raw_name);
        let point = point_of(point_name(&name));
        let fits = sink.push(Field::new(names.clone(), Place::Name, name).decoded(layer));
        let (value, layer) = decoded(raw_value);
        if !fits || !sink.push(Field::new(point, Place::Value, value).decoded(layer)) {
            return;
        }
    }
}

/// Whether a body without a content type reads as a form.
pub(super) fn looks_like_form(body: &[u8]) -> bool {
    let name = body.split(|&byte| byte == b'=').next().unwrap_or_default();
    let word = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.[]%+$".contains(byte);
    name.len() < body.len() && !name.is_empty() && name.len() <= 256 && name.iter().all(word)
}

fn split_pair(pair: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memchr(b'=', pair) {
        Some(at) => (&pair[..at], &pair[at + 1..]),
        None => (pair, &[]),
    }
}

fn decoded(raw: &[u8]) -> (Cow<'_, [u8]>, Option<&'static str>) {
    match percent::peel_form(raw) {
        Some(value) => (Cow::Owned(value), Some(percent::NAME)),
        None => (Cow::Borrowed(raw), None),
    }
}
