//! Statements after a semicolon, or as the whole value: recognised by the words after the first.

use super::{
    Evidence, Reading,
    administration::administers,
    select_list::{Ending, SelectList},
};
use crate::{
    token::sql::{Kind, Opening, Phrase},
    words::WORDS,
};
use shared::Severity::Critical;

/// `; drop table x` and its kin.
pub(super) fn stacked(reading: &Reading, at: usize) -> Option<Evidence> {
    let phrase = &reading.phrase;
    let follows = phrase.kind(at) == Some(Kind::Semicolon);
    let is_value = at == 0 && reading.opening == Opening::Bare;
    let verb = at + usize::from(follows);
    // Some databases need no semicolon.
    let after_number = || phrase.is_numeric_until(at) && reading.opening == Opening::Bare;
    if !(follows || is_value || after_number()) || !phrase.is_one_of(verb, &WORDS.sqli.statements) {
        return None;
    }
    let end = statement_end(phrase, verb)?;
    Some(Evidence { signature: "sqli-statement", severity: Critical, tokens: at..end })
}

/// The position after the part of a statement that shows it to be one.
pub(super) fn statement_end(phrase: &Phrase, at: usize) -> Option<usize> {
    if phrase.word(at) == "select" {
        let list = SelectList::read(phrase, at);
        let is_text = matches!(phrase.kind(at + 1), Some(Kind::Text { .. })) && at + 2 == phrase.len();
        let goes_on = || (at + 2..at + 6).any(|it| phrase.word(it) == "select");
        let is_whole = list.ending != Ending::Open
            || list.has_call
            || phrase.kind(at + 1) == Some(Kind::Variable)
            || goes_on();
        let telling = is_whole && list.has_punctuation && !is_text;
        return telling.then_some(list.end);
    }
    let holds = changes_rows(phrase, at)
        || changes_objects(phrase, at)
        || runs(phrase, at)
        || administers(phrase, at);
    holds.then_some(at + 3)
}

fn changes_rows(phrase: &Phrase, at: usize) -> bool {
    match phrase.word(at) {
        "insert" | "merge" | "replace" => {
            let into = phrase.word(at + 1) == "into" || phrase.kind(at + 2) == Some(Kind::Open);
            into && (at..at + 40).any(|it| phrase.is_word(it, &["values", "select"]))
        }
        "update" => {
            (at + 2..at + 6).any(|it| phrase.word(it) == "set" && phrase.kind(it + 2) == Some(Kind::Compare))
        }
        "delete" => phrase.word(at + 1) == "from" && ends_delete(phrase, at),
        "load" => {
            phrase.is_word(at + 1, &["data", "xml"]) && (at + 2..at + 5).any(|it| phrase.word(it) == "infile")
        }
        "copy" => (at + 3..at + 8).any(|it| phrase.is_word(it, &["program", "stdin"])),
        _ => false,
    }
}

/// `delete from here` is prose when it is all there is.
fn ends_delete(phrase: &Phrase, at: usize) -> bool {
    let after = at + 3;
    phrase.word(after) == "where" && (at > 0 || phrase.condition(after + 1).is_some())
        || phrase.kind(after) == Some(Kind::Semicolon)
        || at > 0 && phrase.is_end(after)
}

fn changes_objects(phrase: &Phrase, at: usize) -> bool {
    let adjectives = &["temporary", "unique", "external", "global", "public", "replace"];
    let object = at + 1 + usize::from(phrase.is_word(at + 1, adjectives));
    let follows = at > 0 && phrase.kind(at - 1) == Some(Kind::Semicolon);
    let holds = phrase.is_one_of(object, &WORDS.sqli.objects) && (follows || defines(phrase, object));
    phrase.is_word(at, &["drop", "create", "alter", "truncate", "rename"]) && (holds || drops_all(phrase, at))
}

/// Whether the object here is defined or dropped, and not a seat, a view or an account that people speak of.
fn defines(phrase: &Phrase, object: usize) -> bool {
    let name = object + if phrase.word(object + 1) == "if" { 3 } else { 1 };
    let is_name = matches!(phrase.kind(name), Some(Kind::Word | Kind::Name));
    let Some(after) = phrase.operand(name).filter(|_| is_name).map(|it| it.end) else { return false };
    let is_call = phrase.kind(after.wrapping_sub(1)) == Some(Kind::Close);
    let is_table = phrase.is_word(object, &["table", "database"]);
    is_call
        || phrase.kind(after) == Some(Kind::Semicolon)
        || phrase.kind(after) == Some(Kind::Comment)
        || is_table && (phrase.kind(after).is_none() || phrase.kind(after) == Some(Kind::Comma))
        || phrase.is_word(
            after,
            &[
                "as",
                "on",
                "add",
                "identified",
                "with",
                "cascade",
                "before",
                "after",
                "returns",
                "change",
                "modify",
                "rename",
            ],
        )
}

/// `drop x;--`: some databases need no word for what is dropped.
fn drops_all(phrase: &Phrase, at: usize) -> bool {
    let after = at + 2;
    let cuts = phrase.is_comment(phrase.skip(after, Kind::Semicolon));
    phrase.is_word(at, &["drop", "truncate"]) && cuts && !phrase.word(at + 1).is_empty()
}

/// Statements that need no semicolon before them.
pub(super) fn runs(phrase: &Phrase, at: usize) -> bool {
    let (second, kind) = (phrase.word(at + 1), phrase.kind(at + 1));
    match phrase.word(at) {
        "exec" | "execute" => {
            let known = second.starts_with("xp_") || second.starts_with("sp_");
            known
                || matches!(second, "immediate" | "master")
                || kind == Some(Kind::Variable)
                || runs_text(phrase, at + 1)
        }
        "declare" | "set" => kind == Some(Kind::Variable) && phrase.slice(at + 1).len() > 1,
        "waitfor" => matches!(second, "delay" | "time"),
        "begin" => matches!(second, "declare" | "dbms_lock" | "execute"),
        "call" => {
            let name_end = if phrase.kind(at + 2) == Some(Kind::Dot) { at + 4 } else { at + 2 };
            phrase.kind(name_end) == Some(Kind::Open)
        }
        "if" => decides(phrase, at + 1),
        _ => false,
    }
}

/// `exec('…')`, `exec(@x)`.
fn runs_text(phrase: &Phrase, at: usize) -> bool {
    phrase.kind(at) == Some(Kind::Open)
        && matches!(phrase.kind(at + 1), Some(Kind::Variable | Kind::Text { .. }))
}

/// `if (…) select`, `if … waitfor`.
fn decides(phrase: &Phrase, at: usize) -> bool {
    let group = phrase.kind(at) == Some(Kind::Open);
    let statement =
        phrase.word(at + 1) == "select" || phrase.is_one_of(phrase.after_group(at), &WORDS.sqli.statements);
    group && statement || (at..at + 20).any(|it| phrase.word(it) == "waitfor")
}
