//! `Cookie: a=1; b=2`.

use super::Sink;
use crate::field::{Field, Place, point_name};
use shared::{Point, point::Tag};

pub(super) fn unpack<'a>(value: &'a str, sink: &mut Sink<'a, '_>) {
    let header = Point::header("cookie");
    for cookie in value.split(';').map(str::trim).filter(|cookie| !cookie.is_empty()) {
        let (name, value) = cookie.split_once('=').unwrap_or((cookie, ""));
        let names = header.clone().then(Tag::Cookie).then(Tag::Name);
        let point = header.clone().named(Tag::Cookie, point_name(name.as_bytes()));
        let fits = sink.push(Field::new(names, Place::Name, name.as_bytes()));
        if !fits || !sink.push(Field::new(point, Place::Value, value.as_bytes())) {
            return;
        }
    }
}
