//! Leaving the string a value landed in: `'` and then SQL. Token 0 is the string that was left.

use super::{Evidence, Reading, words};
use crate::token::sql::{Kind, Phrase, Shape};
use shared::Severity::{Critical, High, Medium};

/// `' or x`, `') and (x`: a condition after the quote, and nothing after it that makes it prose.
pub(super) fn condition(reading: &Reading, _: usize) -> Option<Evidence> {
    let phrase = &reading.phrase;
    let at = phrase.skip(1, Kind::Close);
    if !phrase.is_logic(at) {
        return None;
    }
    let left = phrase.operand(at + 1)?;
    let compared = phrase.comparison(left.end).and_then(|right| phrase.operand(right));
    let alone = left.shape != Shape::Name || phrase.kind(left.end) == Some(Kind::Comment);
    let ends = phrase.is_end(left.end) || phrase.is_logic(left.end);
    let end = compared.map(|right| right.end).or((alone && ends).then_some(left.end))?;
    Some(Evidence { signature: "sqli-string-breakout", severity: High, tokens: 0..end })
}

/// `admin'--`, `') #`: a quote, and a comment that swallows the rest.
pub(super) fn comment(reading: &Reading, _: usize) -> Option<Evidence> {
    let phrase = &reading.phrase;
    let at = phrase.skip(phrase.skip(1, Kind::Close), Kind::Semicolon);
    let swallows = phrase.kind(at) == Some(Kind::Comment) && at + 1 == phrase.len();
    let short = phrase.slice(at).len() <= 8;
    (swallows && short).then(|| Evidence {
        signature: "sqli-comment-tail",
        severity: High,
        tokens: 0..at + 1,
    })
}

/// `'='`, `'-0-'`, `'||(…)||'`: an operator joins what was left with what comes.
pub(super) fn operator(reading: &Reading, _: usize) -> Option<Evidence> {
    let phrase = &reading.phrase;
    let at = phrase.skip(1, Kind::Close);
    let joins = matches!(phrase.kind(at), Some(Kind::Arithmetic | Kind::Logic));
    let next = if joins { Some(at + 1) } else { phrase.comparison(at) }?;
    let operand = phrase.operand(next)?;
    let reopens = matches!(phrase.kind(phrase.len() - 1), Some(Kind::Text { closed: false }));
    let holds = match operand.shape {
        Shape::Literal => phrase.is_end(operand.end) && (reopens || !joins),
        Shape::Group => phrase.word(next + 1) == "select",
        Shape::Call => phrase.is_word(next, words::TELLING) || phrase.is_word(next, words::DELAY),
        Shape::Name => false,
    } || operand.shape != Shape::Name && joins && reopens;
    holds.then(|| Evidence { signature: "sqli-string-operator", severity: Medium, tokens: 0..operand.end })
}

/// `'; drop …`, `' into outfile`, `' order by 1`, `' limit 1`.
pub(super) fn statement(reading: &Reading, _: usize) -> Option<Evidence> {
    let phrase = &reading.phrase;
    let at = phrase.skip(1, Kind::Close);
    let holds = match phrase.kind(at) {
        Some(Kind::Semicolon) => phrase.is_word(at + 1, words::STATEMENT) && !is_prose(phrase, at + 2),
        Some(Kind::Word) => clause(phrase, at),
        _ => false,
    };
    holds.then(|| Evidence { signature: "sqli-string-statement", severity: Critical, tokens: 0..at + 3 })
}

fn clause(phrase: &Phrase, at: usize) -> bool {
    let follows = phrase.operand(at + 1).is_some_and(|it| it.shape == Shape::Literal);
    match phrase.word(at) {
        "order" | "group" => {
            phrase.word(at + 1) == "by" && phrase.operand(at + 2).is_some_and(|it| phrase.is_end(it.end))
        }
        "having" | "limit" => follows,
        "union" => phrase.is_word(at + 1, &["select", "all"]),
        "into" => phrase.is_word(at + 1, &["outfile", "dumpfile"]),
        _ => false,
    }
}

/// Three words in a row: people write that, SQL after its first word does not.
fn is_prose(phrase: &Phrase, at: usize) -> bool {
    (at..at + 4).all(|it| phrase.kind(it) == Some(Kind::Word) && phrase.operand(it).is_some())
}
