//! YAML parser: names and values line by line, without the document's structure. An origin reads the
//! whole syntax; an attack in it is one scalar.

use super::Sink;
use crate::point_path::PointPath;
use shared::point::Tag;
use std::borrow::Cow;

/// Whether a content type declares YAML, also as `application/apply-patch+yaml`.
pub(super) fn is_declared(content_type: &str) -> bool {
    content_type.contains("yaml") || content_type.contains("text/x-yml")
}

/// Adds each key and each scalar. YAML contains JSON, so points are those of JSON.
pub(super) fn parse<'a>(body: &'a [u8], root: PointPath, sink: &mut Sink<'a, '_>) {
    let document = sink.arena.then(root, Tag::JsonDoc);
    let names = sink.arena.then(document, Tag::Name);
    let mut lines = body.split(|&byte| byte == b'\n').peekable();
    while let Some(line) = lines.next() {
        let Some((key, value)) = entry(line) else { continue };
        let indented = |it: &&[u8]| it.trim_ascii().is_empty() || indent(it) > indent(line);
        let value = if is_block(value) {
            let mut text: Vec<u8> = Vec::new();
            while let Some(next) = lines.next_if(indented) {
                text.extend_from_slice(next.trim_ascii());
                text.push(b'\n');
            }
            Cow::Owned(text)
        } else {
            scalar(value)
        };
        let fits = sink.item(|sink| {
            let point = match &key {
                Some(key) => sink.arena.named(document, Tag::Hash, key),
                None => sink.arena.indexed(document, Tag::Array, 0),
            };
            key.is_none_or(|key| sink.push_name(names, key)) && sink.push_value(point, value)
        });
        if !fits {
            return;
        }
    }
}

/// A key, if any, and the text after it.
type Entry<'l> = (Option<Cow<'l, [u8]>>, &'l [u8]);

fn entry(line: &[u8]) -> Option<Entry<'_>> {
    let mut text = line.trim_ascii();
    while let Some(item) = text.strip_prefix(b"- ").or(text.strip_prefix(b"? ")) {
        text = item.trim_ascii_start();
    }
    if text.is_empty() || text.starts_with(b"#") || matches!(text, b"---" | b"..." | b"-") {
        return None;
    }
    let end = key_end(text).filter(|end| *end > 0);
    Some(match end {
        Some(end) => (Some(scalar(&text[..end])), text[end + 1..].trim_ascii()),
        None => (None, text),
    })
}

/// The position of the colon after the key: at the end or before a blank, and outside of quotes.
fn key_end(text: &[u8]) -> Option<usize> {
    let quoted = match text {
        [quote @ (b'"' | b'\''), rest @ ..] => memchr::memchr(*quote, rest)? + 2,
        [b'{' | b'[', ..] => return None,
        _ => 0,
    };
    let is_end = |at: &usize| text.get(at + 1).is_none_or(u8::is_ascii_whitespace);
    memchr::memchr_iter(b':', &text[quoted.min(text.len())..]).map(|at| quoted + at).find(is_end)
}

fn indent(line: &[u8]) -> usize {
    line.iter().take_while(|byte| **byte == b' ').count()
}

/// `|`, `>-`: the scalar follows on indented lines.
fn is_block(value: &[u8]) -> bool {
    value.len() <= 3 && matches!(value.first(), Some(b'|' | b'>'))
}

/// A scalar without its quotes.
fn scalar(text: &[u8]) -> Cow<'_, [u8]> {
    match text {
        [b'"', inside @ .., b'"'] => match serde_json::from_slice::<String>(text) {
            Ok(text) => Cow::Owned(text.into_bytes()),
            Err(_) => Cow::Borrowed(inside),
        },
        [b'\'', inside @ .., b'\''] => Cow::Borrowed(inside),
        _ => Cow::Borrowed(text),
    }
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
        sink.fields.iter().map(|field| String::from_utf8_lossy(&field.value).into_owned()).collect()
    }

    #[test]
    fn adds_keys_and_scalars() {
        assert_eq!(
            values("name: alice\n- \"a\\u003cb\": 'c: d'\n# no\n---\n- e"),
            ["name", "alice", "a<b", "c: d", "e"]
        );
        assert_eq!(values("url: http://a.example/x"), ["url", "http://a.example/x"]);
    }

    #[test]
    fn joins_the_lines_of_a_block() {
        assert_eq!(values("run: |\n  cat a\n\n  id\nnext: 1"), ["run", "cat a\n\nid\n", "next", "1"]);
    }
}
