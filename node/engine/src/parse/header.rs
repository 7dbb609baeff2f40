//! Header parser: each header is a field, cookies are split, headers written by CloudFront are left
//! out.

use super::{
    Sink, cookie,
    form::{self, Parameter},
};
use crate::{
    field::{Field, FieldKind},
    point_path::PointPath,
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
            // Names share one point, so that a client cannot create points at will.
            let names = sink.arena.then(headers, Tag::Name);
            if !sink.push_name(names, name.as_bytes()) {
                return;
            }
        }
        let value = if at_origin { from_viewer(name, value) } else { value };
        let point = sink.arena.named_upper(Tag::Header, name.as_bytes());
        let value = if name.eq_ignore_ascii_case("referer") { page(value, point, sink) } else { value };
        if !sink.push(Field::new(point, kind(name), value.as_bytes())) {
            return;
        }
    }
}

/// The address of the page without its query. The query is parsed like that of a request:
/// otherwise it would be read more strictly than the request for the page was.
fn page<'a>(address: &'a str, point: PointPath, sink: &mut Sink<'a, '_>) -> &'a str {
    let is_url = starts_with(address, "http://") || starts_with(address, "https://");
    let Some((page, query)) = address.split_once('?').filter(|_| is_url) else { return address };
    let form = sink.arena.then(point, Tag::FormUrlencoded);
    let names = sink.arena.then(form, Tag::Name);
    let parameter = Parameter { before: Some(point), tag: Tag::FormUrlencoded };
    let first = sink.fields.len();
    form::parse(query.as_bytes(), names, &parameter, sink);
    // The plain names of another request mean nothing in this one.
    let added = sink.fields.split_off(first);
    let is_plain = |field: &Field<'_>| {
        field.kind == FieldKind::Name && std::str::from_utf8(&field.value).is_ok_and(is_token)
    };
    sink.fields.extend(added.into_iter().filter(|field| !is_plain(field)));
    page
}

/// Names of these characters cannot contain a payload.
fn is_token(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

fn at_origin(request: &InspectRequest) -> bool {
    request.connector.as_ref().and_then(|it| it.event.as_ref()).is_some_and(Trigger::is_origin)
}

/// Headers that CloudFront overwrites before origin events; those a viewer sent are gone by then.
/// The names in a certificate are the viewer's own text, and not validated in mode `passthrough`.
fn written_by_cloudfront(name: &str) -> bool {
    let is_cloudfronts = starts_with(name, "cloudfront-") && !starts_with(name, "cloudfront-viewer-cert-");
    name.eq_ignore_ascii_case("x-amz-cf-id") || is_cloudfronts
}

/// The viewer's part of a header to which CloudFront appends itself or the viewer's address.
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
