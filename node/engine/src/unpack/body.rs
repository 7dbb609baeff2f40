//! The body: its content type says how to read it, and so does its first byte. A wrong content type hides nothing.

use super::{Sink, form, json, multipart};
use crate::field::{Field, Place};
use shared::{InspectRequest, Point, point::Tag};

pub(super) fn unpack<'a>(request: &'a InspectRequest, sink: &mut Sink<'a, '_>) {
    let Some(body) = request.body.as_ref().map(|body| body.0.as_slice()) else { return };
    let content_type = content_type(request);
    if !unpack_structured(body, &content_type, sink) {
        sink.push(Field::new(Point::new(Tag::Post), Place::Value, body));
    }
}

/// Tries the parsers that fit; `false` when the body should be looked at as it is, too.
fn unpack_structured<'a>(body: &'a [u8], content_type: &str, sink: &mut Sink<'a, '_>) -> bool {
    let post = Point::new(Tag::Post);
    // What is JSON only at its start may still be a form to the origin.
    if json::looks_like_json(body) && json::unpack(body, &post.clone().then(Tag::JsonDoc), 0, sink) {
        return true;
    }
    if let Some(boundary) = multipart::boundary(content_type, body) {
        return multipart::unpack(body, &boundary, sink);
    }
    let declared_form = content_type.contains("x-www-form-urlencoded");
    if declared_form || form::looks_like_form(body) {
        let names = post.clone().then(Tag::FormUrlencoded).then(Tag::Name);
        form::unpack(body, &names, &|name| post.clone().named(Tag::FormUrlencoded, name), sink);
        return declared_form;
    }
    false
}

fn content_type(request: &InspectRequest) -> String {
    let header = request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    header.map(|(_, value)| value.clone()).unwrap_or_default()
}
