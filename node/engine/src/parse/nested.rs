//! Nested formats in a value: JSON in a parameter, base64 in a cookie, XML in a body.

use super::{Sink, body, file, gql, json, jwt, saml, xml};
use crate::{
    budget::MAX_DEPTH,
    decode::{base64, charset, hex, inflate},
    field::Field,
    point_path::{PointArena, PointPath},
    prefilter::Bytes,
};
use shared::{Point, point::Tag};
use std::ops::Range;

/// The result of parsing a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nested {
    /// No nested format.
    Nothing,
    /// Nested fields; the value must still be inspected as a whole.
    Parts,
    /// Nested fields that cover the value: it is not inspected as a whole.
    Whole,
}

/// Adds the fields nested in `value`, a decoding stage of `parent`.
pub(crate) fn parse_nested(
    value: &[u8],
    bytes: Bytes,
    parent: &Field<'_>,
    sink: &mut Sink<'_, '_>,
) -> Nested {
    let value = charset::without_marks(value);
    let saml = || saml::is_message(value, || sink.arena.last_name(parent.point)).then_some(Inside::Message);
    let Some(inside) =
        Inside::of(value, bytes).or_else(saml).filter(|it| !it.is_parsed_already(value, parent, sink.arena))
    else {
        return Nested::Nothing;
    };
    if parent.depth >= MAX_DEPTH {
        sink.budget.too_deep();
        return Nested::Parts;
    }
    let whole = match inside {
        Inside::Json => {
            let root = sink.arena.then(parent.point, Tag::JsonDoc);
            sink.parse_buffer(|inner| json::parse(value, root, inner)).0
        }
        // Markup in a parameter may be rendered by a browser, which treats an XML prolog as a
        // comment.
        Inside::Xml => {
            add_transcoded(value, parent, sink);
            let root = sink.arena.then(parent.point, Tag::Xml);
            xml::parse(value, root, sink) && is_body(&sink.arena.point(parent.point))
        }
        Inside::Gql(literals) => {
            let root = sink.arena.then(parent.point, Tag::Gql);
            gql::parse(value, literals, root, sink);
            // A shorthand may also be a template: `{system("id")}`.
            !value.trim_ascii_start().starts_with(b"{")
        }
        Inside::Jwt(header, payload) => {
            let root = sink.arena.then(parent.point, Tag::Jwt);
            jwt::parse((header, payload), root, sink);
            true
        }
        Inside::Compressed(format) => {
            let inflated = inflate::inflate(value, format, sink.budget);
            let is_valid = inflated.is_some();
            if let Some(text) = inflated {
                add(text, Tag::Gzip, "gzip", parent, sink);
            }
            is_valid
        }
        Inside::Message => {
            if let Some((tag, layer, text)) = saml::decoded(value, sink.budget) {
                add(text, tag, layer, parent, sink);
            }
            false
        }
        Inside::File => {
            file::parse(value, parent.point, sink);
            false
        }
        Inside::SplitTexts(texts) => {
            add_joined(texts, parent, sink);
            false
        }
        Inside::Text(tag, layer, text) => {
            add(text, tag, layer, parent, sink);
            false
        }
    };
    if whole { Nested::Whole } else { Nested::Parts }
}

/// Adds the text decoded from the whole value.
fn add(text: Vec<u8>, tag: Tag, layer: &'static str, parent: &Field<'_>, sink: &mut Sink<'_, '_>) {
    let point = sink.arena.then(parent.point, tag);
    add_at(point, text, layer, parent, sink);
}

/// Adds the joined texts of markup at the point of the value.
fn add_joined(texts: Vec<Vec<u8>>, parent: &Field<'_>, sink: &mut Sink<'_, '_>) {
    for text in texts {
        add_at(parent.point, text, xml::SPLIT, parent, sink);
    }
}

fn add_at(point: PointPath, text: Vec<u8>, layer: &'static str, parent: &Field<'_>, sink: &mut Sink<'_, '_>) {
    let mut field = Field::new(point, parent.kind, text);
    field.decoded = parent.decoded.iter().copied().chain([layer]).collect();
    sink.push(field);
}

/// Adds an XML document in the character set that it declares.
fn add_transcoded(document: &[u8], parent: &Field<'_>, sink: &mut Sink<'_, '_>) {
    if is_transcoded(parent.point, sink.arena) {
        return;
    }
    for text in body::decoded(charset::read_declared_in_xml(document), sink) {
        add(text, Tag::Charset, charset::NAME, parent, sink);
    }
}

/// Whether the text was decoded by the declaration in it, which is still there.
fn is_transcoded(point: PointPath, arena: &PointArena) -> bool {
    arena.last_tag(point) == Some(&Tag::Charset)
}

/// Whether this is the point of the body itself, compressed or not.
fn is_body(point: &Point) -> bool {
    let [first, rest @ ..] = point.0.as_slice() else { return false };
    first.tag == Tag::Post
        && rest.iter().all(|step| matches!(step.tag, Tag::Gzip | Tag::Brotli | Tag::Charset))
}

enum Inside<'v> {
    Json,
    Xml,
    Gql(Vec<Range<usize>>),
    Jwt(&'v [u8], &'v [u8]),
    Compressed(inflate::Format),
    /// A SAML message.
    Message,
    /// A file with metadata.
    File,
    /// Texts of markup, joined. They stand where the value stands, as it may be any text.
    SplitTexts(Vec<Vec<u8>>),
    Text(Tag, &'static str, Vec<u8>),
}

impl<'v> Inside<'v> {
    /// Declarations come from an XML document; parsing them as one again would not terminate.
    /// A later decoding stage of a file has the same metadata.
    fn is_parsed_already(&self, value: &[u8], parent: &Field<'_>, arena: &PointArena) -> bool {
        match self {
            Self::Xml => matches!(arena.last_tag(parent.point), Some(Tag::XmlDtd | Tag::XmlDtdEntity)),
            Self::File => value.as_ptr() != parent.value.as_ptr(),
            _ => false,
        }
    }

    fn of(value: &'v [u8], bytes: Bytes) -> Option<Self> {
        let first = *value.trim_ascii_start().first()?;
        if first == b'{'
            && let Some(literals) = gql::literals(value)
        {
            return Some(Self::Gql(literals));
        }
        match first {
            b'{' | b'[' | b'/' | b')' | 0xEF if json::looks_like_container(value) => return Some(Self::Json),
            b'<' if xml::looks_like_xml(value) => return Some(Self::Xml),
            b'P' | b'%' | b'G' | b'R' | b'I' | b'M' | 0x89 | 0xFF if file::is_supported(value) => {
                return Some(Self::File);
            }
            0 | b'<' | 0xFE | 0xFF => {
                if let Some(text) = charset::read_detected(value) {
                    return Some(Self::Text(Tag::Charset, charset::NAME, text));
                }
            }
            b'q' | b'm' | b's' | b'f' => {
                if let Some(literals) = gql::literals(value) {
                    return Some(Self::Gql(literals));
                }
            }
            0x1F | 0x78 => {
                if let Some(format) = inflate::Format::detect(value) {
                    return Some(Self::Compressed(format));
                }
            }
            _ => {}
        }
        if bytes.has(Bytes::OPEN_TAG) {
            let texts = xml::split_texts(value);
            if !texts.is_empty() {
                return Some(Self::SplitTexts(texts));
            }
        }
        if bytes.has(Bytes::DOT)
            && let Some((header, payload)) = jwt::parts(value)
        {
            return Some(Self::Jwt(header, payload));
        }
        if let Some(text) = hex::decode(value) {
            return Some(Self::Text(Tag::Hex, hex::NAME, text));
        }
        if !base64::is_possible(bytes) {
            return None;
        }
        // A path may be a slash followed by base64.
        let text = base64::decode(value.strip_prefix(b"/").unwrap_or(value))?;
        Some(Self::Text(Tag::Base64, base64::NAME, text))
    }
}
