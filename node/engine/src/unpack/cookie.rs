//! `Cookie: a=1; b=2`.

use super::Sink;
use crate::field::{Field, Place};
use shared::point::Tag;

pub(super) fn unpack<'a>(value: &'a str, sink: &mut Sink<'a, '_>) {
    let header = sink.trails.named(None, Tag::Header, b"COOKIE");
    let cookies = sink.trails.then(header, Tag::Cookie);
    let names = sink.trails.then(cookies, Tag::Name);
    for cookie in value.split(';').map(str::trim).filter(|cookie| !cookie.is_empty()) {
        let (name, value) = cookie.split_once('=').unwrap_or((cookie, ""));
        let fits = sink.push(Field::new(names, Place::Name, name.as_bytes()));
        let trail = sink.trails.named(header, Tag::Cookie, name.as_bytes());
        if !fits || !sink.push(Field::new(trail, Place::Value, value.as_bytes())) {
            return;
        }
    }
}
