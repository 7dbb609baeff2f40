//! Lenient JSON parser without recursion: truncated and malformed documents are parsed up
//! to the error.

pub mod prefix;
mod text;

use super::Sink;
use crate::{
    budget::MAX_DOCUMENT_DEPTH,
    digest::{self, DigestSet},
    point_path::{Mark, PointPath},
};
use prefix::{Comment, after_prefix};
use shared::point::Tag;
use std::hash::RandomState;
use text::read_string;

pub(super) use prefix::{looks_like_container, looks_like_json};
pub(super) use text::unescaped;

/// Adds every string, key and comment. `false` when the bytes are not JSON to their end.
pub(super) fn parse<'a>(bytes: &'a [u8], root: PointPath, sink: &mut Sink<'a, '_>) -> bool {
    JsonParser::new(bytes, root, sink).run()
}

/// The same for a truncated document: `true` when nothing but its end is missing.
pub(super) fn parse_truncated<'a>(bytes: &'a [u8], root: PointPath, sink: &mut Sink<'a, '_>) -> bool {
    let mut parser = JsonParser::new(bytes, root, sink);
    parser.run() || parser.at >= bytes.len() && !parser.has_words
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
    /// Set by words that are no values of JSON: the document may be a command in another language.
    has_words: bool,
    sink: &'w mut Sink<'a, 'b>,
}

impl<'w, 'a, 'b> JsonParser<'w, 'a, 'b> {
    fn new(bytes: &'a [u8], root: PointPath, sink: &'w mut Sink<'a, 'b>) -> Self {
        let names = sink.arena.then(root, Tag::Name);
        let (key, seen, open) = (RandomState::new(), DigestSet::default(), Vec::new());
        Self { bytes, at: 0, root, names, keys: 0, key, seen, open, has_words: false, sink }
    }

    fn run(&mut self) -> bool {
        while let Some(&byte) = self.bytes.get(self.at) {
            if !self.step(byte) {
                return false;
            }
        }
        self.open.is_empty() && !self.has_words
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
            0xEF | b')' => return self.prefix(),
            _ => return self.scalar(),
        }
        true
    }

    /// Lenient parsers skip comments; to another program, their text may be a part of the value.
    fn comment(&mut self) -> bool {
        let rest = &self.bytes[self.at..];
        let Some(Comment { text, end }) = Comment::at(rest) else { return false };
        self.at += end;
        self.sink.push_value(self.root, text.trim_ascii())
    }

    /// Skips what precedes a document.
    fn prefix(&mut self) -> bool {
        let rest = &self.bytes[self.at..];
        let skipped = rest.len() - after_prefix(rest).len();
        self.at += skipped;
        skipped > 0 && self.open.is_empty()
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
        self.has_words |= !is_literal(&rest[..length]);
        length > 0 && length < 512 && !self.expects_key()
    }
}

/// Whether a word is a number, a date or a name that JSON or a lenient parser knows.
fn is_literal(word: &[u8]) -> bool {
    matches!(word, b"true" | b"false" | b"null" | b"NaN" | b"Infinity" | b"undefined")
        || word.first().is_some_and(|byte| !byte.is_ascii_alphabetic())
}
