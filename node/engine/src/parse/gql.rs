//! GraphQL parser: string literals and comments are values; syntax is not inspected.

use super::{Sink, json};
use crate::point_path::PointPath;
use std::ops::Range;

/// The ranges of the string literals and the comments in a GraphQL document; `None` when the value is not one to its
/// end.
pub(super) fn literals(value: &[u8]) -> Option<Vec<Range<usize>>> {
    let text = value.trim_ascii();
    let word = text.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let is_keyword = matches!(&text[..word], b"query" | b"mutation" | b"subscription" | b"fragment");
    let is_short = is_shorthand(text);
    if !is_keyword && !is_short || memchr::memchr(b'{', text).is_none() {
        return None;
    }
    let (mut literals, mut comments) = (Vec::new(), Vec::new());
    let mut open = Vec::new();
    let mut at = 0;
    while let Some(&byte) = value.get(at) {
        match byte {
            b'"' => {
                let literal = literal(&value[at..])?;
                literals.push(at + literal.start..at + literal.end);
                at += literal.end + literal.start;
                continue;
            }
            b'#' => {
                let end = at + memchr::memchr(b'\n', &value[at..])?;
                comments.push(at + 1..end);
                at = end;
            }
            b'{' | b'(' | b'[' => open.push(byte),
            b'}' | b')' | b']' => {
                let closes = open.pop().map(|byte| if byte == b'(' { b')' } else { byte + 2 });
                if closes != Some(byte) {
                    return None;
                }
            }
            _ if is_syntax(byte) => {}
            _ => return None,
        }
        at += 1;
    }
    // A shorthand without literals has nothing to inspect, and may be another format.
    let is_document = open.is_empty() && !(is_short && literals.is_empty());
    literals.extend(comments);
    is_document.then_some(literals)
}

/// `{ user(id: "1") { name } }`: a selection without a keyword. JSON has a quote where this has a
/// name.
fn is_shorthand(text: &[u8]) -> bool {
    let Some(selection) = text.strip_prefix(b"{") else { return false };
    let name = selection.trim_ascii_start();
    let length = name.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    length > 0 && matches!(name[length..].trim_ascii_start(), [b'(' | b':', ..])
}

/// The content of a string or a block string (`"""`).
fn literal(value: &[u8]) -> Option<Range<usize>> {
    if value.starts_with(b"\"\"\"") {
        return memchr::memmem::find(&value[3..], b"\"\"\"").map(|end| 3..3 + end);
    }
    let mut at = 1;
    loop {
        at += memchr::memchr2(b'"', b'\\', value.get(at..)?)?;
        if value[at] == b'"' {
            return Some(1..at);
        }
        at += 2;
    }
}

fn is_syntax(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte.is_ascii_whitespace() || b"_!$&.,:=@|+-".contains(&byte)
}

pub(super) fn parse(value: &[u8], literals: Vec<Range<usize>>, point: PointPath, sink: &mut Sink<'_, '_>) {
    literals.into_iter().all(|literal| sink.push_value(point, json::unescaped(&value[literal])));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Option<Vec<&str>> {
        literals(value.as_bytes()).map(|ranges| ranges.into_iter().map(|it| &value[it]).collect())
    }

    #[test]
    fn only_literals_and_comments_are_values() {
        let document = "query Q($id: ID!) { user(id: $id, name: \"a\\\"b\") { ...F @skip(if: true) } } # x\n";
        assert_eq!(read(document), Some(vec!["a\\\"b", " x"]));
        assert_eq!(read("{ user(id: \"a\") { name } }"), Some(vec!["a"]));
        assert_eq!(read("mutation { a(b: \"\"\"x \" y\"\"\", c: [1.5, \"z\"]) }"), Some(vec!["x \" y", "z"]));
    }

    #[test]
    fn rejects_incomplete_documents_and_other_formats() {
        for text in [
            "query",
            "query { a",
            "query {a)} ",
            "{ a }",
            "{ a(b: 1) }",
            "{\"a\": \"b\"}",
            "{{ a(\"b\") }}",
            "{a: 'b'}",
            "query { a } ' or 1=1",
            "query of {x} <b>",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
