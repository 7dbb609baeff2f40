//! Leaving the string a value landed in: `'` and then SQL. Token 0 is the string that was left.

use super::{Evidence, Reading, stacked};
use crate::{
    token::sql::{Kind, Opening, Operand, Phrase, Shape},
    words::WORDS,
};
use shared::Severity::{Critical, High, Medium};

/// `' or x`, `') and (x`: a condition after the quote, and nothing after it that makes it prose.
pub(super) fn condition(reading: &Reading) -> Option<Evidence> {
    let phrase = &reading.phrase;
    let at = phrase.skip(1, Kind::Close);
    // `title~"or" AND …`: an issue tracker's search, whose first quote opens a word.
    let opens = phrase.slice(0).trim_end_matches(['\'', '"']).ends_with('~');
    if !phrase.is_logic(at) || opens {
        return None;
    }
    if phrase.word(at + 1) == "match" && phrase.word(at + 3) == "against" {
        return Some(Evidence { signature: "sqli-string-breakout", severity: High, tokens: 0..at + 4 });
    }
    let left = phrase.operand(at + 1)?;
    let compared = phrase.comparison(left.end).and_then(|right| phrase.operand(right));
    let is_call = phrase.kind(left.end - 1) == Some(Kind::Close);
    let alone = left.shape != Shape::Name || phrase.is_comment(left.end) || phrase.word(at) == "xor";
    let ends = phrase.is_end(left.end)
        || phrase.is_logic(left.end)
        || is_call && phrase.kind(left.end) == Some(Kind::Semicolon);
    let end = compared
        .map(|right| right.end)
        .or_else(|| reopened(phrase, at + 1))
        .or((alone && ends).then_some(left.end))
        .or_else(|| dangling(phrase, left.end))?;
    if is_quoted_word(phrase) || is_measure(reading) || is_joined(phrase, at + 1) {
        return None;
    }
    Some(Evidence { signature: "sqli-string-breakout", severity: High, tokens: 0..end })
}

/// `'or'a='a`: quotes that pair up wrongly, as attackers write them.
fn reopened(phrase: &Phrase, at: usize) -> Option<usize> {
    let text = phrase.slice(at);
    let compares = text.len() > 2 && text.trim_end_matches(['\'', '"', ' ']).ends_with('=');
    let goes_on = matches!(phrase.kind(at + 1), Some(Kind::Word | Kind::Number));
    (compares && goes_on && phrase.is_adjacent(at) && phrase.is_end(at + 2)).then_some(at + 2)
}

/// `' or 1=`, `' or x!`: the operator waits for what the statement goes on with.
fn dangling(phrase: &Phrase, at: usize) -> Option<usize> {
    let after = phrase.after_operators(at).filter(|_| !phrase.is_logic(at))?;
    let compares = phrase.kind(at) == Some(Kind::Compare);
    (phrase.is_end(after) || compares && phrase.kind(after) == Some(Kind::Semicolon)).then_some(after)
}

/// `=A1&" and "&B1`: text put together in a spreadsheet.
fn is_joined(phrase: &Phrase, at: usize) -> bool {
    phrase.kind(at) == Some(Kind::Text { closed: false })
        && phrase.slice(at).chars().nth(1).is_some_and(|it| matches!(it, '&' | '+' | '.'))
}

/// `5" or 6`: inches.
fn is_measure(reading: &Reading) -> bool {
    is_inches(reading) && reading.phrase.len() == 3
}

fn is_inches(reading: &Reading) -> bool {
    let before = reading.phrase.slice(0).trim_end_matches('"');
    reading.opening == Opening::Quoted(b'"') && before.ends_with(|it: char| it.is_ascii_digit())
}

/// `say 'and'`: a word that is quoted, no more.
fn is_quoted_word(phrase: &Phrase) -> bool {
    phrase.len() == 3
        && phrase.slice(0).len() > 1
        && phrase.slice(2).len() == 1
        && phrase.is_adjacent(0)
        && phrase.is_adjacent(1)
        && phrase.kind(1) == Some(Kind::Word)
}

/// `' is not?--`, `'collate nocase--`: a condition of any shape, cut off by a comment.
pub(super) fn cut(reading: &Reading) -> Option<Evidence> {
    let phrase = &reading.phrase;
    let first = phrase.skip(1, Kind::Close);
    let last = phrase.len().checked_sub(1).filter(|last| (first + 1..first + 12).contains(last))?;
    let begins = phrase.is_logic(first)
        || phrase.comparison(first).is_some()
        || phrase.is_one_of(first, &WORDS.sqli.condition_starters);
    // Words of conditions are no operands.
    let is_sentence =
        (first + 1..first + 4).all(|it| phrase.kind(it) == Some(Kind::Word) && phrase.operand(it).is_some());
    let cuts = phrase.kind(last) == Some(Kind::Comment) && is_idle(phrase.slice(last));
    (begins && cuts && is_terse(phrase.slice(0)) && !is_sentence).then_some(Evidence {
        signature: "sqli-string-breakout",
        severity: High,
        tokens: 0..last + 1,
    })
}

/// `admin'--`, `') #`: a quote, and a comment that swallows the rest.
pub(super) fn comment(reading: &Reading) -> Option<Evidence> {
    let phrase = &reading.phrase;
    let at = phrase.skip(phrase.skip(1, Kind::Close), Kind::Semicolon);
    let swallows = phrase.kind(at) == Some(Kind::Comment) && at + 1 == phrase.len();
    let is_inches = at == 1 && is_inches(reading) && phrase.slice(at).len() > 4;
    (swallows && !is_inches && is_terse(phrase.slice(0)) && is_idle(phrase.slice(at))).then(|| Evidence {
        signature: "sqli-comment-tail",
        severity: High,
        tokens: 0..at + 1,
    })
}

/// A comment that says nothing. `#2` is a rank, `-- ` and some letters an attacker's mark.
fn is_idle(comment: &str) -> bool {
    let said = comment.trim_start_matches(['-', '#', '/', '*', '+', ' ']);
    let is_brief = said.len() <= 8 || said.len() <= 20 && !said.contains(char::is_whitespace);
    if comment.starts_with('#') { said.is_empty() && comment.len() < 4 } else { is_brief }
}

/// `'='`, `'-0-'`, `'||(…)||'`: all that follows the quote is one expression that opens the next string again.
pub(super) fn operator(reading: &Reading) -> Option<Evidence> {
    let phrase = &reading.phrase;
    let first = phrase.skip(1, Kind::Close);
    let last = phrase.expression(first)?;
    let reopens = matches!(phrase.kind(last - 1), Some(Kind::Text { closed: false }))
        && reading.opening == phrase.slice(last - 1).bytes().next().map_or(Opening::Bare, Opening::Quoted);
    let swallows = phrase.kind(last) == Some(Kind::Comment) && last + 1 == phrase.len();
    let terse = is_terse(phrase.slice(0)) && (!reopens || is_terse(phrase.slice(last - 1)));
    let quoted_symbol =
        reading.opening == Opening::Quoted(b'"') && phrase.len() == 3 && phrase.slice(1) != "=";
    ((reopens || swallows) && terse && !quoted_symbol && !is_quoted_word(phrase)).then_some(Evidence {
        signature: "sqli-string-operator",
        severity: Medium,
        tokens: 0..last,
    })
}

/// `'-sleep(1)`, `'||(select …`: an operator joins what was left with a call into the database.
pub(super) fn joined_call(reading: &Reading) -> Option<Evidence> {
    let phrase = &reading.phrase;
    let first = phrase.skip(1, Kind::Close);
    let at = phrase.after_operators(first).unwrap_or(first);
    let call = phrase.skip(at, Kind::Open);
    let known = phrase.calls(call, &WORDS.sqli.functions) || phrase.calls(call, &WORDS.sqli.delay_functions);
    let holds = known && (at > first || phrase.is_adjacent(call))
        || call > at
            && phrase.word(call) == "select"
            && (at > first || phrase.is_word(call + 1, &["top", "count"]));
    holds.then(|| Evidence {
        signature: "sqli-string-call",
        severity: High,
        tokens: 0..phrase.after_group(call + 1),
    })
}

/// A word or less: what stands in a string before and after an injection, while prose and addresses go on.
fn is_terse(text: &str) -> bool {
    let text = text.trim_matches(['\'', '"']);
    text.len() <= 40 && !text.trim().contains(|it: char| it.is_whitespace() || it == '?')
}

/// `'; drop …`, `' into outfile`, `' order by 1`, `' limit 1`.
pub(super) fn statement(reading: &Reading) -> Option<Evidence> {
    let phrase = &reading.phrase;
    let at = phrase.skip(1, Kind::Close);
    let holds = match phrase.kind(at) {
        Some(Kind::Semicolon) => {
            phrase.is_one_of(at + 1, &WORDS.sqli.statements)
                && (stacked::statement_end(phrase, at + 1).is_some() || !is_prose(phrase, at + 2))
        }
        Some(Kind::Word) => clause(phrase, at) || ends_statement(phrase, at),
        _ => false,
    };
    holds.then(|| Evidence { signature: "sqli-string-statement", severity: Critical, tokens: 0..at + 3 })
}

/// `' drop table x--`: some databases need no semicolon.
fn ends_statement(phrase: &Phrase, at: usize) -> bool {
    phrase.is_one_of(at, &WORDS.sqli.stacked_statements)
        && phrase.word(at) != "select"
        && stacked::statement_end(phrase, at).is_some()
}

fn clause(phrase: &Phrase, at: usize) -> bool {
    let follows = phrase.operand(at + 1).is_some_and(|it| it.shape == Shape::Literal);
    match phrase.word(at) {
        "order" | "group" => {
            let told =
                |it: Operand| it.shape != Shape::Name && phrase.is_end(it.end) || phrase.is_comment(it.end);
            phrase.word(at + 1) == "by" && phrase.operand(at + 2).is_some_and(told)
        }
        "having" | "limit" => follows,
        "into" => phrase.is_word(at + 1, &["outfile", "dumpfile"]),
        _ => false,
    }
}

/// Two words or more and nothing else: people write that, SQL after its first word seldom does.
fn is_prose(phrase: &Phrase, at: usize) -> bool {
    let is_word = |it| phrase.kind(it) == Some(Kind::Word);
    is_word(at) && is_word(at + 1) && (at + 2..at + 4).all(|it| phrase.kind(it).is_none() || is_word(it))
}
