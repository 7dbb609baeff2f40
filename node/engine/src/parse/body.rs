//! The body: its headers say how to read it, and so do its first bytes. A wrong content type hides nothing.

use super::{
    Sink,
    form::{self, Parameter},
    json, multipart, protobuf, xml,
};
use crate::{
    decode::{
        charset,
        inflate::{self, Format},
    },
    field::{Field, FieldKind},
    point_path::PointPath,
};
use shared::{InspectRequest, point::Tag};

/// More codings than this on one body are not undone.
const MAX_CODINGS: usize = 4;

pub(super) fn parse<'a>(request: &'a InspectRequest, sink: &mut Sink<'a, '_>) {
    let Some(body) = request.body.as_ref().map(|body| body.0.as_slice()) else { return };
    let content_type = header(request, "content-type");
    let codings: Vec<&str> = header(request, "content-encoding").split(',').take(MAX_CODINGS).collect();
    let post = sink.arena.then(None, Tag::Post);
    parse_coded(body, &codings, content_type, post, sink);
}

/// Undoes the last coding, then those before it.
fn parse_coded<'a>(
    body: &'a [u8],
    codings: &[&str],
    content_type: &str,
    root: PointPath,
    sink: &mut Sink<'a, '_>,
) {
    let (last, before) = codings.split_last().map_or(("", codings), |(last, before)| (*last, before));
    // What is gzip is read as such, whatever its header says.
    let shown = Format::shown(body).filter(|it| *it == Format::Gzip);
    let format = shown.or_else(|| Format::named(last, body));
    if let Some(format) = format
        && let Some(inflated) = inflate::inflate(body, format, sink.budget)
    {
        let root = sink.arena.then(root, format.tag());
        in_buffer(format.name(), sink, |inner| parse_coded(&inflated, before, content_type, root, inner));
        // Bare deflate and brotli have no mark: a header may lie, and the origin read the body as it came.
        if format.shows_itself() {
            return;
        }
    }
    parse_text(body, content_type, root, sink);
}

/// Reads the body in the character set it shows or declares; one that is only declared may not be the one that counts.
fn parse_text<'a>(body: &'a [u8], content_type: &str, root: PointPath, sink: &mut Sink<'a, '_>) {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    let shown = charset::read_utf16(body);
    let is_shown = shown.is_some();
    if let Some(text) = shown.or_else(|| charset::read_declared(content_type, body)) {
        let root = sink.arena.then(root, Tag::Charset);
        in_buffer(charset::NAME, sink, |inner| parse_plain(&text, content_type, root, inner));
        if is_shown {
            return;
        }
    }
    parse_plain(body, content_type, root, sink);
}

/// Reads what was decoded from the body; its fields outlive the buffer.
fn in_buffer<'b>(layer: &'static str, sink: &mut Sink<'_, '_>, read: impl FnOnce(&mut Sink<'b, '_>)) {
    let ((), added) = sink.parse_buffer(read);
    for field in &mut sink.fields[added] {
        field.decoded.insert(0, layer);
    }
}

fn parse_plain<'a>(body: &'a [u8], content_type: &str, root: PointPath, sink: &mut Sink<'a, '_>) {
    if !parse_structured(body, content_type, root, sink) {
        sink.push(Field::new(root, FieldKind::Value, body));
    }
}

/// Tries the parsers that fit; `false` when the body should be looked at as it is, too.
fn parse_structured<'a>(
    body: &'a [u8],
    content_type: &str,
    root: PointPath,
    sink: &mut Sink<'a, '_>,
) -> bool {
    // What is JSON only at its start may still be a form to the origin.
    if json::looks_like_json(body) {
        let json = sink.arena.then(root, Tag::JsonDoc);
        if json::parse(body, json, 0, sink) {
            return true;
        }
    }
    let lower = content_type.to_ascii_lowercase();
    if protobuf::is_declared(&lower) && protobuf::parse(body, &lower, root, sink) {
        return true;
    }
    if lower.contains("xml") {
        let xml = sink.arena.then(root, Tag::Xml);
        if xml::parse(body, xml, 0, sink) {
            return true;
        }
    }
    let declared_form = lower.contains("x-www-form-urlencoded");
    let is_multipart = multipart::parse(body, content_type, root, sink);
    if declared_form || !is_multipart && form::looks_like_form(body) {
        let form = sink.arena.then(root, Tag::FormUrlencoded);
        let names = sink.arena.then(form, Tag::Name);
        form::parse(body, names, &Parameter { before: Some(root), tag: Tag::FormUrlencoded }, sink);
    }
    declared_form || is_multipart
}

fn header<'a>(request: &'a InspectRequest, wanted: &str) -> &'a str {
    let header = request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
    header.map_or("", |(_, value)| value)
}
