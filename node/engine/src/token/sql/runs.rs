//! Long runs of prefixes, names with dots, and casts, which pad a condition. Shortened so that rules,
//! which follow a bounded number of tokens, read past them.

use super::lexer::{Token, TokenKind};

/// A token that may repeat without a change of the grammar around it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    /// `not`, `-`, `~`.
    Prefix,
    /// `.name`
    Member,
    /// `::text`
    Cast,
}

/// Removes the middle of each run of more than `limit` units, which are one or two tokens. Positions
/// after a comment move with their tokens.
pub(super) fn shorten(
    value: &[u8],
    tokens: Vec<Token>,
    after_comment: Vec<usize>,
    limit: usize,
) -> (Vec<Token>, Vec<usize>) {
    let kept = (limit / 4).max(1);
    let mut runs = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let Some((unit, length)) = unit_at(value, &tokens[at..]) else {
            at += 1;
            continue;
        };
        let start = at;
        let mut count = 0;
        while unit_at(value, &tokens[at..]).is_some_and(|it| it.0 == unit) {
            at += length;
            count += 1;
        }
        if 2 * count > limit {
            runs.push(start + kept * length..at - kept * length);
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
    let [first, rest @ ..] = tokens else { return None };
    let is_name = || rest.first().is_some_and(|it| matches!(it.kind, TokenKind::Word | TokenKind::Name));
    match first.kind {
        TokenKind::Arithmetic => {
            matches!(text(first), b"+" | b"-" | b"~" | b"!").then_some((Unit::Prefix, 1))
        }
        TokenKind::Word => {
            let words: [&[u8]; 4] = [b"not", b"binary", b"distinct", b"all"];
            words.iter().any(|it| text(first).eq_ignore_ascii_case(it)).then_some((Unit::Prefix, 1))
        }
        TokenKind::Dot if is_name() => Some((Unit::Member, 2)),
        TokenKind::Other if text(first) == b"::" && is_name() => Some((Unit::Cast, 2)),
        _ => None,
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
