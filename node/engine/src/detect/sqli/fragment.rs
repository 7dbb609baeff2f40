//! Pieces of statements: the value begins or stops where only SQL does, and is no more than that piece.

use super::{Evidence, Reading};
use crate::{
    token::sql::{Kind, Phrase, Shape},
    words::WORDS,
};
use shared::Severity::{self, High, Medium};

/// Longer values say more than a fragment does, and other rules read them.
const MAX_TOKENS: usize = 16;

/// `and 7639=(`, `|| name == '`, `xor 2 <`: the value begins with a condition.
pub(super) fn leading_condition(reading: &Reading) -> Option<Evidence> {
    let phrase = short(reading)?;
    if !phrase.is_logic(0) {
        return None;
    }
    let left = phrase.operand(phrase.skip(1, Kind::Open))?;
    let is_english = phrase.is_word(0, &["or", "and"]) && left.shape == Shape::Name;
    let compares = match phrase.slice(left.end) {
        "<" | ">" => !is_english,
        _ => phrase.kind(left.end) == Some(Kind::Compare),
    };
    let is_xor = phrase.word(0) == "xor" && phrase.after_operators(left.end) == Some(phrase.len());
    let right = phrase.skip(left.end, Kind::Compare);
    let is_prose = is_english && !phrase.word(right).is_empty() && !phrase.is_comment(right + 1);
    (compares && !is_prose || is_xor).then(|| evidence("sqli-fragment-condition", Medium, left.end + 1))
}

/// `1-false`, `(||6)`: the value is arithmetic with a truth, or an operator in brackets.
pub(super) fn constant(reading: &Reading) -> Option<Evidence> {
    let phrase = short(reading)?;
    let is_number = |at| phrase.kind(at) == Some(Kind::Number);
    let is_truth = || {
        is_number(0)
            && phrase.kind(1) == Some(Kind::Arithmetic)
            && phrase.is_word(2, &["true", "false"])
            && phrase.is_adjacent(0)
    };
    let is_bracketed = || {
        phrase.kind(0) == Some(Kind::Open)
            && phrase.slice(1) == "||"
            && is_number(2)
            && phrase.kind(3) == Some(Kind::Close)
    };
    let holds = phrase.len() == 3 && is_truth() || phrase.len() == 4 && is_bracketed();
    holds.then(|| evidence("sqli-fragment-operator", Medium, phrase.len()))
}

/// `||`, `is null`, `in (0,1)`: an operator, with what it needs on its right at most.
pub(super) fn operator(reading: &Reading) -> Option<Evidence> {
    let phrase = short(reading)?;
    let constants = || phrase.kind(1) == Some(Kind::Open) && phrase.kind(2) == Some(Kind::Number);
    let holds = match phrase.slice(0) {
        "||" | "&&" if phrase.len() == 2 => phrase.operand(1).is_some_and(|it| it.shape == Shape::Literal),
        "||" | "&&" | "<=>" | "xor" => phrase.len() == 1,
        "is" => phrase.operand(1).is_some_and(|it| it.end == phrase.len()) && ends_with_null(phrase),
        "in" => constants() && phrase.kind(3) == Some(Kind::Comma) && phrase.after_group(1) == phrase.len(),
        _ => false,
    };
    holds.then(|| evidence("sqli-fragment-operator", Medium, phrase.len()))
}

fn ends_with_null(phrase: &Phrase) -> bool {
    phrase.word(phrase.len() - 1) == "null"
}

/// `cos(`, `concat (`, `length||(`: a function of databases whose arguments are cut off.
pub(super) fn open_call(reading: &Reading) -> Option<Evidence> {
    let phrase = short(reading)?;
    let known = phrase.is_one_of(0, &WORDS.sqli.functions)
        || phrase.is_one_of(0, &WORDS.sqli.delay_functions)
        || phrase.is_one_of(0, &WORDS.sqli.open_functions);
    let last = phrase.len().checked_sub(1)?;
    let is_symbol = |it| match phrase.kind(it) {
        Some(Kind::Word) => phrase.word(it) == "$",
        kind => !matches!(kind, Some(Kind::Text { .. } | Kind::Number | Kind::Name)),
    };
    let opens = last > 0 && phrase.kind(last) == Some(Kind::Open);
    (known && opens && (1..last).all(is_symbol)).then(|| evidence("sqli-fragment-call", Medium, last + 1))
}

/// `; drop`, `;update users`: the statement of another begins the value.
pub(super) fn semicolon(reading: &Reading) -> Option<Evidence> {
    let phrase = short(reading)?;
    let verb = phrase.is_one_of(1, &WORDS.sqli.stacked_statements) && phrase.kind(0) == Some(Kind::Semicolon);
    let is_brief = phrase.len() <= 3 || phrase.len() <= 5 && phrase.word(2).is_empty();
    (verb && is_brief).then(|| evidence("sqli-fragment-statement", High, phrase.len()))
}

/// ``from `t` where``, `from t group by`: the second half of a query.
pub(super) fn from_clause(reading: &Reading) -> Option<Evidence> {
    let phrase = &reading.phrase;
    if reading.is_document || phrase.word(0) != "from" {
        return None;
    }
    let table = phrase.operand(1)?;
    let is_quoted = phrase.kind(1) == Some(Kind::Name);
    let holds = match phrase.word(table.end) {
        "where" => is_quoted || phrase.condition(table.end + 1).is_some(),
        "group" => phrase.word(table.end + 1) == "by" && phrase.operand(table.end + 2).is_some(),
        "order" => is_quoted && phrase.word(table.end + 1) == "by",
        "limit" => is_quoted || phrase.kind(table.end + 1) == Some(Kind::Number),
        _ => false,
    };
    holds.then(|| evidence("sqli-fragment-query", High, table.end + 2))
}

/// `values ('a', 1)`: the second half of an insert.
pub(super) fn values(reading: &Reading) -> Option<Evidence> {
    let phrase = short(reading)?;
    let literal = matches!(phrase.kind(2), Some(Kind::Text { .. }));
    let holds = phrase.word(0) == "values"
        && phrase.kind(1) == Some(Kind::Open)
        && literal
        && phrase.kind(3) == Some(Kind::Comma);
    holds.then(|| evidence("sqli-fragment-query", Medium, phrase.len()))
}

/// `/3 or`, `x=(select`: the rest is the attacker's next try.
pub(super) fn open_end(reading: &Reading) -> Option<Evidence> {
    let phrase = short(reading)?;
    let last = phrase.len().checked_sub(2)?;
    let subselect = phrase.kind(last) == Some(Kind::Open) && phrase.word(last + 1) == "select";
    let continues = phrase.len() == 3 && phrase.kind(0) == Some(Kind::Arithmetic) && phrase.is_logic(2);
    (subselect || continues).then(|| evidence("sqli-fragment-query", Medium, last + 2))
}

/// `name like '`: the pattern is the statement's.
pub(super) fn open_pattern(reading: &Reading) -> Option<Evidence> {
    let phrase = short(reading)?;
    let like = 1;
    let names = phrase.operand(0).is_some_and(|it| it.end == like) || phrase.kind(0) == Some(Kind::Close);
    let after = like + 1;
    let is_name_end =
        phrase.slice(0) == "`" && phrase.is_word(1, &["like", "rlike", "regexp"]) && phrase.len() == 2;
    if is_name_end {
        return Some(evidence("sqli-fragment-pattern", Medium, 2));
    }
    let opens = match phrase.kind(after) {
        Some(Kind::Text { closed }) => !closed && phrase.slice(after).len() == 1,
        Some(Kind::Open) => phrase.kind(0) == Some(Kind::Close),
        _ => false,
    };
    (names && phrase.is_word(like, &["like", "rlike", "regexp"]) && opens && after + 1 == phrase.len())
        .then(|| evidence("sqli-fragment-pattern", Medium, after + 1))
}

/// `'select x`, `' union/`: a quote, and the first words of a statement.
pub(super) fn quoted_verb(reading: &Reading) -> Option<Evidence> {
    let phrase = &reading.phrase;
    let verb = phrase.is_one_of(1, &WORDS.sqli.stacked_statements) || phrase.is_word(1, &["union", "having"]);
    let is_brief = phrase.len() <= 4 && phrase.slice(0).len() == 1;
    let closes = (2..phrase.len()).any(|it| matches!(phrase.kind(it), Some(Kind::Text { .. })));
    let is_logic = phrase.is_logic(1) && phrase.len() == 2;
    (is_brief && (is_logic || verb && !closes && phrase.len() > 2))
        .then(|| evidence("sqli-string-statement", Medium, phrase.len()))
}

/// The phrase when it is no longer than a piece.
fn short(reading: &Reading) -> Option<&Phrase> {
    (reading.phrase.len() <= MAX_TOKENS).then_some(&reading.phrase)
}

fn evidence(signature: &'static str, severity: Severity, end: usize) -> Evidence {
    Evidence { signature, severity, tokens: 0..end }
}
