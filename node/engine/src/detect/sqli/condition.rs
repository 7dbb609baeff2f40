//! Conditions added to a statement: `or 1=1`, `and ascii(substr(…))>64`.

use super::{Evidence, Reading};
use crate::{
    token::sql::{Kind, Opening, Operand, Phrase, Shape},
    words::WORDS,
};
use shared::Severity::{High, Medium};

/// `or`/`and`/`where` and a comparison whose outcome the attacker knows.
pub(super) fn tautology(reading: &Reading, at: usize) -> Option<Evidence> {
    let phrase = &reading.phrase;
    if !phrase.is_logic(at) && phrase.word(at) != "where" {
        return None;
    }
    let inside = || known_outcome(phrase, phrase.skip(at + 1, Kind::Open));
    let end = known_outcome(phrase, at + 1)
        .or_else(inside)
        .or_else(|| open_comparison(reading, at))
        .or_else(|| truth(phrase, at))?;
    Some(Evidence { signature: "sqli-tautology", severity: High, tokens: reading.start(at)..end })
}

/// `and name = '`: the value begins with the condition, and the statement it lands in closes the string.
fn open_comparison(reading: &Reading, at: usize) -> Option<usize> {
    let phrase = &reading.phrase;
    let right = phrase.comparison(phrase.operand(at + 1)?.end)?;
    let opens = phrase.kind(right) == Some(Kind::Text { closed: false });
    (opens && at == 0 && reading.opening == Opening::Bare).then_some(right + 1)
}

/// `1 and true`: all there is.
fn truth(phrase: &Phrase, at: usize) -> Option<usize> {
    let after_number = at == 1 && phrase.kind(0) == Some(Kind::Number);
    let known = phrase.is_word(at + 1, &["true", "false", "null"]) || phrase.slice(at + 1) == phrase.slice(0);
    let negated = phrase.slice(at + 1) == "!" && phrase.kind(at + 2) == Some(Kind::Number);
    let end = at + 2 + usize::from(negated);
    (after_number && (known || negated) && phrase.is_end(end)).then_some(end)
}

/// The position after a comparison of constants, or of a thing with itself.
fn known_outcome(phrase: &Phrase, at: usize) -> Option<usize> {
    let left = phrase.operand(at)?;
    let right_at = phrase.comparison(left.end)?;
    let right = phrase.operand(right_at)?;
    let known =
        is_constant(phrase, left) && is_constant(phrase, right) || same(phrase, at, left, right_at, right);
    known.then_some(right.end)
}

/// `1 or name like '%'`: the value is a number with a condition.
pub(super) fn after_number(reading: &Reading, at: usize) -> Option<Evidence> {
    let phrase = &reading.phrase;
    if reading.opening != Opening::Bare || !phrase.is_logic(at) || !phrase.is_numeric_until(at) {
        return None;
    }
    let left = phrase.skip(at + 1, Kind::Open);
    let end = phrase.condition(left)?;
    // `2 or more = cheap`.
    if end == left + 3 && !phrase.word(left).is_empty() && phrase.operand(left + 2)?.shape == Shape::Name {
        return None;
    }
    Some(Evidence { signature: "sqli-number-condition", severity: High, tokens: 0..end })
}

/// `1=1`, `x,'a'!='b`: the value is a comparison of constants.
pub(super) fn bare_comparison(reading: &Reading) -> Option<Evidence> {
    let phrase = &reading.phrase;
    let left = if phrase.kind(1) == Some(Kind::Comma) { 2 } else { 0 };
    let is_constant = |it| matches!(phrase.kind(it), Some(Kind::Number | Kind::Text { .. }));
    // `3=0` may be a setting; a number that equals itself is none.
    let is_setting = phrase.kind(left) == Some(Kind::Number) && phrase.slice(left) != phrase.slice(left + 2);
    let compares = match phrase.slice(left + 1) {
        "=" => !is_setting,
        operator => matches!(operator, "==" | "!=" | "<>" | "<=>"),
    };
    let ends = phrase.is_end(left + 3) || phrase.is_logic(left + 3);
    (is_constant(left) && compares && is_constant(left + 2) && ends).then_some(Evidence {
        signature: "sqli-comparison",
        severity: Medium,
        tokens: 0..left + 3,
    })
}

/// `case when 1=1 then …`, `) when 2 then`.
pub(super) fn case(reading: &Reading, at: usize) -> Option<Evidence> {
    let phrase = &reading.phrase;
    let when = match phrase.word(at) {
        "case" if phrase.word(at + 1) == "when" => at + 1,
        "case" => phrase.operand(at + 1)?.end,
        "when" if at > 0 && phrase.kind(at - 1) == Some(Kind::Close) => at,
        _ => return None,
    };
    let condition = phrase.operand(when + 1).filter(|_| phrase.word(when) == "when")?;
    let compared = phrase.comparison(condition.end).and_then(|right| phrase.operand(right));
    let then = compared.map_or(condition.end, |it| it.end);
    let telling = compared.is_some() || condition.shape != Shape::Name || at == 0;
    (phrase.word(then) == "then" && telling && !reading.is_document).then_some(Evidence {
        signature: "sqli-case",
        severity: High,
        tokens: at..then + 2,
    })
}

/// `1 * 1--`: the value is one expression, and a comment swallows the rest of the statement.
pub(super) fn bare_expression(reading: &Reading) -> Option<Evidence> {
    let phrase = &reading.phrase;
    let first = phrase.operand(0).filter(|first| first.shape != Shape::Name)?;
    let end = phrase.expression(first.end).unwrap_or(first.end);
    let end = phrase.skip(phrase.skip(end, Kind::Close), Kind::Semicolon);
    let comment = phrase.slice(end);
    let comments = phrase.kind(end) == Some(Kind::Comment) && (comment.starts_with("--") || comment == "/*");
    let brief = end > 1 || phrase.slice(end).len() <= 4;
    let swallows = comments && end + 1 == phrase.len() && brief;
    swallows.then(|| Evidence { signature: "sqli-expression", severity: Medium, tokens: 0..end + 1 })
}

/// `or`/`and` and a condition that calls into the database.
pub(super) fn in_condition(reading: &Reading, at: usize) -> Option<Evidence> {
    let phrase = &reading.phrase;
    if !phrase.is_logic(at) && phrase.word(at) != "where" {
        return None;
    }
    let end = called(phrase, at + 1)?;
    let compared = phrase.comparison(end).is_some()
        || phrase.is_end(end)
        || phrase.is_logic(end)
        || phrase.kind(end) == Some(Kind::Close);
    compared.then(|| Evidence {
        signature: "sqli-condition",
        severity: Medium,
        tokens: reading.start(at)..end,
    })
}

/// The position after a call of a known function, brackets before it allowed.
fn called(phrase: &Phrase, at: usize) -> Option<usize> {
    let at = phrase.skip(at + usize::from(phrase.word(at) == "not"), Kind::Open);
    let asks = phrase.kind(at) == Some(Kind::Word)
        && phrase.kind(at + 1) == Some(Kind::Open)
        && phrase.calls(at + 2, &WORDS.sqli.system_functions);
    (asks || phrase.calls(at, &WORDS.sqli.functions)).then(|| phrase.after_group(at + 1))
}

fn is_constant(phrase: &Phrase, operand: Operand) -> bool {
    match operand.shape {
        Shape::Literal => true,
        Shape::Call | Shape::Group => phrase.kind(operand.end - 1) == Some(Kind::Close),
        Shape::Name => false,
    }
}

/// `a=a`: the same name on both sides.
fn same(phrase: &Phrase, left_at: usize, left: Operand, right_at: usize, right: Operand) -> bool {
    left.end == left_at + 1 && right.end == right_at + 1 && phrase.slice(left_at) == phrase.slice(right_at)
}
