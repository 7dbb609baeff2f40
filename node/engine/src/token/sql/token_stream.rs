//! SQL tokens of a value by position, without blanks.

use super::{
    grammar::{MAX_CHAIN, Operand},
    lexer::{Opening, Token, TokenKind, tokens},
    runs::shorten,
};
use crate::words::{WORDS, WordSet};
use std::{cell::RefCell, collections::HashMap, ops::Range, rc::Rc};

/// An estimate for texts; a wrong one costs a copy.
const BYTES_PER_TOKEN: usize = 5;

/// The significant tokens of a value. All methods accept positions beyond the end.
pub(crate) struct TokenStream {
    /// Offsets are those of the value.
    text: Rc<LowerText>,
    tokens: Vec<Token>,
    /// Each opening bracket, in order, and its closing one, or the number of tokens.
    closing: Vec<(u32, u32)>,
    /// The tokens that follow a comment, in order. Only the last comment is a token; those before
    /// it separate words.
    after_comment: Vec<usize>,
    /// The brackets that close none of this value, in order.
    foreign: Vec<usize>,
    /// The number of numbers, arithmetic and brackets that it begins with.
    leading: usize,
    /// What follows operators in long expressions.
    continued: RefCell<HashMap<usize, Operand>>,
}

/// A value in lower case, shared by all its readings. Valid UTF-8 is checked once for the whole value.
pub(crate) enum LowerText {
    Utf8(String),
    Bytes(Vec<u8>),
}

impl LowerText {
    pub(crate) fn of(value: &[u8]) -> Self {
        String::from_utf8(value.to_ascii_lowercase())
            .map_or_else(|it| Self::Bytes(it.into_bytes()), Self::Utf8)
    }

    /// Empty for invalid UTF-8.
    fn slice(&self, range: Range<usize>) -> &str {
        match self {
            Self::Utf8(text) => text.get(range),
            Self::Bytes(bytes) => std::str::from_utf8(&bytes[range]).ok(),
        }
        .unwrap_or_default()
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Utf8(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

impl TokenStream {
    #[cfg(any(test, fuzzing))]
    pub(crate) fn new(value: &[u8], opening: Opening) -> Self {
        Self::with_text(value, Rc::new(LowerText::of(value)), opening)
    }

    /// The tokens of a value whose lower-case text is known.
    pub(crate) fn with_text(value: &[u8], text: Rc<LowerText>, opening: Opening) -> Self {
        let mut significant = Vec::with_capacity(value.len() / BYTES_PER_TOKEN + 8);
        significant.extend(tokens(value, opening).filter(|token| token.kind != TokenKind::Blank));
        let after_comment = drop_comments(&mut significant);
        let (tokens, after_comment) = shorten(value, significant, after_comment, MAX_CHAIN);
        let (closing, foreign) = match_brackets(&tokens);
        let is_numeric = |token: &Token| {
            matches!(
                token.kind,
                TokenKind::Number
                    | TokenKind::Arithmetic
                    | TokenKind::Variable
                    | TokenKind::Open
                    | TokenKind::Close
            )
        };
        let leading = tokens.iter().position(|token| !is_numeric(token)).unwrap_or(tokens.len());
        let continued = RefCell::default();
        Self { text, tokens, closing, after_comment, foreign, leading, continued }
    }

    /// What follows the operator here, if an expression was read up to it before.
    pub(super) fn continued(&self, operator: usize) -> Option<Operand> {
        self.continued.borrow().get(&operator).copied()
    }

    pub(super) fn remember_continued(&self, operator: usize, rest: Operand) {
        self.continued.borrow_mut().insert(operator, rest);
    }

    pub(crate) fn len(&self) -> usize {
        self.tokens.len()
    }

    /// `None` beyond the end.
    pub(crate) fn kind(&self, at: usize) -> Option<TokenKind> {
        self.tokens.get(at).map(|token| token.kind)
    }

    /// The span of these tokens in the value.
    pub(crate) fn span(&self, from: usize, to: usize) -> Range<usize> {
        let last = to.min(self.len()).saturating_sub(1);
        match (self.tokens.get(from), self.tokens.get(last)) {
            (Some(first), Some(last)) => first.start()..last.end().max(first.end()),
            _ => 0..0,
        }
    }

    /// The word here, lower-case; empty when there is none.
    pub(crate) fn word(&self, at: usize) -> &str {
        match self.kind(at) {
            Some(TokenKind::Word) => self.slice(at),
            _ => "",
        }
    }

    /// The bytes of the word here, lower-case; empty when there is none.
    pub(crate) fn word_bytes(&self, at: usize) -> &[u8] {
        match self.tokens.get(at) {
            Some(token) if token.kind == TokenKind::Word => &self.text.bytes()[token.start()..token.end()],
            _ => b"",
        }
    }

    pub(crate) fn slice(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| self.text.slice(token.start()..token.end()))
    }

    pub(crate) fn is_word(&self, at: usize, words: &[&str]) -> bool {
        let word = self.word(at);
        !word.is_empty() && words.contains(&word)
    }

    pub(crate) fn is_one_of(&self, at: usize, words: &WordSet) -> bool {
        words.contains(self.word(at))
    }

    /// Whether one of these functions is called here. Some names are English words, which have a
    /// space before a bracket.
    pub(crate) fn calls(&self, at: usize, functions: &WordSet) -> bool {
        let is_open = self.kind(at + 1) == Some(TokenKind::Open);
        let is_function = || self.is_adjacent(at) || self.nests(at) || !self.is_english(at);
        // `item(s)` is a plural.
        is_open && self.is_one_of(at, functions) && is_function() && self.word(at + 2) != "s"
    }

    /// Whether this word is also English.
    pub(crate) fn is_english(&self, at: usize) -> bool {
        self.is_one_of(at, &WORDS.sqli.english_functions)
    }

    /// Whether the first argument of the call here is a call.
    fn nests(&self, at: usize) -> bool {
        self.kind(at + 2) == Some(TokenKind::Word)
            && self.is_adjacent(at + 2)
            && self.kind(at + 3) == Some(TokenKind::Open)
    }

    /// Whether nothing stands between this token and the next.
    pub(crate) fn is_adjacent(&self, at: usize) -> bool {
        matches!((self.tokens.get(at), self.tokens.get(at + 1)), (Some(this), Some(next)) if this.end() == next.start())
    }

    /// The position after the bracket that opens here.
    pub(crate) fn after_group(&self, at: usize) -> usize {
        let known = self.closing.binary_search_by_key(&at, |&(opening, _)| opening as usize);
        known.map_or(self.len(), |known| (self.closing[known].1 as usize + 1).min(self.len()))
    }

    /// Whether a bracket is closed here that was opened before the value.
    pub(crate) fn closes_foreign(&self, at: usize) -> bool {
        self.foreign.binary_search(&at).is_ok()
    }

    /// Skips tokens of one kind.
    pub(crate) fn skip(&self, mut at: usize, kind: TokenKind) -> usize {
        while self.kind(at) == Some(kind) {
            at += 1;
        }
        at
    }

    /// `or`, `and`, `xor`, `||`, `&&`.
    pub(crate) fn is_logic(&self, at: usize) -> bool {
        self.kind(at) == Some(TokenKind::Logic) || self.is_word(at, &["or", "and", "xor"])
    }

    /// Whether a statement may end here: at the end of the value, or at a comment that hides the
    /// rest.
    pub(crate) fn is_end(&self, at: usize) -> bool {
        self.kind(at).is_none() || self.is_comment(at)
    }

    /// Whether a comment to the end of its line stands here.
    pub(crate) fn is_comment(&self, at: usize) -> bool {
        self.kind(at) == Some(TokenKind::Comment) || self.after_comment.binary_search(&at).is_ok()
    }

    /// Whether only numbers and arithmetic precede this token, and at least one of them.
    pub(crate) fn is_numeric_until(&self, at: usize) -> bool {
        at > 0 && at <= self.leading
    }

    /// Whether these two tokens stand on one line.
    pub(crate) fn is_same_line(&self, from: usize, to: usize) -> bool {
        match (self.tokens.get(from), self.tokens.get(to)) {
            (Some(from), Some(to)) => {
                memchr::memchr(b'\n', &self.text.bytes()[from.end()..to.start()]).is_none()
            }
            _ => false,
        }
    }
}

/// Keeps a comment only when nothing follows it; returns the positions that followed the others.
fn drop_comments(tokens: &mut Vec<Token>) -> Vec<usize> {
    let mut after_comment = Vec::new();
    let mut length = 0;
    for at in 0..tokens.len() {
        let token = tokens[at];
        if token.kind == TokenKind::Comment && at + 1 < tokens.len() {
            if after_comment.last() != Some(&length) {
                after_comment.push(length);
            }
        } else {
            tokens[length] = token;
            length += 1;
        }
    }
    tokens.truncate(length);
    after_comment
}

/// Each opening bracket with its closing one, and the closing brackets of none. There are no more
/// tokens than bytes, so positions fit.
fn match_brackets(tokens: &[Token]) -> (Vec<(u32, u32)>, Vec<usize>) {
    let position = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    let (mut closing, mut foreign) = (Vec::new(), Vec::new());
    let mut open = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::Open => {
                open.push(position(closing.len()));
                closing.push((position(at), position(tokens.len())));
            }
            TokenKind::Close => match open.pop() {
                Some(opening) => closing[opening as usize].1 = position(at),
                None => foreign.push(at),
            },
            _ => {}
        }
    }
    (closing, foreign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separates_words_by_comments_and_ends_statements_at_them() {
        let stream = TokenStream::new(b"1 #a\n--\nunion -- b", Opening::Bare);
        assert_eq!((stream.len(), stream.word(1)), (3, "union"));
        assert!(stream.is_end(1) && stream.is_end(2) && !stream.is_end(0));
    }

    #[test]
    fn accepts_positions_beyond_the_end() {
        let stream = TokenStream::new(b"a", Opening::Bare);
        assert_eq!((stream.word(9), stream.kind(9), stream.span(5, 9)), ("", None, 0..0));
        assert_eq!(stream.after_group(9), 1);
    }
}
