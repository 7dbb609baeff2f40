//! Grammar of SQL expressions: operands, comparisons, conditions.

use super::{lexer::TokenKind, token_stream::TokenStream};
use crate::words::WORDS;

/// Prefixes (`- ~ not`), names with dots and suffixes (`::text`, `collate x`) are followed this far, which
/// bounds the cost. The [stream](super::token_stream) shortens longer runs.
pub(super) const MAX_CHAIN: usize = 8;

/// An operand of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Operand {
    pub shape: Shape,
    /// The position after it.
    pub end: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A number, a string, a variable, `null`, `true`.
    Literal,
    /// A function call.
    Call,
    /// A bracket.
    Group,
    /// A column, or any word.
    Name,
}
impl TokenStream {
    /// The position after a comparison operator.
    pub(crate) fn comparison(&self, at: usize) -> Option<usize> {
        if self.kind(at) == Some(TokenKind::Compare) {
            return Some(self.skip(at, TokenKind::Compare));
        }
        let at = at + usize::from(self.word(at) == "not");
        match self.word(at) {
            "like" | "ilike" | "rlike" | "regexp" | "in" | "is" | "between" | "glob" | "div" | "mod"
            | "similar" => Some(at + 1),
            "sounds" => Some(at + 2),
            _ => None,
        }
    }

    /// The position after a comparison that does not occur in prose.
    pub(crate) fn condition(&self, at: usize) -> Option<usize> {
        let left = self.operand(at)?;
        let right_at = self.comparison(left.end)?;
        let right = self.operand(right_at)?;
        let right_kind = self.kind(right_at);
        let is_evident = match self.word(right_at - 1) {
            "" | "div" | "mod" => true,
            "is" => {
                let null = right_at + usize::from(self.word(right_at) == "not");
                self.is_word(null, &["null", "true", "false", "unknown", "\\n"])
            }
            "in" => right_kind == Some(TokenKind::Open),
            _ => matches!(right_kind, Some(TokenKind::Text { .. } | TokenKind::Open | TokenKind::Variable)),
        };
        is_evident.then_some(right.end)
    }

    /// The operand here, with the arithmetic that continues it.
    pub(crate) fn operand(&self, at: usize) -> Option<Operand> {
        let first = self.simple_operand(at)?;
        let (mut end, mut ends_in_name) = (first.end, false);
        let mut passed = Vec::new();
        // Where another expression went on from here, this one goes on, too: each part is read once.
        while self.kind(end) == Some(TokenKind::Arithmetic) {
            if let Some(known) = self.continued(end) {
                (end, ends_in_name) = (known.end, known.shape == Shape::Name);
                break;
            }
            let Some(next) = self.simple_operand(end + 1) else { break };
            passed.push((end, next.shape == Shape::Name));
            end = next.end;
        }
        let has_name = ends_in_name || passed.iter().any(|&(_, is_name)| is_name);
        if passed.len() > MAX_CHAIN {
            let mut has_name = ends_in_name;
            for &(operator, is_name) in passed.iter().rev() {
                has_name |= is_name;
                let shape = if has_name { Shape::Name } else { Shape::Literal };
                self.remember_continued(operator, Operand { shape, end });
            }
        }
        Some(Operand { shape: if has_name { Shape::Name } else { first.shape }, end })
    }

    /// The position after `|| b || c`, which joins strings.
    pub(crate) fn after_joined(&self, at: usize) -> usize {
        let mut end = at;
        while let Some(next) =
            Some(end).filter(|_| self.slice(end) == "||").and_then(|it| self.operand(it + 1))
        {
            end = next.end;
        }
        end
    }

    /// The position after the operators here; `None` when there are none.
    pub(crate) fn after_operators(&self, at: usize) -> Option<usize> {
        let mut next = at;
        while next < at + MAX_CHAIN {
            let is_symbol = self.kind(next) == Some(TokenKind::Arithmetic) || self.is_logic(next);
            match self.comparison(next).or(is_symbol.then_some(next + 1)) {
                Some(after) => next = after,
                None => break,
            }
        }
        (next > at).then_some(next)
    }

    /// The position after operators and operands in turn: what continues an expression. `None` when
    /// nothing does.
    pub(crate) fn expression(&self, at: usize) -> Option<usize> {
        let mut end = at;
        while let Some(operand) = self.after_operators(end).and_then(|next| self.simple_operand(next)) {
            end = operand.end;
        }
        (end > at).then_some(end)
    }

    fn simple_operand(&self, at: usize) -> Option<Operand> {
        let operand = self.bare_operand(at)?;
        Some(Operand { end: self.after_suffixes(operand.end), ..operand })
    }

    /// The position after `::text::varchar(9)`, `collate a.b`, `at time zone 'utc'`, `isnull`, `[1]`: what
    /// changes an operand without another one.
    pub(crate) fn after_suffixes(&self, at: usize) -> usize {
        let mut end = at;
        for _ in 0..MAX_CHAIN {
            let Some(after) = self.suffix(end) else { break };
            end = self.after_dotted(after - 1);
        }
        end
    }

    fn suffix(&self, at: usize) -> Option<usize> {
        let is_name = |at| {
            matches!(
                self.kind(at),
                Some(TokenKind::Word | TokenKind::Name | TokenKind::Text { closed: true })
            )
        };
        match self.slice(at) {
            "::" if self.kind(at + 1) == Some(TokenKind::Word) => {
                let is_open = self.kind(at + 2) == Some(TokenKind::Open);
                Some(if is_open { self.after_group(at + 2) } else { at + 2 })
            }
            "collate" if is_name(at + 1) => Some(at + 2),
            "at" if self.word(at + 1) == "time" && self.word(at + 2) == "zone" && is_name(at + 3) => {
                Some(at + 4)
            }
            "isnull" | "notnull" if self.kind(at + 1) != Some(TokenKind::Open) => Some(at + 1),
            "[" if self.kind(at + 1) == Some(TokenKind::Number) && self.slice(at + 2) == "]" => Some(at + 3),
            _ => None,
        }
    }

    fn bare_operand(&self, at: usize) -> Option<Operand> {
        let at = self.after_prefixes(at);
        match self.kind(at)? {
            TokenKind::Number | TokenKind::Text { .. } | TokenKind::Variable => {
                Some(Operand { shape: Shape::Literal, end: at + 1 })
            }
            TokenKind::Open => Some(Operand { shape: Shape::Group, end: self.after_group(at) }),
            TokenKind::Name => Some(Operand { shape: Shape::Name, end: self.after_dotted(at) }),
            TokenKind::Word => self.word_operand(at),
            _ => None,
        }
    }

    fn after_prefixes(&self, at: usize) -> usize {
        let is_prefix = |&at: &usize| {
            self.is_word(at, &["not", "binary", "distinct", "all"])
                || (self.kind(at) == Some(TokenKind::Arithmetic)
                    && matches!(self.slice(at), "+" | "-" | "~" | "!"))
        };
        at + (at..at + MAX_CHAIN).take_while(is_prefix).count()
    }

    fn word_operand(&self, at: usize) -> Option<Operand> {
        let word = self.word(at);
        if WORDS.sqli.clause_words.contains(word) {
            return None;
        }
        // `x'41'`, `n'…'`, `_utf8'…'`.
        if matches!(self.kind(at + 1), Some(TokenKind::Text { .. }))
            && (word.len() == 1 || word.starts_with('_'))
        {
            return Some(Operand { shape: Shape::Literal, end: at + 2 });
        }
        let end = self.after_dotted(at);
        if self.kind(end) == Some(TokenKind::Open) {
            return Some(Operand { shape: Shape::Call, end: self.after_group(end) });
        }
        let is_constant = WORDS.sqli.constants.contains(word) || is_curly_text(word);
        let shape = if is_constant { Shape::Literal } else { Shape::Name };
        Some(Operand { shape, end })
    }

    /// The position after `a.b.c`.
    fn after_dotted(&self, at: usize) -> usize {
        let mut end = at + 1;
        while end < at + MAX_CHAIN
            && self.kind(end) == Some(TokenKind::Dot)
            && matches!(self.kind(end + 1), Some(TokenKind::Word | TokenKind::Name))
        {
            end += 2;
        }
        end
    }
}

/// `’x’`: some databases treat typographic quotes as plain ones.
fn is_curly_text(word: &str) -> bool {
    const QUOTES: [char; 2] = ['\u{2018}', '\u{2019}'];
    word.len() > 6 && word.starts_with(QUOTES) && word.ends_with(QUOTES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::sql::Opening;

    fn operand(text: &str) -> Option<(Shape, usize)> {
        TokenStream::new(text.as_bytes(), Opening::Bare).operand(0).map(|it| (it.shape, it.end))
    }

    #[test]
    fn parses_operands_of_all_shapes() {
        assert_eq!(operand("-1 = 1"), Some((Shape::Literal, 2)));
        assert_eq!(operand("ascii(substr(a,1,1)) > 64"), Some((Shape::Call, 11)));
        assert_eq!(operand("(select 1) = 1"), Some((Shape::Group, 4)));
        assert_eq!(operand("t.name like 'a'"), Some((Shape::Name, 3)));
        assert_eq!(operand("2*3-1"), Some((Shape::Literal, 5)));
        assert_eq!(operand("from x"), None);
    }

    #[test]
    fn includes_suffixes_in_operands() {
        for (text, shape) in [
            ("'1'::text::varchar(9) = 1", Shape::Literal),
            ("a collate nocase = 1", Shape::Name),
            ("1 collate \"C\" collate pg_catalog.x = 1", Shape::Literal),
            ("(a) at time zone 'utc' isnull = 1", Shape::Group),
            ("f(1)[1][2]::int = 1", Shape::Call),
        ] {
            let stream = TokenStream::new(text.as_bytes(), Opening::Bare);
            let operand = stream.operand(0).unwrap();
            assert_eq!((operand.shape, stream.slice(operand.end)), (shape, "="), "{text}");
        }
        for text in ["1 isnull(a)", "1 at time = 1", "1 collate = 1", "1 [a] = 1"] {
            assert_eq!(operand(text), Some((Shape::Literal, 1)), "{text}");
        }
    }

    #[test]
    fn follows_long_expressions() {
        for (first, unit, last, shape) in [
            ("1", "+1", "", Shape::Literal),
            ("1", " - ~ !1", "", Shape::Literal),
            ("", "not ", "1", Shape::Literal),
            ("", "~", "1", Shape::Literal),
            ("", "- ", "1", Shape::Literal),
            ("a", ".a", "", Shape::Name),
            ("1", "::text", "", Shape::Literal),
            ("1", "::varchar(9)", "", Shape::Literal),
            ("1", " collate x", "", Shape::Literal),
            ("1", " collate a.b::numeric(1, 2)[1] at time zone 'x'", "", Shape::Literal),
            ("1", " isnull", "", Shape::Literal),
            ("(1)", "*a.b", "", Shape::Name),
        ] {
            for count in [1, 7, 9, 20, 5_000] {
                let text = format!("{first}{}{last} = 1", unit.repeat(count));
                let stream = TokenStream::new(text.as_bytes(), Opening::Bare);
                for _ in 0..2 {
                    let operand = stream.operand(0).unwrap();
                    assert_eq!((operand.shape, stream.slice(operand.end)), (shape, "="), "{unit} {count}");
                }
                assert!(stream.condition(0).is_some(), "{unit} {count}");
            }
        }
    }

    #[test]
    fn distinguishes_conditions_from_prose() {
        for (text, is_condition) in [
            ("a = 1", true),
            ("a is not null", true),
            ("a like '%'", true),
            ("a in (1)", true),
            ("fun is good", false),
            ("it in 2 days", false),
            ("they like it", false),
        ] {
            let stream = TokenStream::new(text.as_bytes(), Opening::Bare);
            assert_eq!(stream.condition(0).is_some(), is_condition, "{text}");
        }
    }

    #[test]
    fn extends_an_unclosed_bracket_to_the_end() {
        assert_eq!(operand("sleep(5"), Some((Shape::Call, 3)));
    }
}
