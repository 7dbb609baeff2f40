//! Schemaless parser of Protocol Buffers and gRPC frames: texts are fields, nested messages are
//! parsed.

use super::Sink;
use crate::{
    decode::{
        base64,
        inflate::{self, Format},
    },
    point_path::PointPath,
};
use shared::point::Tag;

/// The most levels of nested messages; any text may parse as a message.
const MAX_MESSAGES: usize = 16;

/// Whether a content type, in lower case, declares Protocol Buffers or gRPC.
pub(super) fn is_declared(content_type: &str) -> bool {
    ["protobuf", "application/grpc", "application/x-protobuf"].iter().any(|it| content_type.contains(it))
}

/// Adds every text. `false` when the body is in another format.
pub(super) fn parse(body: &[u8], content_type: &str, root: PointPath, sink: &mut Sink<'_, '_>) -> bool {
    // A stream of messages is a stream of parts, each padded.
    let decoded = content_type.contains("grpc-web-text").then(|| base64::decode_declared(body)).flatten();
    let body = decoded.as_deref().unwrap_or(body);
    let message = |bytes: &[u8], root: PointPath, sink: &mut Sink<'_, '_>| {
        let root = sink.arena.then(root, Tag::Protobuf);
        is_message(bytes) && parse_message(bytes, root, MAX_MESSAGES, sink)
    };
    if !content_type.contains("grpc") {
        return message(body, root, sink);
    }
    let root = sink.arena.then(root, Tag::Grpc);
    let mut rest = body;
    while let Some((frame, after)) = frame(rest) {
        rest = after;
        let inflated = Format::detect(frame).and_then(|format| inflate::inflate(frame, format, sink.budget));
        if !message(inflated.as_deref().unwrap_or(frame), root, sink) {
            return false;
        }
    }
    rest.is_empty() && !body.is_empty()
}

/// The message of a gRPC frame (one byte of flags, four of length) and the rest.
fn frame(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&[_flags, a, b, c, d], rest) = bytes.split_first_chunk()?;
    let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).ok()?;
    rest.split_at_checked(length)
}

/// The number of a field and its content.
type Content<'m> = (u64, &'m [u8]);

/// Iterator over the length-delimited fields of a message; the others are numbers.
struct Contents<'m> {
    rest: &'m [u8],
    /// Set when a field is malformed, which ends the iteration.
    broken: bool,
}

impl<'m> Iterator for Contents<'m> {
    type Item = Content<'m>;

    fn next(&mut self) -> Option<Content<'m>> {
        while !self.rest.is_empty() {
            let Some((content, rest)) = field(self.rest) else {
                self.broken = true;
                return None;
            };
            self.rest = rest;
            if content.is_some() {
                return content;
            }
        }
        None
    }
}

/// The content of the first field, if it is length-delimited, and the rest.
fn field(bytes: &[u8]) -> Option<(Option<Content<'_>>, &[u8])> {
    let (key, rest) = varint(bytes)?;
    let number = key >> 3;
    if number == 0 || number >= 1 << 29 {
        return None;
    }
    let rest = match key & 7 {
        0 => varint(rest)?.1,
        1 => rest.get(8..)?,
        5 => rest.get(4..)?,
        2 => {
            let (length, rest) = varint(rest)?;
            let (content, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
            return Some((Some((number, content)), rest));
        }
        _ => return None,
    };
    Some((None, rest))
}

fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0;
    for (at, &byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7F).checked_shl(u32::try_from(7 * at).ok()?)?;
        if byte & 0x80 == 0 {
            return Some((value, &bytes[at + 1..]));
        }
    }
    None
}

fn is_message(bytes: &[u8]) -> bool {
    let mut contents = Contents { rest: bytes, broken: false };
    contents.by_ref().for_each(drop);
    !bytes.is_empty() && !contents.broken
}

/// `false` when the budget is exhausted.
fn parse_message(bytes: &[u8], root: PointPath, depth: usize, sink: &mut Sink<'_, '_>) -> bool {
    if depth == 0 {
        sink.budget.too_deep();
        return false;
    }
    Contents { rest: bytes, broken: false }.all(|(number, content)| {
        sink.item(|sink| {
            let point = sink.arena.indexed(root, Tag::Hash, number);
            let is_inner = is_message(content);
            // Bytes may be valid as a text and as a message; then both are inspected.
            let is_text = std::str::from_utf8(content).is_ok_and(|text| !text.contains('\0'));
            let fits = is_inner && !is_text || sink.push_value(point, content.to_vec());
            fits && (!is_inner || parse_message(content, point, depth - 1, sink))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{budget::Budget, field::Field, point_path::PointArena};
    use ::base64::{Engine as _, engine::general_purpose::STANDARD};

    /// Field 1 a number, field 2 a text, field 3 a message with a text in its field 1.
    const MESSAGE: &[u8] = b"\x08\x96\x01\x12\x08' or 1=1\x1a\x08\x0a\x04eve!\x10\x00";

    fn texts(body: &[u8], content_type: &str) -> (bool, Vec<String>) {
        let mut budget = Budget::for_request();
        let mut arena = PointArena::default();
        let post = arena.then(None, Tag::Post);
        let mut sink = Sink::new(0, &mut budget, &mut arena);
        let is_whole = parse(body, content_type, post, &mut sink);
        let shown = |field: &Field<'_>| {
            format!("{} = {}", sink.arena.point(field.point), String::from_utf8_lossy(&field.value))
        };
        (is_whole, sink.fields.iter().map(shown).collect())
    }

    fn framed(message: &[u8]) -> Vec<u8> {
        let length = u32::try_from(message.len()).unwrap().to_be_bytes();
        [&[0], length.as_slice(), message].concat()
    }

    #[test]
    fn texts_of_nested_messages_are_fields() {
        let (is_whole, texts) = texts(MESSAGE, "application/x-protobuf");
        assert!(is_whole);
        assert!(texts.contains(&"post > protobuf > hash:2 = ' or 1=1".to_owned()), "{texts:?}");
        assert!(texts.contains(&"post > protobuf > hash:3 > hash:1 = eve!".to_owned()), "{texts:?}");
    }

    #[test]
    fn grpc_frames_are_split_also_in_base64() {
        let frames = [framed(MESSAGE), framed(b"\x0a\x01a")].concat();
        let text = STANDARD.encode(&frames).into_bytes();
        let parts = [framed(MESSAGE), framed(b"\x0a\x01a")].map(|frame| STANDARD.encode(frame)).concat();
        assert!(parts.contains("=A"), "a padded part precedes another: {parts}");
        for (body, content_type) in [
            (frames, "application/grpc+proto"),
            (text, "application/grpc-web-text"),
            (parts.into_bytes(), "application/grpc-web-text+proto"),
        ] {
            let (is_whole, texts) = texts(&body, content_type);
            assert!(is_whole, "{content_type}");
            assert!(texts.contains(&"post > grpc > protobuf > hash:2 = ' or 1=1".to_owned()), "{texts:?}");
            assert!(texts.contains(&"post > grpc > protobuf > hash:1 = a".to_owned()), "{texts:?}");
        }
    }

    #[test]
    fn rejects_bodies_that_are_not_messages() {
        for body in [b"id=1' or 1=1".as_slice(), b"", b"\x12\xFFcut"] {
            assert!(!texts(body, "application/x-protobuf").0);
            assert!(!texts(body, "application/grpc").0);
        }
    }

    #[test]
    fn deep_nesting_exhausts_the_budget() {
        let nested = (0..40).fold(vec![0x0a, 0], |inner, _| {
            [&[0x0a, u8::try_from(inner.len()).unwrap()], inner.as_slice()].concat()
        });
        let mut budget = Budget::for_request();
        let mut arena = PointArena::default();
        let post = arena.then(None, Tag::Post);
        let mut sink = Sink::new(0, &mut budget, &mut arena);
        parse(&nested, "application/protobuf", post, &mut sink);
        assert!(budget.exhausted().is_some());
    }
}
