//! TOML parser: the strings with the names of their keys, without the structure of the document.
//! Numbers and dates are no values. Points are those of JSON, as for YAML.

use super::{Sink, json};
use crate::point_path::PointPath;
use memchr::memmem;
use shared::point::Tag;
use std::borrow::Cow;

/// Whether a content type, in lower case, declares TOML.
pub(super) fn is_declared(content_type: &str) -> bool {
    content_type.contains("toml")
}

/// Adds each key and each string.
pub(super) fn parse<'a>(body: &'a [u8], root: PointPath, sink: &mut Sink<'a, '_>) {
    let document = sink.arena.then(root, Tag::JsonDoc);
    let names = sink.arena.then(document, Tag::Name);
    let mut point = document;
    let mut rest = body;
    while let Some(&byte) = rest.first() {
        let (text, length) = match byte {
            b'"' | b'\'' => string(rest),
            b'#' => (None, memchr::memchr(b'\n', rest).unwrap_or(rest.len())),
            byte if is_bare(byte) => {
                let length = rest.iter().take_while(|byte| is_bare(**byte)).count();
                (Some(Cow::Borrowed(&rest[..length])), length)
            }
            _ => (None, 1),
        };
        let is_bare = is_bare(byte);
        rest = &rest[length..];
        let Some(text) = text else { continue };
        let is_key = rest.trim_ascii_start().starts_with(b"=");
        let fits = if is_key {
            point = sink.arena.named(document, Tag::Hash, &text);
            sink.push_name(names, text)
        } else {
            is_bare || sink.push_value(point, text)
        };
        if !fits {
            return;
        }
    }
}

fn is_bare(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// The string that starts here, and the length of it with its quotes. One that is not closed reaches
/// to the end.
fn string(text: &[u8]) -> (Option<Cow<'_, [u8]>>, usize) {
    let is_basic = text[0] == b'"';
    let quotes = if text.starts_with(b"\"\"\"") || text.starts_with(b"'''") { 3 } else { 1 };
    let (quote, inside) = (&text[..quotes], &text[quotes..]);
    let mut ends = memmem::find_iter(inside, quote);
    let is_end = |at: &usize| {
        let escapes = inside[..*at].iter().rev().take_while(|byte| **byte == b'\\').count();
        !is_basic || escapes.is_multiple_of(2)
    };
    let end = ends.find(is_end).unwrap_or(inside.len());
    let value = &inside[..end];
    let value = if is_basic { Cow::Owned(json::unescaped(value)) } else { Cow::Borrowed(value) };
    (Some(value), (end + 2 * quotes).min(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{budget::Budget, point_path::PointArena};

    fn values(body: &str) -> Vec<String> {
        let (mut budget, mut arena) = (Budget::for_request(), PointArena::default());
        let root = arena.then(None, Tag::Post);
        let mut sink = Sink::new(0, &mut budget, &mut arena);
        parse(body.as_bytes(), root, &mut sink);
        let fields = sink.fields.iter();
        fields
            .map(|it| format!("{} = {}", sink.arena.point(it.point), String::from_utf8_lossy(&it.value)))
            .collect()
    }

    #[test]
    fn adds_keys_and_strings() {
        assert_eq!(
            values(
                "a = \"\\u003Cb> \\\"c\\\"\" # \"no\"\n[[d.e]]\n'f g' = ['''x\ny''', 1, 2026-01-02]\nh.i = { j = 'k' }\n"
            ),
            [
                "post > json_doc > name = a",
                "post > json_doc > hash:a = <b> \"c\"",
                "post > json_doc > name = f g",
                "post > json_doc > hash:f g = x\ny",
                "post > json_doc > name = i",
                "post > json_doc > name = j",
                "post > json_doc > hash:j = k",
            ]
        );
        assert_eq!(values("a = \"open"), ["post > json_doc > name = a", "post > json_doc > hash:a = open"]);
        assert_eq!(
            values("a = \"\"\"open\"\""),
            ["post > json_doc > name = a", "post > json_doc > hash:a = open\"\""]
        );
    }

    #[test]
    fn nesting_takes_no_stack() {
        let open = "{a.b = ".repeat(100_000);
        assert!(values(&open).iter().all(|it| it.ends_with("name = b")));
    }
}
