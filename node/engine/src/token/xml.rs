//! XML tokens. Malformed markup is text, or a token that is cut off.

use memchr::{memchr, memmem};
use std::ops::Range;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum XmlTokenKind {
    Text,
    /// `<![CDATA[…]]>`
    Data,
    /// `<!--…-->`
    Comment,
    /// `<?…?>`
    Instruction,
    /// `<!DOCTYPE …>`, its brackets included, or any other declaration.
    Declaration,
    /// `<a b="c">`
    Start {
        /// `<a/>`
        is_empty: bool,
    },
    /// `</a>`
    End,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub kind: XmlTokenKind,
    /// The whole token with its brackets.
    pub span: Range<usize>,
    /// The content of its brackets.
    pub inner: Range<usize>,
    pub closed: bool,
}

/// Iterator over tokens, whose spans add up to the input.
pub(crate) struct Tokens<'v> {
    value: &'v [u8],
    at: usize,
}

pub(crate) fn tokens(value: &[u8]) -> Tokens<'_> {
    Tokens { value, at: 0 }
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        let rest = self.value.get(self.at..).filter(|rest| !rest.is_empty())?;
        let token = self.read(rest);
        self.at = token.span.end;
        Some(token)
    }
}

impl Tokens<'_> {
    fn read(&self, rest: &[u8]) -> Token {
        match rest {
            [b'<', b'!', b'-', b'-', ..] => {
                self.until(XmlTokenKind::Comment, 4, memmem::find(&rest[4..], b"-->"), 3)
            }
            _ if rest.starts_with(b"<![CDATA[") => {
                self.until(XmlTokenKind::Data, 9, memmem::find(&rest[9..], b"]]>"), 3)
            }
            [b'<', b'?', ..] => self.until(XmlTokenKind::Instruction, 2, memmem::find(&rest[2..], b"?>"), 2),
            [b'<', b'!', ..] => self.until(XmlTokenKind::Declaration, 2, declaration_end(&rest[2..]), 1),
            [b'<', b'/', ..] => self.until(XmlTokenKind::End, 2, memchr(b'>', &rest[2..]), 1),
            [b'<', first, ..] if is_name_start(*first) => {
                let end = unquoted(&rest[1..], |byte| byte == b'>');
                let is_empty = end.is_some_and(|end| rest[end] == b'/');
                self.until(XmlTokenKind::Start { is_empty }, 1, end, 1)
            }
            _ => {
                let length = memchr(b'<', &rest[1..]).map_or(rest.len(), |at| at + 1);
                let span = self.at..self.at + length;
                Token { kind: XmlTokenKind::Text, inner: span.clone(), span, closed: true }
            }
        }
    }

    /// A token that opens with `open` bytes and is closed by `close` bytes at `end`.
    fn until(&self, kind: XmlTokenKind, open: usize, end: Option<usize>, close: usize) -> Token {
        let start = self.at + open;
        let Some(end) = end else {
            let all = self.value.len();
            return Token { kind, span: self.at..all, inner: start.min(all)..all, closed: false };
        };
        let inner = start..start + end;
        Token { kind, span: self.at..inner.end + close, inner, closed: true }
    }
}

fn is_name_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte == b':' || byte >= 0x80
}

/// The first of these bytes outside quotes.
fn unquoted(value: &[u8], mut wanted: impl FnMut(u8) -> bool) -> Option<usize> {
    let mut quote = None;
    value.iter().position(|&byte| {
        if let Some(open) = quote {
            quote = Some(open).filter(|_| byte != open);
            return false;
        }
        if matches!(byte, b'"' | b'\'') {
            quote = Some(byte);
        }
        wanted(byte)
    })
}

/// The `>` of a declaration: outside quotes and outside its `[…]`.
fn declaration_end(value: &[u8]) -> Option<usize> {
    let mut brackets = 0_usize;
    unquoted(value, |byte| {
        match byte {
            b'[' => brackets += 1,
            b']' => brackets = brackets.saturating_sub(1),
            _ => {}
        }
        byte == b'>' && brackets == 0
    })
}

/// The name at the start of a tag, declaration or instruction.
pub(crate) fn name(inner: &[u8]) -> &[u8] {
    let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'/' | b'>' | b'[');
    &inner[..inner.iter().position(ends).unwrap_or(inner.len())]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn spell(value: &str) -> String {
        let spell =
            |it: Token| format!("{:?}{} {}", it.kind, if it.closed { "" } else { "!" }, &value[it.inner]);
        tokens(value.as_bytes()).map(spell).collect::<Vec<_>>().join("|")
    }

    #[test]
    fn distinguishes_each_kind() {
        assert_eq!(
            spell("<?xml v?><!--c--><a b='>'>t<![CDATA[<d>]]></a><e/>"),
            "Instruction xml v|Comment c|Start { is_empty: false } a b='>'|Text t|Data <d>|End a|Start { is_empty: true } e/"
        );
    }

    #[test]
    fn ends_a_doctype_after_its_brackets() {
        assert_eq!(
            spell("<!DOCTYPE a [<!ENTITY b \"]>\">]>x"),
            "Declaration DOCTYPE a [<!ENTITY b \"]>\">]|Text x"
        );
    }

    #[test]
    fn marks_tokens_that_are_cut_off() {
        assert_eq!(spell("a < b<c d='"), "Text a |Text < b|Start { is_empty: false }! c d='");
    }

    proptest! {
        #[test]
        fn tokens_cover_the_input(value in "[<>!?/a'\"\\[\\]-]{0,60}") {
            let mut at = 0;
            for token in tokens(value.as_bytes()) {
                prop_assert_eq!(token.span.start, at);
                prop_assert!(token.span.end > at);
                at = token.span.end;
            }
            prop_assert_eq!(at, value.len());
        }
    }
}
