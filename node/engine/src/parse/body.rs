//! Body parser: selects parsers by content type and by the first bytes, so a wrong content type
//! hides nothing.

use super::{
    Malformed, Sink, csv, declared,
    form::{self, Parameter},
    json, multipart, protobuf, toml, xml, yaml,
};
use crate::{
    budget::Limit,
    decode::{
        base64,
        charset::{self, MAX_LABELS, Transcoded},
        inflate::{self, Format, Inflated},
    },
    field::{Field, FieldKind},
    point_path::PointPath,
};
use shared::{InspectRequest, point::Tag};

/// The field of a form that names its character set (HTML standard, form submission).
const CHARSET_FIELD: &str = "_charset_";

pub(super) fn parse<'a>(request: &'a InspectRequest, sink: &mut Sink<'a, '_>) {
    let body = request.body.as_ref().map_or(&[][..], |body| body.0.as_slice());
    if body.is_empty() {
        return;
    }
    sink.is_truncated = request.body_truncated;
    let types = declared::types(request, sink);
    let readings = declared::codings(request, sink);
    let post = sink.arena.then(None, Tag::Post);
    let ambiguous = sink.malformed.len();
    let mut fewest: Option<Vec<(PointPath, Malformed)>> = None;
    for codings in readings {
        parse_coded(body, &codings, &types, post, sink);
        let malformed = sink.malformed.split_off(ambiguous);
        if fewest.as_ref().is_none_or(|known| malformed.len() < known.len()) {
            fewest = Some(malformed);
        }
    }
    // The end of a truncated body is missing.
    if !request.body_truncated {
        sink.malformed.extend(fewest.into_iter().flatten());
    }
}

/// Decodes the last content coding, then those before it.
fn parse_coded<'a>(
    body: &'a [u8],
    codings: &[&str],
    types: &[&str],
    root: PointPath,
    sink: &mut Sink<'a, '_>,
) {
    let (last, before) = codings.split_last().map_or(("", codings), |(last, before)| (*last, before));
    // gzip is recognized by its magic number, independent of the header.
    let detected = Format::detect(body).filter(|it| *it == Format::Gzip);
    let format = detected.or_else(|| Format::named(last, body));
    let is_claimed = Format::is_name(last);
    if is_claimed && format.is_none() {
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
            in_buffer(format.name(), sink, |inner| parse_coded(&data, before, types, inside, inner));
            // Raw deflate and brotli have no magic number: if the header is wrong, the origin reads
            // the raw body, unless only the inflated one is text.
            let is_sure = || format.has_magic_number() || base64::is_text(&data) && !base64::is_text(body);
            if !is_corrupt && is_sure() {
                return;
            }
        }
    }
    parse_text(body, types, root, sink);
}

/// Parses the body in its detected or declared character sets. The origin may ignore a declared one,
/// so the raw body is parsed as well.
fn parse_text<'a>(body: &'a [u8], types: &[&str], root: PointPath, sink: &mut Sink<'a, '_>) {
    let body = charset::without_marks(body);
    if let Some(text) = charset::read_detected(body) {
        parse_transcoded(&text, types, root, sink);
        // What looks like markup in wider units may be the preamble of parts, or the first field.
        if !types.iter().any(|it| starts_anywhere(it)) {
            return;
        }
    } else {
        let mut is_malformed = false;
        let mut texts = Vec::new();
        for label in labels(types, sink) {
            let transcoded = charset::read(&label, body);
            is_malformed |= transcoded.is_malformed;
            texts.extend(decoded(transcoded, sink));
        }
        // Files in other character sets, and binary ones.
        if is_malformed && !types.iter().any(|it| multipart::is_declared(it)) {
            sink.malformed.push((root, Malformed::Charset));
        }
        if texts.is_empty() {
            texts = decoded(charset::read_declared_in_xml(body), sink);
        }
        for text in texts {
            parse_transcoded(&text, types, root, sink);
        }
    }
    parse_plain(body, types, root, sink);
}

fn parse_transcoded(text: &[u8], types: &[&str], root: PointPath, sink: &mut Sink<'_, '_>) {
    let root = sink.arena.then(root, Tag::Charset);
    in_buffer(charset::NAME, sink, |inner| parse_plain(text, types, root, inner));
}

/// The texts in a declared character set; one that is not decoded here is reported.
pub(super) fn decoded(transcoded: Transcoded, sink: &mut Sink<'_, '_>) -> Vec<Vec<u8>> {
    if transcoded.is_unknown {
        sink.budget.undecodable(Limit::Charset);
    }
    transcoded.texts
}

/// The labels of the character sets of content types; more than a few are an overlimit.
pub(super) fn labels(types: &[impl AsRef<str>], sink: &mut Sink<'_, '_>) -> Vec<String> {
    let mut labels: Vec<String> = Vec::new();
    for label in types.iter().flat_map(|it| charset::labels(it.as_ref())) {
        if !labels.contains(&label) {
            labels.push(label);
        }
        if labels.len() > MAX_LABELS {
            break;
        }
    }
    limited(labels, sink)
}

fn limited(mut labels: Vec<String>, sink: &mut Sink<'_, '_>) -> Vec<String> {
    if labels.len() > MAX_LABELS {
        sink.budget.too_deep();
        labels.truncate(MAX_LABELS);
    }
    labels
}

/// Whether the values of this content type may begin behind other bytes.
fn starts_anywhere(content_type: &str) -> bool {
    let lower = content_type.to_ascii_lowercase();
    ["multipart/", "x-www-form-urlencoded", "yaml", "x-yml", "toml", "csv", "tab-separated", "graphql"]
        .iter()
        .any(|it| lower.contains(it))
}

/// Parses a decoded copy of the body; its fields outlive the buffer.
fn in_buffer<'b>(layer: &'static str, sink: &mut Sink<'_, '_>, read: impl FnOnce(&mut Sink<'b, '_>)) {
    let ((), added) = sink.parse_buffer(read);
    for field in &mut sink.fields[added] {
        field.decoded.insert(0, layer);
    }
}

/// Runs the matching parsers of each content type. The body is also inspected as one value, unless
/// the parsers cover it.
fn parse_plain<'a>(body: &'a [u8], types: &[&str], root: PointPath, sink: &mut Sink<'a, '_>) {
    // A body that is JSON only at its start may still be a form to the origin.
    if json::looks_like_json(body) {
        let json = sink.arena.then(root, Tag::JsonDoc);
        // The same holds for a truncated one, unless it is declared.
        let is_declared =
            !types.is_empty() && types.iter().all(|it| it.to_ascii_lowercase().contains("json"));
        let parse = if sink.is_truncated && is_declared { json::parse_truncated } else { json::parse };
        if parse(body, json, sink) {
            return;
        }
    }
    let types = if types.is_empty() { &[""][..] } else { types };
    let covered = types.iter().filter(|it| parse_as(body, it, root, sink)).count();
    if covered < types.len() {
        sink.push_value(root, body);
    }
}

/// Runs the parsers of a content type; `false` when the body must also be inspected as one value.
fn parse_as<'a>(body: &'a [u8], content_type: &str, root: PointPath, sink: &mut Sink<'a, '_>) -> bool {
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
    add_transcoded(start, declared_form.then_some(content_type), sink);
    declared_form || is_multipart
}

/// Adds a copy of each value, from this field on, that differs in the character set of the form: the
/// bytes of a form are percent-encoded in it.
fn add_transcoded(start: usize, content_type: Option<&str>, sink: &mut Sink<'_, '_>) {
    let mut labels = labels(content_type.as_slice(), sink);
    labels.retain(|label| !charset::is_utf8(label));
    let end = sink.fields.len();
    for field in &sink.fields[start..end] {
        if field.kind != FieldKind::Value || sink.arena.last_name(field.point) != Some(CHARSET_FIELD) {
            continue;
        }
        let label = String::from_utf8_lossy(&field.value).trim().to_ascii_lowercase();
        if !labels.contains(&label) {
            labels.push(label);
        }
        if labels.len() > MAX_LABELS {
            break;
        }
    }
    for label in limited(labels, sink) {
        for at in start..end {
            let Field { point, kind, value, decoded: layers, .. } = &sink.fields[at];
            let (point, kind, layers) = (*point, *kind, [&layers[..], &[charset::NAME]].concat());
            let transcoded = charset::read(&label, value);
            for text in decoded(transcoded, sink) {
                let mut copy = Field::new(point, kind, text);
                copy.decoded.clone_from(&layers);
                if !sink.push(copy) {
                    return;
                }
            }
        }
    }
}
