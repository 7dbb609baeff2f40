//! Words of queries: bare or quoted. A backslash escapes the next character.

use super::value::{Pattern, Piece};

/// A word as written; `*` and `?` are not interpreted yet.
#[derive(Debug, Default)]
pub(super) struct Word {
    letters: Vec<Letter>,
    is_quoted: bool,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Letter {
    pub(super) character: char,
    /// After a backslash: no wildcard.
    pub(super) literal: bool,
}

impl Word {
    /// All of a text.
    pub(super) fn whole(text: &str) -> Self {
        let (mut letters, mut rest) = (Vec::new(), text.chars());
        while let Some(character) = rest.next() {
            letters.push(match rest.clone().next().filter(|_| character == '\\') {
                Some(escaped) => {
                    rest.next();
                    Letter { character: escaped, literal: true }
                }
                None => Letter { character, literal: false },
            });
        }
        Self { letters, is_quoted: false }
    }

    pub(super) fn push(&mut self, letter: Letter) {
        self.letters.push(letter);
    }

    /// An empty word in quotes.
    pub(super) fn quoted() -> Self {
        Self { letters: Vec::new(), is_quoted: true }
    }

    pub(super) fn is_quoted(&self) -> bool {
        self.is_quoted
    }

    /// For fields without wildcards.
    pub(super) fn text(&self) -> String {
        self.letters.iter().map(|letter| letter.character).collect()
    }

    pub(super) fn pattern(&self) -> Pattern {
        Pattern::new(self.letters.iter().map(|letter| match letter {
            Letter { character: '*', literal: false } => Piece::Any,
            Letter { character: '?', literal: false } => Piece::One,
            Letter { character, .. } => Piece::Text(character.to_string()),
        }))
    }
}

/// Writes a pattern as a word, quoted where necessary.
pub(super) fn write(pattern: &Pattern, must_quote: bool) -> String {
    let mut word = String::new();
    for piece in pattern.pieces() {
        match piece {
            Piece::Any => word.push('*'),
            Piece::One => word.push('?'),
            Piece::Text(text) => {
                for character in text.chars() {
                    if matches!(character, '*' | '?' | '\\' | '"') {
                        word.push('\\');
                    }
                    word.push(character);
                }
            }
        }
    }
    let ends = |c: char| c.is_whitespace() || matches!(c, '(' | ')' | ',');
    if must_quote || word.is_empty() || word.contains(ends) { format!("\"{word}\"") } else { word }
}
