//! Calls no visitor makes: databases told to wait, or to talk.

use super::{Evidence, Reading};
use crate::{
    token::sql::{Kind, Phrase, Shape},
    words::WORDS,
};
use shared::Severity::{Critical, Medium};

/// `1+ascii(substr(…))-10`, `conv(hex(…)) >> 6`: a number or nothing, and a call of one database function on another.
pub(super) fn nested_call(reading: &Reading) -> Option<Evidence> {
    let phrase = &reading.phrase;
    let call = (0..8).find(|&it| phrase.kind(it) == Some(Kind::Word))?;
    let leads = call == 0 || phrase.is_numeric_until(call);
    let nests = phrase.calls(call, &WORDS.sqli.functions)
        && asks(phrase, call + 2)
        && !phrase.is_one_of(call, &WORDS.sqli.math_functions);
    let end = phrase.after_group(call + 1);
    (leads && nests && phrase.expression(end).unwrap_or(end) == phrase.len()).then_some(Evidence {
        signature: "sqli-function-call",
        severity: Medium,
        tokens: 0..end,
    })
}

/// `sleep(5)`, `benchmark(…)`, `waitfor delay '…'`.
pub(super) fn delay(reading: &Reading, at: usize) -> Option<Evidence> {
    let phrase = &reading.phrase;
    let end = match phrase.word(at) {
        "waitfor" if phrase.is_word(at + 1, &["delay", "time"]) => at + 3,
        word if WORDS.sqli.delay_functions.contains(word) && is_call(phrase, at) => {
            phrase.after_group(at + 1)
        }
        _ => return None,
    };
    Some(Evidence { signature: "sqli-delay", severity: Critical, tokens: at..end })
}

/// A call with arguments where an expression is expected: after `select`, an operator, a comma or a quote.
fn is_call(phrase: &Phrase, at: usize) -> bool {
    let opens = phrase.kind(at + 1) == Some(Kind::Open);
    // `sleep(5.seconds)` is how Ruby says it.
    let argument = phrase.operand(at + 2).is_some_and(|it| {
        let end = it.end + usize::from(phrase.slice(at + 2).ends_with('.'));
        let is_prose = it.shape == Shape::Name && phrase.is_word(at, &["sleep", "benchmark"]);
        !is_prose && matches!(phrase.kind(end), None | Some(Kind::Close | Kind::Comma | Kind::Comment))
    });
    opens && argument && (at == 0 || expects_expression(phrase, at - 1) || phrase.word(at).starts_with("pg_"))
}

fn expects_expression(phrase: &Phrase, at: usize) -> bool {
    match phrase.kind(at) {
        Some(Kind::Word) => phrase.is_logic(at) || phrase.is_one_of(at, &WORDS.sqli.expression_starters),
        Some(Kind::Dot) => phrase.is_word(at.wrapping_sub(1), &["dbms_pipe", "dbms_lock", "user_lock"]),
        Some(kind) => !matches!(kind, Kind::Other),
        None => true,
    }
}

/// `@@version`.
pub(super) fn telling(reading: &Reading, at: usize) -> Option<Evidence> {
    let phrase = &reading.phrase;
    if phrase.kind(at) != Some(Kind::Variable)
        || !phrase.slice(at).starts_with("@@")
        || phrase.slice(at).len() < 6
        || at > 0 && phrase.kind(at - 1) == Some(Kind::Word) && phrase.is_adjacent(at - 1)
    {
        return None;
    }
    Some(Evidence { signature: "sqli-server-variable", severity: Medium, tokens: at..at + 1 })
}

/// `version()`, `unhex(`: the value is a call of a database function and nothing else.
pub(super) fn whole_call(reading: &Reading) -> Option<Evidence> {
    let phrase = &reading.phrase;
    let first = usize::from(phrase.kind(0) == Some(Kind::Comma));
    let called = phrase.calls(first, &WORDS.sqli.functions);
    let is_prose = phrase.is_english(first)
        && phrase.kind(first + 2) == Some(Kind::Word)
        && phrase.kind(first + 3) == Some(Kind::Close);
    let is_math = phrase.is_one_of(first, &WORDS.sqli.math_functions) && !asks(phrase, first + 2);
    let is_all = called
        && !is_math
        && !is_prose
        && phrase.after_group(first + 1) == phrase.len()
        && phrase.is_adjacent(first);
    is_all.then(|| Evidence { signature: "sqli-function-call", severity: Medium, tokens: 0..phrase.len() })
}

/// A call of a function that calculators do not know.
fn asks(phrase: &Phrase, at: usize) -> bool {
    phrase.calls(at, &WORDS.sqli.functions) && !phrase.is_one_of(at, &WORDS.sqli.math_functions)
}
