//! Calls no visitor makes: databases told to wait, or to talk.

use super::{Evidence, Reading, words};
use crate::token::sql::{Kind, Opening, Phrase};
use shared::Severity::{Critical, Medium};

/// `sleep(5)`, `benchmark(…)`, `waitfor delay '…'`.
pub(super) fn delay(reading: &Reading, at: usize) -> Option<Evidence> {
    let phrase = &reading.phrase;
    let end = match phrase.word(at) {
        "waitfor" if phrase.is_word(at + 1, &["delay", "time"]) => at + 3,
        word if words::DELAY.contains(&word) && is_call(phrase, at) => phrase.after_group(at + 1),
        _ => return None,
    };
    Some(Evidence { signature: "sqli-delay", severity: Critical, tokens: at..end })
}

/// A call with arguments where an expression is expected: after `select`, an operator, a comma or a quote.
fn is_call(phrase: &Phrase, at: usize) -> bool {
    let opens = phrase.kind(at + 1) == Some(Kind::Open);
    let argument = phrase.operand(at + 2).is_some_and(|it| {
        matches!(phrase.kind(it.end), None | Some(Kind::Close | Kind::Comma | Kind::Comment))
    });
    opens && argument && (at == 0 || expects_expression(phrase, at - 1) || phrase.word(at).starts_with("pg_"))
}

fn expects_expression(phrase: &Phrase, at: usize) -> bool {
    match phrase.kind(at) {
        Some(Kind::Word) => {
            phrase.is_logic(at)
                || phrase.is_word(
                    at,
                    &[
                        "select", "if", "when", "then", "else", "where", "by", "having", "limit", "not",
                        "rlike", "like", "in", "all",
                    ],
                )
        }
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
    {
        return None;
    }
    Some(Evidence { signature: "sqli-server-variable", severity: Medium, tokens: at..at + 1 })
}

/// `version()`, `unhex(`: the value is a call of a database function and nothing else.
pub(super) fn whole_call(reading: &Reading, at: usize) -> Option<Evidence> {
    let phrase = &reading.phrase;
    let called = at == 0 && reading.opening == Opening::Bare && phrase.calls(0, words::TELLING);
    let is_all = called && phrase.after_group(1) == phrase.len() && phrase.is_adjacent(0);
    is_all.then(|| Evidence { signature: "sqli-function-call", severity: Medium, tokens: 0..phrase.len() })
}
