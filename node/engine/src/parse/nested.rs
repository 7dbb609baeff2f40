//! Fields inside fields: JSON in a parameter, base64 in a cookie, XML in a body.

use super::{Sink, gql, json, jwt, xml};
use crate::{
    budget::MAX_DEPTH,
    decode::{base64, charset, hex, inflate},
    field::Field,
    point_path::{PointArena, PointPath},
    prefilter::Bytes,
};
use shared::{Point, point::Tag};
use std::ops::Range;

/// What a value turned out to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nested {
    /// Nothing but itself.
    Nothing,
    /// Parts; it may mean something as a whole as well.
    Parts,
    /// Parts that speak for it: it need not be looked at as a whole.
    Whole,
}

/// Adds the fields found inside `value`, a layer of its parent.
pub(crate) fn parse_nested(
    value: &[u8],
    bytes: Bytes,
    parent: &Field<'_>,
    sink: &mut Sink<'_, '_>,
) -> Nested {
    let Some(inside) = Inside::of(value, bytes).filter(|it| !it.is_known(parent.point_path, sink.arena))
    else {
        return Nested::Nothing;
    };
    if parent.depth >= MAX_DEPTH {
        sink.budget.too_deep();
        return Nested::Parts;
    }
    let depth = parent.depth + 1;
    let whole = match inside {
        Inside::Json => {
            let root = sink.arena.then(parent.point_path, Tag::JsonDoc);
            sink.parse_buffer(|inner| json::parse(value, root, depth, inner)).0
        }
        // Markup in a parameter may be shown by a browser, to which a prolog is a comment.
        Inside::Xml => {
            let root = sink.arena.then(parent.point_path, Tag::Xml);
            xml::parse(value, root, depth, sink) && is_body(&sink.arena.point(parent.point_path))
        }
        Inside::Gql(literals) => {
            let root = sink.arena.then(parent.point_path, Tag::Gql);
            gql::parse(value, literals, root, depth, sink);
            // A shorthand may be a template as well: `{system("id")}`.
            !value.trim_ascii_start().starts_with(b"{")
        }
        Inside::Jwt(header, payload) => {
            let root = sink.arena.then(parent.point_path, Tag::Jwt);
            jwt::parse((header, payload), root, depth, sink);
            true
        }
        Inside::Compressed(format) => {
            let inflated = inflate::inflate(value, format, sink.budget);
            let is_sound = inflated.is_some();
            add(inflated, Tag::Gzip, "gzip", parent, sink);
            is_sound
        }
        Inside::Text(tag, layer, text) => {
            add(Some(text), tag, layer, parent, sink);
            false
        }
    };
    if whole { Nested::Whole } else { Nested::Parts }
}

/// Adds what was decoded from the whole of the value.
fn add(text: Option<Vec<u8>>, tag: Tag, layer: &'static str, parent: &Field<'_>, sink: &mut Sink<'_, '_>) {
    let Some(text) = text else { return };
    let point_path = sink.arena.then(parent.point_path, tag);
    let mut field = Field::new(point_path, parent.kind, text);
    field.decoded = parent.decoded.iter().copied().chain([layer]).collect();
    field.depth = parent.depth + 1;
    sink.push(field);
}

/// The body itself, compressed or not.
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
    Text(Tag, &'static str, Vec<u8>),
}

impl<'v> Inside<'v> {
    /// Declarations were taken from a document already; to read them as one would never end.
    fn is_known(&self, point_path: PointPath, arena: &PointArena) -> bool {
        matches!(self, Self::Xml)
            && matches!(arena.last_tag(point_path), Some(Tag::XmlDtd | Tag::XmlDtdEntity))
    }

    fn of(value: &'v [u8], bytes: Bytes) -> Option<Self> {
        let opens = value.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(value).trim_ascii_start().first();
        let opens = *opens?;
        if opens == b'{'
            && let Some(literals) = gql::literals(value)
        {
            return Some(Self::Gql(literals));
        }
        match opens {
            b'{' | b'[' if json::looks_like_json(value) => return Some(Self::Json),
            b'<' if xml::looks_like_xml(value) => return Some(Self::Xml),
            0 | b'<' | 0xFE | 0xFF => {
                return charset::read_utf16(value).map(|text| Self::Text(Tag::Charset, charset::NAME, text));
            }
            b'q' | b'm' | b's' | b'f' => {
                if let Some(literals) = gql::literals(value) {
                    return Some(Self::Gql(literals));
                }
            }
            0x1F | 0x78 => {
                if let Some(format) = inflate::Format::shown(value) {
                    return Some(Self::Compressed(format));
                }
            }
            _ => {}
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
        // A path is a slash and then, maybe, base64.
        let text = base64::decode(value.strip_prefix(b"/").unwrap_or(value))?;
        Some(Self::Text(Tag::Base64, base64::NAME, text))
    }
}
