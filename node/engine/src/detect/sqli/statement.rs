//! Whole statements and clauses inside a value.

use super::{Evidence, Reading, words};
use crate::token::sql::{Kind, Opening, Phrase, Shape};
use shared::Severity::{Critical, High};

/// Columns of a select list are read this far.
const MAX_COLUMNS: usize = 64;

/// `union [all|distinct] select` and a list that is no prose.
pub(super) fn union_select(reading: &Reading, at: usize) -> Option<Evidence> {
    let phrase = &reading.phrase;
    if !phrase.is_word(at, &["union", "intersect", "except", "minus"]) {
        return None;
    }
    let next = at + 1 + usize::from(phrase.is_word(at + 1, &["all", "distinct", "distinctrow"]));
    let select = phrase.skip(next, Kind::Open);
    let list = phrase.is_word(select, &["select", "values", "table"]).then(|| select_list(phrase, select))?;
    let after_value = at > 0
        && matches!(
            phrase.kind(at - 1),
            Some(Kind::Number | Kind::Text { .. } | Kind::Close | Kind::Comment | Kind::Variable)
        );
    let evidenced = list.has_punctuation || list.is_closed || after_value;
    evidenced.then(|| Evidence {
        signature: "sqli-union-select",
        severity: Critical,
        tokens: reading.start(at)..list.end,
    })
}

/// `(select …` with a real select list.
pub(super) fn subselect(reading: &Reading, at: usize) -> Option<Evidence> {
    let phrase = &reading.phrase;
    if phrase.kind(at) != Some(Kind::Open) || phrase.word(at + 1) != "select" {
        return None;
    }
    let list = select_list(phrase, at + 1);
    (list.has_punctuation || list.is_closed).then(|| Evidence {
        signature: "sqli-subselect",
        severity: High,
        tokens: at..list.end.max(phrase.after_group(at)),
    })
}

/// `select a, b from t`: prose has the words, but not the punctuation.
pub(super) fn select_from(reading: &Reading, at: usize) -> Option<Evidence> {
    let phrase = &reading.phrase;
    if phrase.word(at) != "select" {
        return None;
    }
    let list = select_list(phrase, at);
    let telling = list.has_punctuation && (list.has_from || list.has_call);
    telling.then(|| Evidence { signature: "sqli-select", severity: High, tokens: at..list.end })
}

/// `; drop table x` and its kin, by the second word of each statement.
pub(super) fn stacked(reading: &Reading, at: usize) -> Option<Evidence> {
    let phrase = &reading.phrase;
    let first = phrase.kind(at) == Some(Kind::Semicolon) || at == 0 && reading.opening == Opening::Bare;
    let at_word = if phrase.kind(at) == Some(Kind::Semicolon) { at + 1 } else { at };
    if !first || !phrase.is_word(at_word, words::STATEMENT) {
        return None;
    }
    let end = statement_end(phrase, at_word)?;
    Some(Evidence { signature: "sqli-statement", severity: Critical, tokens: at..end })
}

/// `order by 5`, `having 1=1`, `group by x having`, `limit 1,1`, `procedure analyse`.
pub(super) fn probe(reading: &Reading, at: usize) -> Option<Evidence> {
    let phrase = &reading.phrase;
    let end = match (phrase.word(at), phrase.word(at + 1)) {
        ("order" | "group", "by") => after_by(reading, at)?,
        ("having", _) => phrase.comparison(phrase.operand(at + 1)?.end)? + 1,
        ("procedure", "analyse" | "analyze") if phrase.kind(at + 2) == Some(Kind::Open) => {
            phrase.after_group(at + 2)
        }
        ("into", "outfile" | "dumpfile") => at + 3,
        _ => return None,
    };
    Some(Evidence { signature: "sqli-clause", severity: High, tokens: reading.start(at)..end })
}

/// Numbers to sort by, after something that was broken out of or that is swallowed by a comment.
fn after_by(reading: &Reading, at: usize) -> Option<usize> {
    let phrase = &reading.phrase;
    let column = phrase.operand(at + 2)?;
    let after_value = at > 0
        && matches!(
            phrase.kind(at - 1),
            Some(Kind::Number | Kind::Text { .. } | Kind::Close | Kind::Variable | Kind::Arithmetic)
        );
    let swallows = phrase.kind(column.end) == Some(Kind::Comment);
    let counted = column.shape == Shape::Literal || column.shape == Shape::Group;
    (after_value && (counted || swallows) || counted && swallows)
        .then_some(column.end + usize::from(swallows))
}

/// What follows `select`.
pub(super) struct SelectList {
    /// Something prose would not have: a star, a number, a call, a comma, a string.
    has_punctuation: bool,
    has_call: bool,
    has_from: bool,
    /// It ends where a statement can: a comment, a bracket, the end.
    is_closed: bool,
    end: usize,
}

fn select_list(phrase: &Phrase, select: usize) -> SelectList {
    let mut at = select + 1;
    while phrase.is_word(at, &["all", "distinct", "top"]) || phrase.word(at).starts_with("sql_") {
        at += 1 + usize::from(phrase.word(at) == "top");
    }
    let mut list =
        SelectList { has_punctuation: false, has_call: false, has_from: false, is_closed: false, end: at };
    for _ in 0..MAX_COLUMNS {
        let Some(end) = column(phrase, at, &mut list) else { break };
        at = phrase.skip(end, Kind::Comma);
        list.has_punctuation |= at > end;
        if at == end {
            break;
        }
    }
    finish(phrase, at, list)
}

/// Reads a column with its alias; `None` when there is none.
fn column(phrase: &Phrase, at: usize, list: &mut SelectList) -> Option<usize> {
    if phrase.kind(at) == Some(Kind::Arithmetic) && phrase.slice(at) == "*" {
        list.has_punctuation = true;
        return Some(at + 1);
    }
    let operand = phrase.operand(at)?;
    list.has_punctuation |= operand.shape != Shape::Name;
    list.has_call |= operand.shape == Shape::Call;
    let alias = usize::from(phrase.word(operand.end) == "as") * 2;
    Some(operand.end + alias)
}

fn finish(phrase: &Phrase, at: usize, list: SelectList) -> SelectList {
    let has_from = phrase.is_word(at, &["from", "into"]);
    let is_closed = phrase.is_end(at) || matches!(phrase.kind(at), Some(Kind::Close | Kind::Semicolon));
    let table = if has_from { phrase.operand(at + 1).map_or(at + 1, |table| table.end) } else { at };
    SelectList { has_from, is_closed: is_closed && list.end < at, end: table, ..list }
}

/// The position after the part of a statement that shows it to be one.
fn statement_end(phrase: &Phrase, at: usize) -> Option<usize> {
    let (second, third) = (phrase.word(at + 1), phrase.word(at + 2));
    let holds = match phrase.word(at) {
        "select" => {
            let list = select_list(phrase, at);
            return (list.has_punctuation && (list.is_closed || list.has_from || list.has_call))
                .then_some(list.end);
        }
        "insert" | "merge" | "replace" => {
            second == "into" && (at..at + 40).any(|it| phrase.is_word(it, &["values", "select"]))
        }
        "update" => {
            (at + 2..at + 6).any(|it| phrase.word(it) == "set" && phrase.kind(it + 2) == Some(Kind::Compare))
        }
        "delete" => {
            second == "from"
                && (phrase.word(at + 3) == "where"
                    || phrase.is_end(at + 3)
                    || phrase.kind(at + 3) == Some(Kind::Semicolon))
        }
        "drop" | "create" | "alter" | "truncate" | "rename" => is_object(second) || is_object(third),
        "exec" | "execute" => {
            second.starts_with("xp_")
                || second.starts_with("sp_")
                || second == "immediate"
                || second == "master"
                || phrase.kind(at + 1) == Some(Kind::Open)
                    && matches!(phrase.kind(at + 2), Some(Kind::Variable | Kind::Text { .. }))
                || phrase.kind(at + 1) == Some(Kind::Variable)
        }
        "declare" | "set" => phrase.kind(at + 1) == Some(Kind::Variable),
        "waitfor" => matches!(second, "delay" | "time"),
        "shutdown" => {
            phrase.is_end(at + 1)
                || matches!(second, "with")
                || phrase.kind(at + 1) == Some(Kind::Semicolon) && at > 0
        }
        "grant" | "revoke" => (at..at + 12).any(|it| phrase.word(it) == "on"),
        "begin" => matches!(second, "declare" | "dbms_lock" | "execute"),
        "call" => phrase.kind(at + 2) == Some(Kind::Open),
        "if" => {
            phrase.kind(at + 1) == Some(Kind::Open)
                && (phrase.word(at + 2) == "select"
                    || phrase.is_word(phrase.after_group(at + 1), words::STATEMENT))
                || (at..at + 20).any(|it| phrase.word(it) == "waitfor")
        }
        "backup" => matches!(second, "database" | "log"),
        "copy" => (at..at + 8).any(|it| phrase.is_word(it, &["program", "stdin"])),
        "load" => second == "data",
        _ => false,
    };
    holds.then_some(at + 3)
}

fn is_object(word: &str) -> bool {
    matches!(
        word,
        "table"
            | "database"
            | "view"
            | "index"
            | "procedure"
            | "function"
            | "trigger"
            | "user"
            | "login"
            | "schema"
            | "column"
            | "role"
            | "sequence"
            | "alias"
    )
}
