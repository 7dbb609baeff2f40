//! Long runs of prefixes, and of suffixes such as names after dots and casts, which pad a condition.
//! Shortened so that rules, which follow a bounded number of tokens, read past them.

use super::lexer::{Token, TokenKind};

/// A token that may repeat without a change of the grammar around it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    /// `not`, `-`, `~`.
    Prefix,
    /// `.name`, `::text`, `collate x`, `at time zone 'x'`, `isnull`, `[1]`.
    Suffix,
}

/// Removes the middle of each run of more than `limit / 2` units. Positions after a comment move with their
/// tokens.
pub(super) fn shorten(
    value: &[u8],
    tokens: Vec<Token>,
    after_comment: Vec<usize>,
    limit: usize,
) -> (Vec<Token>, Vec<usize>) {
    let kept = (limit / 4).max(1);
    let (mut runs, mut ends) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < tokens.len() {
        let Some((unit, _)) = unit_at(value, &tokens[at..]) else {
            at += 1;
            continue;
        };
        ends.clear();
        while let Some((_, length)) = unit_at(value, &tokens[at..]).filter(|it| it.0 == unit) {
            at += length;
            ends.push(at);
        }
        if 2 * ends.len() > limit {
            runs.push(ends[kept - 1]..ends[ends.len() - kept - 1]);
        }
    }
    if runs.is_empty() {
        return (tokens, after_comment);
    }
    let mut removed = runs.iter().peekable();
    let mut moved = after_comment.into_iter().peekable();
    let (mut out, mut positions) = (Vec::with_capacity(tokens.len()), Vec::new());
    for (at, token) in tokens.into_iter().enumerate() {
        while removed.next_if(|run| run.end <= at).is_some() {}
        if moved.next_if_eq(&at).is_some() {
            positions.push(out.len());
        }
        if !removed.peek().is_some_and(|run| run.contains(&at)) {
            out.push(token);
        }
    }
    positions.extend(moved.map(|_| out.len()));
    positions.dedup();
    (out, positions)
}

/// The unit at the start of these tokens, and its number of tokens.
fn unit_at(value: &[u8], tokens: &[Token]) -> Option<(Unit, usize)> {
    let text = |token: &Token| value.get(token.start()..token.end()).unwrap_or_default();
    let is = |at: usize, word: &[u8]| tokens.get(at).is_some_and(|it| text(it).eq_ignore_ascii_case(word));
    let kind = |at: usize| tokens.get(at).map(|it| it.kind);
    let is_name = |at: usize| matches!(kind(at), Some(TokenKind::Word | TokenKind::Name));
    let is_text = |at: usize| is_name(at) || matches!(kind(at), Some(TokenKind::Text { closed: true }));
    let first = tokens.first()?;
    let suffix = match first.kind {
        TokenKind::Arithmetic => {
            return matches!(text(first), b"+" | b"-" | b"~" | b"!").then_some((Unit::Prefix, 1));
        }
        TokenKind::Word => {
            if [&b"not"[..], b"binary", b"distinct", b"all"].iter().any(|it| is(0, it)) {
                return Some((Unit::Prefix, 1));
            }
            let is_null = is(0, b"isnull") || is(0, b"notnull");
            if is_null && kind(1) != Some(TokenKind::Open) {
                Some(1)
            } else if is(0, b"collate") && is_text(1) {
                Some(2)
            } else {
                (is(0, b"at") && is(1, b"time") && is(2, b"zone") && is_text(3)).then_some(4)
            }
        }
        TokenKind::Dot if is_name(1) => Some(2),
        TokenKind::Other if is(0, b"::") && is_name(1) => Some(2 + size(tokens.get(2..).unwrap_or_default())),
        TokenKind::Other if is(0, b"[") && kind(1) == Some(TokenKind::Number) && is(2, b"]") => Some(3),
        _ => None,
    };
    suffix.map(|length| (Unit::Suffix, length))
}

/// The number of tokens of `(9)`, `(9, 2)` after a type.
fn size(tokens: &[Token]) -> usize {
    use TokenKind::{Close, Comma, Number, Open};
    let kinds: Vec<TokenKind> = tokens.iter().take(5).map(|it| it.kind).collect();
    match kinds[..] {
        [Open, Number, Close, ..] => 3,
        [Open, Number, Comma, Number, Close] => 5,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use crate::token::sql::{Opening, TokenStream};

    fn slices(text: &str) -> String {
        let stream = TokenStream::new(text.as_bytes(), Opening::Bare);
        (0..stream.len()).map(|at| stream.slice(at)).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn shortens_runs_and_keeps_their_edges() {
        assert_eq!(slices("or not ~ - not not + binary 1"), "or not ~ + binary 1");
        assert_eq!(slices("or not ~ - not 1"), "or not ~ - not 1");
        assert_eq!(slices("a.b.c.d.e.f.g.h.i"), "a . b . c . h . i");
        assert_eq!(slices("1::a::b::c::d::e"), "1 :: a :: b :: d :: e");
        assert_eq!(slices("x not"), "x not");
        assert_eq!(
            slices("1 collate a collate b::c(1, 2)::d(3) isnull[4] at time zone 'e' collate f.g"),
            "1 collate a collate b collate f . g"
        );
    }

    #[test]
    fn keeps_the_positions_of_comments() {
        let text = format!("1 or {}1=1 #a\n and", "not ".repeat(50));
        let stream = TokenStream::new(text.as_bytes(), Opening::Bare);
        let last = stream.len() - 1;
        assert_eq!(stream.word(last), "and");
        assert!((0..=last).filter(|&it| stream.is_comment(it)).eq([last]));
    }
}
