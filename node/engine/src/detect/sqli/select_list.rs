//! What follows `select`: the list, and whether it reads like SQL or like prose.

use crate::token::sql::{Kind, Phrase, Shape};

/// Columns are read this far.
const MAX_COLUMNS: usize = 64;

pub(super) struct SelectList {
    /// Something prose would not have: a star, a number, a call, a comma, a string.
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
    /// With `from`; `whole` when what follows the table may follow a table.
    From { whole: bool },
}

impl SelectList {
    /// Reads the list of the `select` at this position.
    pub(super) fn read(phrase: &Phrase, select: usize) -> Self {
        let start = after_modifiers(phrase, select + 1);
        let mut list = Self { has_punctuation: false, has_call: false, ending: Ending::Open, end: start };
        for _ in 0..MAX_COLUMNS {
            let Some(end) = list.column(phrase) else { break };
            list.end = phrase.skip(end, Kind::Comma);
            list.has_punctuation |= list.end > end;
            if list.end == end {
                break;
            }
        }
        let is_empty = list.end == start;
        list.finish(phrase, is_empty);
        list
    }

    /// Alone it would be SQL.
    pub(super) fn is_evident(&self) -> bool {
        self.has_punctuation || matches!(self.ending, Ending::Closed | Ending::From { whole: true })
    }

    pub(super) fn has_from(&self) -> bool {
        matches!(self.ending, Ending::From { .. })
    }

    /// The position after the column here and its alias; `None` when there is none.
    fn column(&mut self, phrase: &Phrase) -> Option<usize> {
        if phrase.slice(self.end) == "*" {
            self.has_punctuation = true;
            return Some(self.end + 1);
        }
        let operand = phrase.operand(self.end)?;
        self.has_punctuation |= operand.shape != Shape::Name;
        self.has_call |= operand.shape == Shape::Call;
        let joined = phrase.after_joined(operand.end);
        self.has_punctuation |= joined > operand.end;
        let alias = usize::from(phrase.word(joined) == "as") * 2;
        Some(joined + alias)
    }

    fn finish(&mut self, phrase: &Phrase, is_empty: bool) {
        if phrase.is_word(self.end, &["from", "into"]) {
            let table = phrase.operand(self.end + 1);
            let whole = table.is_some_and(|table| ends_table(phrase, table.end));
            self.ending = Ending::From { whole };
            self.end = table.map_or(self.end + 1, |table| table.end);
        } else if !is_empty && ends_statement(phrase, self.end) {
            self.ending = Ending::Closed;
        }
    }
}

fn after_modifiers(phrase: &Phrase, mut at: usize) -> usize {
    while phrase.is_word(at, &["all", "distinct", "top"]) || phrase.word(at).starts_with("sql_") {
        at += 1 + usize::from(phrase.word(at) == "top");
    }
    at
}

fn ends_statement(phrase: &Phrase, at: usize) -> bool {
    phrase.is_end(at) || matches!(phrase.kind(at), Some(Kind::Close | Kind::Semicolon))
}

fn ends_table(phrase: &Phrase, at: usize) -> bool {
    ends_statement(phrase, at)
        || phrase.kind(at) == Some(Kind::Comma)
        || phrase.is_word(at, &["where", "limit", "order", "group", "having", "union"])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::sql::Opening;

    fn read(text: &str) -> SelectList {
        SelectList::read(&Phrase::new(text.as_bytes(), Opening::Bare), 0)
    }

    #[test]
    fn lists_of_sql_are_evident() {
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
    fn lists_of_prose_are_not() {
        for text in ["select one of them", "select a chair from the list below", "select from", "select"] {
            assert!(!read(text).is_evident(), "{text}");
        }
    }
}
