//! `Cookie: a=1; b=2`.

use super::Sink;
use crate::field::{Field, FieldKind};
use shared::point::Tag;

pub(super) fn parse<'a>(value: &'a str, sink: &mut Sink<'a, '_>) {
    let header = sink.arena.named(None, Tag::Header, b"COOKIE");
    let cookies = sink.arena.then(header, Tag::Cookie);
    let names = sink.arena.then(cookies, Tag::Name);
    for cookie in value.split(';').map(str::trim).filter(|cookie| !cookie.is_empty()) {
        let (name, value) = cookie.split_once('=').unwrap_or((cookie, ""));
        let fits = sink.push(Field::new(names, FieldKind::Name, name.as_bytes()));
        let point_path = sink.arena.named(header, Tag::Cookie, name.as_bytes());
        if !fits || !sink.push(Field::new(point_path, FieldKind::Value, value.as_bytes())) {
            return;
        }
    }
}
