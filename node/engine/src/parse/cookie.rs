//! Parser of the `Cookie` header: `a=1; b=2`.

use super::Sink;
use shared::point::Tag;

pub(super) fn parse<'a>(value: &'a str, sink: &mut Sink<'a, '_>) {
    let header = sink.arena.named(None, Tag::Header, b"COOKIE");
    let cookies = sink.arena.then(header, Tag::Cookie);
    let names = sink.arena.then(cookies, Tag::Name);
    for cookie in value.split(';').map(str::trim).filter(|cookie| !cookie.is_empty()) {
        let (name, value) = cookie.split_once('=').unwrap_or((cookie, ""));
        let fits = sink.item(|sink| {
            let point = sink.arena.named(header, Tag::Cookie, name.as_bytes());
            sink.push_name(names, name.as_bytes()) && sink.push_value(point, value.as_bytes())
        });
        if !fits {
            return;
        }
    }
}
