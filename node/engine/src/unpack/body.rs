//! The body: its headers say how to read it, and so do its first bytes. A wrong content type hides nothing.

use super::{
    Sink,
    form::{self, Parameter},
    json, multipart,
};
use crate::{
    decode::{
        charset,
        inflate::{self, Format},
    },
    field::{Field, Place},
    trail::Trail,
};
use shared::{InspectRequest, point::Tag};

pub(super) fn unpack<'a>(request: &'a InspectRequest, sink: &mut Sink<'a, '_>) {
    let Some(body) = request.body.as_ref().map(|body| body.0.as_slice()) else { return };
    let content_type = header(request, "content-type");
    let post = sink.trails.then(None, Tag::Post);
    if let Some(format) = compression(request, body)
        && let Some(inflated) = inflate::inflate(body, format, sink.budget)
    {
        let root = sink.trails.then(post, Tag::Gzip);
        return unpack_buffer(&inflated, content_type, root, "gzip", sink);
    }
    if let Some(text) = utf16(content_type, body) {
        let root = sink.trails.then(post, Tag::Charset);
        return unpack_buffer(&text, content_type, root, charset::NAME, sink);
    }
    unpack_plain(body, content_type, post, sink);
}

/// Reads what was decoded from the body.
fn unpack_buffer(
    buffer: &[u8],
    content_type: &str,
    root: Trail,
    layer: &'static str,
    sink: &mut Sink<'_, '_>,
) {
    let ((), added) = sink.unpack_buffer(|inner| unpack_plain(buffer, content_type, root, inner));
    for field in &mut sink.fields[added] {
        field.decoded.insert(0, layer);
    }
}

fn unpack_plain<'a>(body: &'a [u8], content_type: &str, root: Trail, sink: &mut Sink<'a, '_>) {
    if !unpack_structured(body, content_type, root, sink) {
        sink.push(Field::new(root, Place::Value, body));
    }
}

/// Tries the parsers that fit; `false` when the body should be looked at as it is, too.
fn unpack_structured<'a>(body: &'a [u8], content_type: &str, root: Trail, sink: &mut Sink<'a, '_>) -> bool {
    // What is JSON only at its start may still be a form to the origin.
    if json::looks_like_json(body) {
        let json = sink.trails.then(root, Tag::JsonDoc);
        if json::unpack(body, json, 0, sink) {
            return true;
        }
    }
    if let Some(boundary) = multipart::boundary(content_type, body) {
        return multipart::unpack(body, &boundary, root, sink);
    }
    let declared_form = content_type.contains("x-www-form-urlencoded");
    if declared_form || form::looks_like_form(body) {
        let form = sink.trails.then(root, Tag::FormUrlencoded);
        let names = sink.trails.then(form, Tag::Name);
        form::unpack(body, names, &Parameter { before: Some(root), tag: Tag::FormUrlencoded }, sink);
        return declared_form;
    }
    false
}

/// How the body is compressed: as it shows itself, or as its header says.
fn compression(request: &InspectRequest, body: &[u8]) -> Option<Format> {
    let declared = header(request, "content-encoding").to_ascii_lowercase();
    let shown = Format::shown(body);
    let is_declared = ["gzip", "deflate"].iter().any(|coding| declared.contains(coding));
    match shown {
        Some(Format::Gzip) => shown,
        Some(Format::Zlib) if is_declared => shown,
        _ => declared.contains("deflate").then_some(Format::Deflate),
    }
}

fn utf16(content_type: &str, body: &[u8]) -> Option<Vec<u8>> {
    let lower = content_type.to_ascii_lowercase();
    let declared = lower.contains("utf-16").then(|| charset::transcode(body, !lower.contains("utf-16le")));
    charset::read_utf16(body).or(declared)
}

fn header<'a>(request: &'a InspectRequest, wanted: &str) -> &'a str {
    let header = request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
    header.map_or("", |(_, value)| value)
}
