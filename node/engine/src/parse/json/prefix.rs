//! What lenient parsers skip before a JSON document: byte order marks, white space, comments, and the
//! prefix against inclusion as a script.

use crate::decode::charset;

/// A prefix that keeps a browser from running the document as a script. Gson skips it.
const NO_SCRIPT: &[u8] = b")]}'";

/// Whether these bytes start like an object, an array or a string, after what lenient parsers skip.
pub(in crate::parse) fn looks_like_json(bytes: &[u8]) -> bool {
    match document(bytes).trim_ascii_end() {
        [b'{', .., b'}'] | [b'[', .., b']'] | [b'"', .., b'"'] => true,
        // A body may be truncated, and a parser may stop at the closing bracket.
        [b'{', rest @ ..] => matches!(skipped(rest), [b'"', ..]),
        [b'[', rest @ ..] => matches!(skipped(rest), [b'"' | b'{' | b'[', ..]),
        _ => false,
    }
}

/// Whether these bytes start like an object or an array.
pub(in crate::parse) fn looks_like_container(bytes: &[u8]) -> bool {
    matches!(document(bytes), [b'{' | b'[', ..]) && looks_like_json(bytes)
}

/// The bytes without what lenient parsers skip before a document.
pub fn document(bytes: &[u8]) -> &[u8] {
    let mut rest = bytes;
    loop {
        let before = rest.len();
        rest = skipped(after_prefix(rest));
        if rest.len() == before {
            return rest;
        }
    }
}

/// The bytes after byte order marks and the prefix.
pub fn after_prefix(bytes: &[u8]) -> &[u8] {
    let rest = charset::without_marks(bytes);
    rest.strip_prefix(NO_SCRIPT).map_or(rest, |rest| rest.strip_prefix(b",").unwrap_or(rest))
}

/// The bytes after white space and comments.
fn skipped(bytes: &[u8]) -> &[u8] {
    let mut rest = bytes.trim_ascii_start();
    while let Some(comment) = Comment::at(rest) {
        rest = rest.get(comment.end..).unwrap_or_default().trim_ascii_start();
    }
    rest
}

/// A comment at the start of some bytes.
pub struct Comment<'c> {
    pub text: &'c [u8],
    /// After its closing mark, if it has one.
    pub end: usize,
}

impl<'c> Comment<'c> {
    /// `/* … */`, or `// …` to the end of the line.
    pub fn at(bytes: &'c [u8]) -> Option<Self> {
        let (text, close) = match bytes {
            [b'/', b'/', text @ ..] => (memchr::memchr(b'\n', text).map_or(text, |end| &text[..end]), 0),
            [b'/', b'*', text @ ..] => (&text[..memchr::memmem::find(text, b"*/")?], 2),
            _ => return None,
        };
        Some(Self { text, end: 2 + text.len() + close })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_recognized_behind_what_parsers_skip() {
        for before in
            ["", " ", "\u{feff}\u{feff}", "/* a */ // b\n", ")]}'\n", ")]}',\n", "\u{feff})]}'\u{feff}/**/"]
        {
            for document in ["{}", "{\"a\":1", "[/**/\"a\"", "{ // a\n \"b\""] {
                assert!(
                    looks_like_container((before.to_owned() + document).as_bytes()),
                    "{before}{document}"
                );
            }
        }
    }

    #[test]
    fn other_values_are_no_documents() {
        for value in
            ["/a/b", "/* a", "// a", ")]}' or 1=1", "/**/1", "'{}'", "/**/\"a\" or \"b\"", ")", "{a}b"]
        {
            assert!(!looks_like_container(value.as_bytes()), "{value}");
        }
    }
}
