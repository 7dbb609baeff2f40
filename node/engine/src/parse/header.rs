//! Headers: each a field, cookies taken apart, what CloudFront itself wrote left out.

use super::{Sink, cookie};
use crate::{
    field::{Field, FieldKind},
    words::WORDS,
};
use shared::{InspectRequest, Trigger, point::Tag};

pub(super) fn parse<'a>(request: &'a InspectRequest, sink: &mut Sink<'a, '_>) {
    let at_origin = at_origin(request);
    for (name, value) in &request.headers {
        if at_origin && written_by_cloudfront(name) {
            continue;
        }
        if name.eq_ignore_ascii_case("cookie") {
            cookie::parse(value, sink);
            continue;
        }
        if !is_token(name) {
            let headers = sink.arena.then(None, Tag::Header);
            // Names share one point: a client chooses them.
            let names = sink.arena.then(headers, Tag::Name);
            if !sink.push(Field::new(names, FieldKind::Name, name.as_bytes())) {
                return;
            }
        }
        let value = if at_origin { from_viewer(name, value) } else { value };
        let point_path = sink.arena.named_upper(Tag::Header, name.as_bytes());
        if !sink.push(Field::new(point_path, kind(name), value.as_bytes())) {
            return;
        }
    }
}

/// Names of this form can hold no payload.
fn is_token(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

fn at_origin(request: &InspectRequest) -> bool {
    request.connector.as_ref().and_then(|it| it.event.as_ref()).is_some_and(Trigger::is_origin)
}

/// At origin events CloudFront has replaced these; a viewer's own never get that far.
fn written_by_cloudfront(name: &str) -> bool {
    name.eq_ignore_ascii_case("x-amz-cf-id") || starts_with(name, "cloudfront-")
}

/// CloudFront appends itself, or the viewer's address, to what the viewer sent.
fn from_viewer<'a>(name: &str, value: &'a str) -> &'a str {
    if name.eq_ignore_ascii_case("via") || name.eq_ignore_ascii_case("x-forwarded-for") {
        value.rsplit_once(',').map_or("", |(viewers, _)| viewers)
    } else {
        value
    }
}

fn kind(name: &str) -> FieldKind {
    let shaped = WORDS.header.shaped.contains(name) || starts_with(name, "sec-");
    if shaped { FieldKind::ShapedHeader } else { FieldKind::Value }
}

fn starts_with(name: &str, start: &str) -> bool {
    name.get(..start.len()).is_some_and(|it| it.eq_ignore_ascii_case(start))
}
