//! SQL lexer. The lengths of the tokens add up to the input.

use TokenKind::{Blank, Comment, Name, Number, Other, Text, Variable, Word};

/// The position in the statement where a value lands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opening {
    /// Where a number or a name is expected.
    Bare,
    /// Inside a string with this quote.
    Quoted(u8),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// Space, or a comment that stands for one.
    Blank,
    /// A comment to the end of the line, or one that is never closed.
    Comment,
    Word,
    /// A name in backticks or brackets.
    Name,
    Number,
    Text {
        closed: bool,
    },
    /// `@x`, `@@x`.
    Variable,
    /// `=`, `<>`, `<=>`…
    Compare,
    /// `||`, `&&`; words such as `or` are words.
    Logic,
    Arithmetic,
    Open,
    Close,
    Comma,
    Dot,
    Semicolon,
    Other,
}

/// Small, because long values have millions of tokens, which should fit the caches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token {
    pub kind: TokenKind,
    start: u32,
    end: u32,
}

impl Token {
    /// Offsets are capped at 4 GB, which no request has.
    fn new(kind: TokenKind, start: usize, end: usize) -> Self {
        let offset = |at| u32::try_from(at).unwrap_or(u32::MAX);
        Self { kind, start: offset(start), end: offset(end) }
    }

    pub(crate) fn start(self) -> usize {
        self.start as usize
    }

    pub(crate) fn end(self) -> usize {
        self.end as usize
    }
}

/// All tokens of a value, blanks included.
pub(super) fn tokens(value: &[u8], opening: Opening) -> impl Iterator<Item = Token> {
    let first = match opening {
        Opening::Bare => None,
        Opening::Quoted(quote) => {
            let quote_at = closing_quote(value, quote);
            let end = quote_at.map_or(value.len(), |offset| offset + 1);
            Some(Token::new(Text { closed: quote_at.is_some() }, 0, end))
        }
    };
    let mut start = first.map_or(0, Token::end);
    let rest = std::iter::from_fn(move || {
        let rest = value.get(start..).filter(|rest| !rest.is_empty())?;
        // The statement closes the last backtick.
        let is_unclosed = || memchr::memchr(b'`', &rest[1..]).is_none();
        let (kind, length) = match rest[0] {
            b'`' if opening == Opening::Quoted(b'`') && is_unclosed() => (Text { closed: false }, rest.len()),
            _ => next(rest),
        };
        let token = Token::new(kind, start, start + length);
        start += length;
        Some(token)
    });
    first.into_iter().chain(rest)
}

/// The end of the string that contains the start of the value. `x''y'` holds a quote of its own.
fn closing_quote(value: &[u8], quote: u8) -> Option<usize> {
    let first = memchr::memchr(quote, value)?;
    let is_doubled = first > 0
        && value.get(first + 1) == Some(&quote)
        && value.get(first + 2).copied().is_some_and(is_word);
    let third = || memchr::memchr(quote, &value[first + 2..]).map(|it| first + 2 + it);
    if is_doubled { third().or(Some(first)) } else { Some(first) }
}

/// The token at the start of `rest`, which is not empty, and its length, which is not 0.
fn next(rest: &[u8]) -> (TokenKind, usize) {
    let second = rest.get(1).copied().unwrap_or_default();
    match rest[0] {
        byte if is_blank(byte) => (Blank, run(rest, is_blank)),
        b'/' if second == b'*' => block_comment(rest),
        // The end of `/*!50000 …*/`, whose inside was read as SQL.
        b'*' if second == b'/' => (Blank, 2),
        // `1--1` subtracts in some dialects; where it is a comment, the tokens after it are
        // harmless.
        b'-' if second == b'-' && !rest.get(2).is_some_and(u8::is_ascii_digit) => (Comment, line(rest)),
        b'#' => (Comment, line(rest)),
        quote @ (b'\'' | b'"') => text(rest, quote),
        b'`' => quoted_name(rest, b'`'),
        // `{x 1}` and `{fn user()}` are their insides.
        b'{' if second.is_ascii_alphabetic() => odbc_escape(rest),
        b'[' if is_word(second) && !second.is_ascii_digit() => quoted_name(rest, b']'),
        b'@' if matches!(second, b'\'' | b'"' | b'`') => (Variable, 1 + text(&rest[1..], second).1),
        // Operators of JSON columns.
        b'@' if second == b'>' => (TokenKind::Compare, 2),
        b'<' if second == b'@' => (TokenKind::Compare, 2),
        b'<' if rest.starts_with(b"<=>") => (TokenKind::Compare, 3),
        b'@' => (Variable, 1 + run(&rest[1..], |byte| is_word(byte) || byte == b'@' || byte == b'.')),
        // `\N` is null.
        b'\\' if second == b'N' => (Number, 2),
        byte if byte.is_ascii_digit() || (byte == b'.' && second.is_ascii_digit()) => (Number, number(rest)),
        byte if is_word(byte) => (Word, run(rest, is_word)),
        byte => symbol(byte, second),
    }
}

fn symbol(byte: u8, second: u8) -> (TokenKind, usize) {
    match (byte, second) {
        (b'|', b'|') | (b'&', b'&') => (TokenKind::Logic, 2),
        (b'<', b'=' | b'>') | (b'>' | b'!' | b':' | b'=', b'=') => (TokenKind::Compare, 2),
        (b'<' | b'>', b'<' | b'>') => (TokenKind::Arithmetic, 2),
        // A cast.
        (b':', b':') => (Other, 2),
        (b'=' | b'<' | b'>', _) => (TokenKind::Compare, 1),
        (b'+' | b'-' | b'*' | b'/' | b'%' | b'|' | b'&' | b'^' | b'~' | b'!', _) => {
            (TokenKind::Arithmetic, 1)
        }
        (b'(', _) => (TokenKind::Open, 1),
        (b')', _) => (TokenKind::Close, 1),
        (b',', _) => (TokenKind::Comma, 1),
        (b'.', _) => (TokenKind::Dot, 1),
        (b';', _) => (TokenKind::Semicolon, 1),
        _ => (Other, 1),
    }
}

/// Code in `/*! … */` runs in some dialects, so only the start is skipped.
fn block_comment(rest: &[u8]) -> (TokenKind, usize) {
    if rest.get(2) == Some(&b'!') {
        return (Blank, 3 + run(&rest[3..], |byte| byte.is_ascii_digit()));
    }
    match memchr::memmem::find(&rest[2..], b"*/") {
        Some(end) => (Blank, end + 4),
        None => (Comment, rest.len()),
    }
}

/// `{d `, or a bracket without a meaning.
fn odbc_escape(rest: &[u8]) -> (TokenKind, usize) {
    let word = 1 + run(&rest[1..], is_word);
    if rest.get(word).copied().is_some_and(is_blank) { (Blank, word + 1) } else { (Other, 1) }
}

fn line(rest: &[u8]) -> usize {
    memchr::memchr(b'\n', rest).unwrap_or(rest.len())
}

/// A string: doubled quotes and backslash escapes belong to it.
fn text(rest: &[u8], quote: u8) -> (TokenKind, usize) {
    let mut at = 1;
    while let Some(stop) = memchr::memchr2(quote, b'\\', &rest[at..]) {
        at += stop + 1;
        let escapes = rest[at - 1] == b'\\' || rest.get(at) == Some(&quote);
        if !escapes {
            return (Text { closed: true }, at);
        }
        at = (at + 1).min(rest.len());
    }
    (Text { closed: false }, rest.len())
}

fn quoted_name(rest: &[u8], end: u8) -> (TokenKind, usize) {
    match memchr::memchr(end, &rest[1..rest.len().min(130)]) {
        Some(length) => (Name, length + 2),
        None => (Other, 1),
    }
}

/// Digits, a fraction, an exponent; `0x…` and `0b…`. A word may follow at once: `1or`.
fn number(rest: &[u8]) -> usize {
    if matches!(rest, [b'0', b'x' | b'X', digit, ..] if digit.is_ascii_hexdigit()) {
        return 2 + run(&rest[2..], |byte| byte.is_ascii_hexdigit());
    }
    let length = run(rest, |byte| byte.is_ascii_digit() || byte == b'.');
    match &rest[length..] {
        [b'e' | b'E', b'+' | b'-', digit, ..] if digit.is_ascii_digit() => {
            length + 2 + run(&rest[length + 2..], |byte| byte.is_ascii_digit())
        }
        [b'e' | b'E', digit, ..] if digit.is_ascii_digit() => {
            length + 1 + run(&rest[length + 1..], |byte| byte.is_ascii_digit())
        }
        _ => length,
    }
}

fn run(rest: &[u8], wanted: impl Fn(u8) -> bool) -> usize {
    rest.iter().position(|&byte| !wanted(byte)).unwrap_or(rest.len())
}

fn is_word(byte: u8) -> bool {
    IS_WORD[usize::from(byte)]
}

/// Most bytes of a text are looked up here.
static IS_WORD: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "the loop ends at 256")]
        let it = byte as u8;
        table[byte] = it.is_ascii_alphanumeric() || matches!(it, b'_' | b'$') || it >= 0x80;
        byte += 1;
    }
    table
};

/// Control bytes separate words in every dialect.
fn is_blank(byte: u8) -> bool {
    byte <= b' '
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_snapshot;
    use proptest::prelude::*;

    fn spell(value: &str) -> String {
        let kinds = tokens(value.as_bytes(), Opening::Bare).map(|token| token.kind);
        kinds.filter(|&kind| kind != Blank).map(|kind| format!("{kind:?}")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn treats_a_comment_as_a_space() {
        assert_snapshot!(spell("1/**/or/*x*/1"), @"Number Word Number");
    }

    #[test]
    fn tokenizes_executable_comments_of_mysql() {
        assert_snapshot!(spell("/*!50000union*/select"), @"Word Word");
    }

    #[test]
    fn unwraps_escapes_of_odbc() {
        assert_snapshot!(spell("1 and {x sleep(4)} {a}"), @"Number Word Word Open Number Close Other Other Word Other");
    }

    #[test]
    fn separates_a_word_from_a_number() {
        assert_snapshot!(spell("1or 1.5e3and 0x41"), @"Number Word Number Word Number");
    }

    #[test]
    fn recognizes_quoted_variables_and_backslash_null() {
        assert_snapshot!(spell(r#"@"a b" @`x` is\N"#), @"Variable Variable Word Number");
    }

    #[test]
    fn includes_escapes_in_strings() {
        assert_snapshot!(spell(r#"'it''s' "a\"b" 'open"#), @"Text { closed: true } Text { closed: true } Text { closed: false }");
    }

    proptest! {
        #[test]
        fn lengths_add_up_to_the_input(value in proptest::collection::vec(any::<u8>(), 0..300)) {
            for opening in [Opening::Bare, Opening::Quoted(b'\''), Opening::Quoted(b'"')] {
                let mut at = 0;
                for token in tokens(&value, opening) {
                    prop_assert_eq!(token.start(), at);
                    prop_assert!(token.end() > at || value.is_empty());
                    at = token.end();
                }
                prop_assert_eq!(at, value.len());
            }
        }
    }
}
