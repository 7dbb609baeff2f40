//! The list after `select`, and whether it is SQL or prose.

use crate::token::sql::{Shape, TokenKind, TokenStream};

pub(super) struct SelectList {
    /// Whether it has punctuation of SQL: a star, a number, a call, a comma, a string.
    pub has_punctuation: bool,
    pub has_call: bool,
    pub ending: Ending,
    /// The position after it, and after the table when there is one.
    pub end: usize,
}

/// How a list ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// In the middle of something else.
    Open,
    /// Where a statement can end: at a comment, a bracket, the end.
    Closed,
    /// With `from`; `whole` when the token after the table may follow a table.
    From { whole: bool },
}

impl SelectList {
    /// Reads the list of the `select` at this position.
    pub(super) fn read(stream: &TokenStream, select: usize) -> Self {
        let start = after_modifiers(stream, select + 1);
        let mut list = Self { has_punctuation: false, has_call: false, ending: Ending::Open, end: start };
        while let Some(end) = list.column(stream) {
            list.end = stream.skip(end, TokenKind::Comma);
            list.has_punctuation |= list.end > end;
            if list.end == end {
                break;
            }
        }
        let is_empty = list.end == start;
        list.finish(stream, is_empty);
        list
    }

    /// Whether it is SQL without further evidence.
    pub(super) fn is_evident(&self) -> bool {
        self.has_punctuation || matches!(self.ending, Ending::Closed | Ending::From { whole: true })
    }

    pub(super) fn has_from(&self) -> bool {
        matches!(self.ending, Ending::From { .. })
    }

    /// The position after the column here and its alias; `None` when there is none.
    fn column(&mut self, stream: &TokenStream) -> Option<usize> {
        if stream.slice(self.end) == "*" {
            self.has_punctuation = true;
            return Some(self.end + 1);
        }
        let operand = stream.operand(self.end)?;
        self.has_punctuation |= operand.shape != Shape::Name;
        self.has_call |= operand.shape == Shape::Call;
        let joined = stream.after_joined(operand.end);
        self.has_punctuation |= joined > operand.end;
        let alias = usize::from(stream.word(joined) == "as") * 2;
        Some(joined + alias)
    }

    fn finish(&mut self, stream: &TokenStream, is_empty: bool) {
        if stream.is_word(self.end, &["from", "into"]) {
            let table = stream.operand(self.end + 1);
            let whole = table.is_some_and(|table| ends_table(stream, table.end));
            self.ending = Ending::From { whole };
            self.end = table.map_or(self.end + 1, |table| table.end);
        } else if !is_empty && ends_statement(stream, self.end) {
            self.ending = Ending::Closed;
        }
    }
}

fn after_modifiers(stream: &TokenStream, mut at: usize) -> usize {
    while stream.is_word(at, &["all", "distinct", "top"]) || stream.word(at).starts_with("sql_") {
        at += 1 + usize::from(stream.word(at) == "top");
    }
    at
}

fn ends_statement(stream: &TokenStream, at: usize) -> bool {
    stream.is_end(at) || matches!(stream.kind(at), Some(TokenKind::Close | TokenKind::Semicolon))
}

fn ends_table(stream: &TokenStream, at: usize) -> bool {
    ends_statement(stream, at)
        || stream.kind(at) == Some(TokenKind::Comma)
        || stream.is_word(at, &["where", "limit", "order", "group", "having", "union"])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::sql::Opening;

    fn read(text: &str) -> SelectList {
        SelectList::read(&TokenStream::new(text.as_bytes(), Opening::Bare), 0)
    }

    #[test]
    fn recognizes_lists_of_sql() {
        for text in [
            "select 1",
            "select a,b",
            "select * from",
            "select f(x)",
            "select top 1 a from b",
            "select a from b where",
            "select a || ':' || b from c",
        ] {
            assert!(read(text).is_evident(), "{text}");
        }
    }

    #[test]
    fn reads_long_lists() {
        for unit in ["a,", "a || ", "1 + "] {
            assert!(read(&format!("select {}a from b where", unit.repeat(1_000))).is_evident(), "{unit}");
        }
    }

    #[test]
    fn recognizes_lists_of_prose() {
        for text in ["select one of them", "select a chair from the list below", "select from", "select"] {
            assert!(!read(text).is_evident(), "{text}");
        }
    }
}
