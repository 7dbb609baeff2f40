//! Lenient JSON parser without recursion: truncated and malformed documents are parsed up
//! to the error.

use super::Sink;
use crate::{
    budget::MAX_DOCUMENT_DEPTH,
    digest::{self, DigestSet},
    point_path::{Mark, PointPath},
};
use shared::point::Tag;
use std::{borrow::Cow, hash::RandomState};

/// Whether these bytes start like an object, an array or a string.
pub(super) fn looks_like_json(bytes: &[u8]) -> bool {
    let trimmed = bytes.trim_ascii();
    match trimmed {
        [b'{', .., b'}'] | [b'[', .., b']'] | [b'"', .., b'"'] => true,
        // A body may be truncated, and a parser may stop at the closing bracket.
        [b'{', rest @ ..] => matches!(rest.trim_ascii_start(), [b'"', ..] | [b'/', b'/' | b'*', ..]),
        [b'[', rest @ ..] => matches!(rest.trim_ascii_start(), [b'"' | b'{' | b'[', ..]),
        _ => false,
    }
}

/// Adds every string and key. `false` when the bytes are not JSON to their end.
pub(super) fn parse<'a>(bytes: &'a [u8], root: PointPath, sink: &mut Sink<'a, '_>) -> bool {
    let names = sink.arena.then(root, Tag::Name);
    let (key, seen) = (RandomState::new(), DigestSet::default());
    JsonParser { bytes, at: 0, root, names, keys: 0, key, seen, open: Vec::new(), sink }.run()
}

/// Up to this many keys are not compared: hashing them would cost more than it saves.
const FEW: usize = 64;

/// An open bracket.
struct Open {
    kind: Bracket,
    /// The point of the bracket itself.
    point: PointPath,
    /// The point of its current value, once created.
    value: Option<PointPath>,
    /// The state when it opened: the points of a bracket without fields are removed again.
    before: State,
    /// The state when its current member or item began, with the same purpose.
    item: State,
}

/// The numbers of points and fields at some position.
#[derive(Clone, Copy)]
struct State {
    mark: Mark,
    fields: usize,
}

/// The type of a bracket and the position in it.
enum Bracket {
    Object { key_next: bool },
    Array { index: u64 },
}

impl State {
    fn of(sink: &Sink<'_, '_>) -> Self {
        Self { mark: sink.arena.mark(), fields: sink.fields.len() }
    }
}

struct JsonParser<'w, 'a, 'b> {
    bytes: &'a [u8],
    at: usize,
    root: PointPath,
    /// The one point of all keys.
    names: PointPath,
    keys: usize,
    /// The key of the digests.
    key: RandomState,
    /// Digests of the keys beyond a few: a repeated one is not inspected again.
    seen: DigestSet,
    open: Vec<Open>,
    sink: &'w mut Sink<'a, 'b>,
}

impl JsonParser<'_, '_, '_> {
    fn run(mut self) -> bool {
        while let Some(&byte) = self.bytes.get(self.at) {
            if !self.step(byte) {
                return false;
            }
        }
        self.open.is_empty()
    }

    /// Consumes one token; `false` when it is malformed or the budget is exhausted.
    fn step(&mut self, byte: u8) -> bool {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' | b':' => self.at += 1,
            b'{' => return self.enter(Bracket::Object { key_next: true }),
            b'[' => return self.enter(Bracket::Array { index: 0 }),
            b'}' | b']' => return self.leave(byte),
            b',' => return self.next(),
            b'"' => return self.string(),
            b'/' => return self.comment(),
            _ => return self.scalar(),
        }
        true
    }

    /// Lenient parsers skip `/* … */` and `// …`.
    fn comment(&mut self) -> bool {
        let rest = &self.bytes[self.at..];
        let length = match rest.get(1) {
            Some(b'/') => memchr::memchr(b'\n', rest),
            Some(b'*') => memchr::memmem::find(&rest[2..], b"*/").map(|end| end + 4),
            _ => return false,
        };
        self.at += length.unwrap_or(rest.len());
        length.is_some()
    }

    /// Only a string can be a key: `{{7+7}}` is a template, not JSON.
    fn expects_key(&self) -> bool {
        matches!(self.open.last(), Some(Open { kind: Bracket::Object { key_next: true }, .. }))
    }

    fn enter(&mut self, kind: Bracket) -> bool {
        if self.expects_key() {
            return false;
        }
        if self.open.len() == MAX_DOCUMENT_DEPTH {
            self.sink.budget.too_deep();
            return false;
        }
        self.at += 1;
        let before = State::of(self.sink);
        let point = self.here();
        let item = State::of(self.sink);
        self.open.push(Open { kind, point, value: None, before, item });
        true
    }

    fn leave(&mut self, byte: u8) -> bool {
        self.at += 1;
        let Some(left) = self.open.pop() else { return false };
        if left.before.fields == self.sink.fields.len() {
            self.sink.arena.truncate(left.before.mark);
            // The point of the value that was this bracket may be among the removed.
            if let Some(open) = self.open.last_mut() {
                open.value = open.value.filter(|value| value.is_before(left.before.mark));
            }
        }
        match left.kind {
            Bracket::Object { .. } => byte == b'}',
            Bracket::Array { .. } => byte == b']',
        }
    }

    fn next(&mut self) -> bool {
        self.at += 1;
        let Some(open) = self.open.last_mut() else { return false };
        if open.item.fields == self.sink.fields.len() {
            self.sink.arena.truncate(open.item.mark);
        }
        open.item = State::of(self.sink);
        open.value = None;
        match &mut open.kind {
            Bracket::Object { key_next } => *key_next = true,
            Bracket::Array { index } => *index += 1,
        }
        true
    }

    /// The point of the next value.
    fn here(&mut self) -> PointPath {
        let Some(open) = self.open.last_mut() else { return self.root };
        *open.value.get_or_insert_with(|| match open.kind {
            Bracket::Object { .. } => self.sink.arena.then(open.point, Tag::Hash),
            Bracket::Array { index } => self.sink.arena.indexed(open.point, Tag::Array, index),
        })
    }

    fn string(&mut self) -> bool {
        let (text, end, closed) = read_string(self.bytes, self.at + 1);
        self.at = end;
        let fits = match self.open.last_mut() {
            Some(Open { kind: Bracket::Object { key_next }, point, value, .. }) if *key_next => {
                *key_next = false;
                let here = self.sink.arena.named(*point, Tag::Hash, &text);
                *value = Some(here);
                // Keys share one point, but the parent of `prototype` decides whether it is an
                // attack.
                let is_prototype = *text == *b"prototype";
                if is_prototype {
                    let point = self.sink.arena.then(here, Tag::Name);
                    self.sink.push_name(point, text)
                } else {
                    self.keys += 1;
                    let is_known = self.keys > FEW && !self.seen.insert(digest::of_bytes(&self.key, &text));
                    is_known || self.sink.push_name(self.names, text)
                }
            }
            _ => {
                let here = self.here();
                self.sink.push_value(here, text)
            }
        };
        fits && closed
    }

    /// Skips a number, `true`, `false` or `null`; `false` for anything else.
    fn scalar(&mut self) -> bool {
        let word = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
        let rest = &self.bytes[self.at..];
        let length = rest.iter().take_while(|byte| word(byte)).count();
        self.at += length;
        length > 0 && length < 512 && !self.expects_key()
    }
}

/// The content of a string literal with its escapes decoded.
pub(super) fn unescaped(inside: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(inside.len());
    let mut at = 0;
    while let Some(&byte) = inside.get(at) {
        at += 1;
        if byte == b'\\' {
            at = read_escape(inside, at, &mut text);
        } else {
            text.push(byte);
        }
    }
    text
}

/// Reads a string from after its opening quote: its text, its end, and whether it is closed.
fn read_string(bytes: &[u8], start: usize) -> (Cow<'_, [u8]>, usize, bool) {
    let Some(stop) = memchr::memchr2(b'"', b'\\', &bytes[start..]) else {
        return (Cow::Borrowed(&bytes[start..]), bytes.len(), false);
    };
    if bytes[start + stop] == b'"' {
        return (Cow::Borrowed(&bytes[start..start + stop]), start + stop + 1, true);
    }
    // Escapes are dense where they occur at all, so the string is longer than its part before the first.
    let mut text = Vec::with_capacity((2 * stop + 64).min(bytes.len() - start));
    let mut at = start;
    loop {
        let Some(stop) = memchr::memchr2(b'"', b'\\', &bytes[at..]) else {
            text.extend_from_slice(&bytes[at..]);
            return (Cow::Owned(text), bytes.len(), false);
        };
        text.extend_from_slice(&bytes[at..at + stop]);
        at += stop + 1;
        if bytes[at - 1] == b'"' {
            return (Cow::Owned(text), at, true);
        }
        at = read_escape(bytes, at, &mut text);
        // In nested JSON escapes follow each other: searching for each would cost more than reading it.
        while bytes.get(at) == Some(&b'\\') {
            at = read_escape(bytes, at + 1, &mut text);
        }
    }
}

/// Decodes an escape from after its backslash; returns its end.
fn read_escape(bytes: &[u8], at: usize, text: &mut Vec<u8>) -> usize {
    let Some(&byte) = bytes.get(at) else { return at };
    match byte {
        b'n' => text.push(b'\n'),
        b'r' => text.push(b'\r'),
        b't' => text.push(b'\t'),
        b'b' => text.push(8),
        b'f' => text.push(12),
        b'u' => return read_unicode(bytes, at + 1, text),
        other => text.push(other),
    }
    at + 1
}

fn read_unicode(bytes: &[u8], at: usize, text: &mut Vec<u8>) -> usize {
    let Some(high) = hex4(bytes, at) else { return at };
    let low = if bytes.get(at + 4..at + 6) == Some(b"\\u") { hex4(bytes, at + 6) } else { None };
    let pair = low.and_then(|low| char::decode_utf16([high, low]).next()?.ok().filter(|it| *it > '\u{ffff}'));
    let single = char::from_u32(u32::from(high)).unwrap_or(char::REPLACEMENT_CHARACTER);
    let mut buffer = [0; 4];
    text.extend_from_slice(pair.unwrap_or(single).encode_utf8(&mut buffer).as_bytes());
    if pair.is_some() { at + 10 } else { at + 4 }
}

fn hex4(bytes: &[u8], at: usize) -> Option<u16> {
    let digits = std::str::from_utf8(bytes.get(at..at + 4)?).ok()?;
    u16::from_str_radix(digits, 16).ok()
}
