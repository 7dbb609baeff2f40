//! Body parser: selects parsers by content type and by the first bytes, so a wrong content type
//! hides nothing.

use super::{
    Malformed, Sink, csv,
    form::{self, Parameter},
    json, malformed, multipart, protobuf, toml, xml, yaml,
};
use crate::{
    decode::{
        base64,
        charset::{self, Transcoded},
        inflate::{self, Format, Inflated},
    },
    field::Field,
    point_path::PointPath,
};
use shared::{InspectRequest, point::Tag};

/// The field of a form that names its character set (HTML standard, form submission).
const CHARSET_FIELD: &str = "_charset_";
/// The most content codings decoded on one body.
const MAX_CODINGS: usize = 4;

pub(super) fn parse<'a>(request: &'a InspectRequest, sink: &mut Sink<'a, '_>) {
    let Some(body) = request.body.as_ref().map(|body| body.0.as_slice()) else { return };
    let content_type = header(request, "content-type");
    let codings: Vec<&str> = header(request, "content-encoding").split(',').take(MAX_CODINGS + 1).collect();
    if codings.len() > MAX_CODINGS {
        sink.budget.too_deep();
    }
    let post = sink.arena.then(None, Tag::Post);
    parse_coded(body, &codings, content_type, post, sink);
    // The end of a truncated body is missing.
    if request.body_truncated || body.is_empty() {
        sink.malformed.clear();
    }
}

/// Decodes the last content coding, then those before it.
fn parse_coded<'a>(
    body: &'a [u8],
    codings: &[&str],
    content_type: &str,
    root: PointPath,
    sink: &mut Sink<'a, '_>,
) {
    let (last, before) = codings.split_last().map_or(("", codings), |(last, before)| (*last, before));
    // gzip is recognized by its magic number, independent of the header.
    let detected = Format::detect(body).filter(|it| *it == Format::Gzip);
    let format = detected.or_else(|| Format::named(last, body));
    let is_claimed = malformed::is_supported_coding(last);
    if is_claimed && format.is_none() || malformed::is_unsupported_coding(last) {
        sink.malformed.push((root, Malformed::Coding));
    }
    if let Some(format) = format {
        let Inflated { data, is_whole } = inflate::inflate_checked(body, format, sink.budget);
        // An exhausted budget is reported as such.
        let is_corrupt = !is_whole && sink.budget.exhausted().is_none();
        if is_corrupt && is_claimed {
            sink.malformed.push((root, Malformed::Coding));
        }
        if !data.is_empty() {
            let inside = sink.arena.then(root, format.tag());
            in_buffer(format.name(), sink, |inner| parse_coded(&data, before, content_type, inside, inner));
            // Raw deflate and brotli have no magic number: if the header is wrong, the origin reads
            // the raw body, unless only the inflated one is text.
            let is_sure = || format.has_magic_number() || base64::is_text(&data) && !base64::is_text(body);
            if !is_corrupt && is_sure() {
                return;
            }
        }
    }
    parse_text(body, content_type, root, sink);
}

/// Parses the body in its detected or declared character set. The origin may ignore a declared one,
/// so the raw body is parsed as well.
fn parse_text<'a>(body: &'a [u8], content_type: &str, root: PointPath, sink: &mut Sink<'a, '_>) {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    let detected = charset::read_detected(body);
    let is_detected = detected.is_some();
    let declared = || {
        let Transcoded { text, is_malformed } = charset::read_declared(content_type, body);
        // Files in other character sets, and binary ones.
        if is_malformed && !multipart::is_declared(content_type) {
            sink.malformed.push((root, Malformed::Charset));
        }
        text.or_else(|| charset::read_declared_in_xml(body))
    };
    if let Some(text) = detected.or_else(declared) {
        let root = sink.arena.then(root, Tag::Charset);
        in_buffer(charset::NAME, sink, |inner| parse_plain(&text, content_type, root, inner));
        if is_detected {
            return;
        }
    }
    parse_plain(body, content_type, root, sink);
}

/// Parses a decoded copy of the body; its fields outlive the buffer.
fn in_buffer<'b>(layer: &'static str, sink: &mut Sink<'_, '_>, read: impl FnOnce(&mut Sink<'b, '_>)) {
    let ((), added) = sink.parse_buffer(read);
    for field in &mut sink.fields[added] {
        field.decoded.insert(0, layer);
    }
}

fn parse_plain<'a>(body: &'a [u8], content_type: &str, root: PointPath, sink: &mut Sink<'a, '_>) {
    if !parse_structured(body, content_type, root, sink) {
        sink.push_value(root, body);
    }
}

/// Runs the matching parsers; `false` when the body must also be inspected as one value.
fn parse_structured<'a>(
    body: &'a [u8],
    content_type: &str,
    root: PointPath,
    sink: &mut Sink<'a, '_>,
) -> bool {
    // A body that is JSON only at its start may still be a form to the origin.
    if json::looks_like_json(body) {
        let json = sink.arena.then(root, Tag::JsonDoc);
        if json::parse(body, json, sink) {
            return true;
        }
    }
    let lower = content_type.to_ascii_lowercase();
    if protobuf::is_declared(&lower) && protobuf::parse(body, &lower, root, sink) {
        return true;
    }
    if lower.contains("xml") {
        let xml = sink.arena.then(root, Tag::Xml);
        if xml::parse(body, xml, sink) {
            return true;
        }
    }
    if yaml::is_declared(&lower) {
        yaml::parse(body, root, sink);
    } else if toml::is_declared(&lower) {
        toml::parse(body, root, sink);
    } else if csv::is_declared(&lower) {
        csv::parse(body, root, sink);
    }
    let start = sink.fields.len();
    let declared_form = lower.contains("x-www-form-urlencoded");
    let is_multipart = multipart::parse(body, content_type, root, sink);
    if multipart::is_declared(content_type) && multipart::is_malformed(body, content_type) {
        sink.malformed.push((root, Malformed::Multipart));
    }
    if declared_form || !is_multipart && form::looks_like_form(body) {
        let form = sink.arena.then(root, Tag::FormUrlencoded);
        let names = sink.arena.then(form, Tag::Name);
        form::parse(body, names, &Parameter { before: Some(root), tag: Tag::FormUrlencoded }, sink);
    }
    add_transcoded(start, sink);
    declared_form || is_multipart
}

/// Adds a copy of each value, from this field on, that differs in the character set of the form.
fn add_transcoded(start: usize, sink: &mut Sink<'_, '_>) {
    let names_charset = |field: &&Field<'_>| sink.arena.last_name(field.point) == Some(CHARSET_FIELD);
    let Some(label) = sink.fields[start..].iter().find(names_charset) else { return };
    let label = String::from_utf8_lossy(&label.value).to_ascii_lowercase();
    for at in start..sink.fields.len() {
        let Field { point, kind, value, decoded, .. } = &sink.fields[at];
        let Some(text) = charset::read_labelled(&label, value) else { continue };
        let mut copy = Field::new(*point, *kind, text);
        copy.decoded = [&decoded[..], &[charset::NAME]].concat();
        if !sink.push(copy) {
            return;
        }
    }
}

fn header<'a>(request: &'a InspectRequest, wanted: &str) -> &'a str {
    let header = request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
    header.map_or("", |(_, value)| value)
}
