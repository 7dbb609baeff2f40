//! Breakouts from the string a value lands in: a quote, then SQL. Token 0 is the closed string.

use super::{ParseContext, RuleMatch, stacked};
use crate::{
    token::{
        sql::{Opening, Operand, Shape, TokenKind, TokenStream},
        unspaced,
    },
    words::WORDS,
};
use shared::Severity::{Critical, High, Medium};
use std::ops::Range;

/// More words of a script without blanks are prose.
const MAX_UNSPACED_WORDS: usize = 2;

/// `' or x`, `') and (x`: a condition after the quote, without prose after it.
pub(super) fn condition(context: &ParseContext) -> Option<RuleMatch> {
    let stream = &context.stream;
    let at = stream.after_suffixes(stream.skip(1, TokenKind::Close));
    // `title~"or" AND …`: a search in an issue tracker, whose first quote opens a word.
    let is_search = stream.slice(0).trim_end_matches(['\'', '"']).ends_with('~');
    if !stream.is_logic(at) || is_search {
        return None;
    }
    if stream.word(at + 1) == "match" && stream.word(at + 3) == "against" {
        return Some(RuleMatch { signature: "sqli-string-breakout", severity: High, tokens: 0..at + 4 });
    }
    let left = stream.operand(at + 1)?;
    let compared = stream.comparison(left.end).and_then(|right| stream.operand(right));
    let is_call = stream.kind(left.end - 1) == Some(TokenKind::Close);
    let alone = left.shape != Shape::Name || stream.is_comment(left.end) || stream.word(at) == "xor";
    let is_list = stream.kind(left.end) == Some(TokenKind::Comma)
        && stream.kind(left.end + 1) == Some(TokenKind::Number)
        && left.shape == Shape::Literal;
    let ends = stream.is_end(left.end)
        || is_list
        || stream.is_logic(left.end)
        || is_call && stream.kind(left.end) == Some(TokenKind::Semicolon);
    let end = compared
        .map(|right| right.end)
        .or_else(|| reopened(stream, at + 1))
        .or((alone && ends).then_some(left.end))
        .or_else(|| dangling(stream, left.end))?;
    let is_symbol = context.opening == Opening::Quoted(b'"') && is_between_words(stream);
    if is_quoted_word(stream) || is_symbol || is_measure(context) || is_joined(stream, left.end - 1) {
        return None;
    }
    Some(RuleMatch { signature: "sqli-string-breakout", severity: High, tokens: 0..end })
}

/// `' * from = 1 or '9`: anything, then a comparison and an operator whose operand is the string that
/// the statement closes.
pub(super) fn reopened_condition(context: &ParseContext) -> Option<RuleMatch> {
    let stream = &context.stream;
    let last = stream.len().checked_sub(1).filter(|it| *it >= 4)?;
    let holds = stream.kind(last) == Some(TokenKind::Text { closed: false })
        && stream.is_logic(last - 1)
        && stream.kind(last - 2) == Some(TokenKind::Number)
        && stream.kind(last - 3) == Some(TokenKind::Compare)
        && is_terse(stream.slice(0))
        && is_terse(stream.slice(last));
    holds.then(|| RuleMatch { signature: "sqli-string-breakout", severity: High, tokens: 0..last + 1 })
}

/// `'or'a='a`: overlapping pairs of quotes.
fn reopened(stream: &TokenStream, at: usize) -> Option<usize> {
    let text = stream.slice(at);
    let compares = text.len() > 2 && text.trim_end_matches(['\'', '"', ' ']).ends_with('=');
    let continues = matches!(stream.kind(at + 1), Some(TokenKind::Word | TokenKind::Number));
    (compares && continues && stream.is_adjacent(at) && stream.is_end(at + 2)).then_some(at + 2)
}

/// `' or 1=`, `' or x!`: the operator takes its operand from the statement.
fn dangling(stream: &TokenStream, at: usize) -> Option<usize> {
    let after = stream.after_operators(at).filter(|_| !stream.is_logic(at))?;
    let compares = stream.kind(at) == Some(TokenKind::Compare);
    (stream.is_end(after) || compares && stream.kind(after) == Some(TokenKind::Semicolon)).then_some(after)
}

/// `=A1&" and "&B1`: a concatenation in a spreadsheet; `a' and b' are …`: primes.
fn is_joined(stream: &TokenStream, at: usize) -> bool {
    let inner = stream.slice(at).split_once(['\'', '"']).map_or("", |(_, inner)| inner);
    let is_prose = inner.starts_with(' ') && !inner.trim().is_empty();
    stream.kind(at) == Some(TokenKind::Text { closed: false })
        && (inner.starts_with(['&', '+', '.']) || is_prose)
}

/// `5" or 6`: inches, not a string.
fn is_measure(context: &ParseContext) -> bool {
    is_inches(context) && context.stream.len() == 3
}

fn is_inches(context: &ParseContext) -> bool {
    let before = context.stream.slice(0).trim_end_matches('"');
    context.opening == Opening::Quoted(b'"') && before.ends_with(|it: char| it.is_ascii_digit())
}

/// `say 'and'`: a quoted word.
fn is_quoted_word(stream: &TokenStream) -> bool {
    stream.len() == 3
        && stream.slice(0).len() > 1
        && stream.slice(2).len() == 1
        && stream.is_adjacent(0)
        && stream.is_adjacent(1)
        && stream.kind(1) == Some(TokenKind::Word)
}

/// `标题"||"副标题`: an operator in quotes, in a text without blanks.
fn is_between_words(stream: &TokenStream) -> bool {
    let before = stream.slice(0).trim_end_matches(['\'', '"']);
    let after = stream.slice(2).trim_start_matches(['\'', '"']);
    stream.len() == 3
        && before.ends_with(unspaced::is_unspaced)
        && after.starts_with(unspaced::is_unspaced)
        && stream.is_adjacent(0)
        && stream.is_adjacent(1)
}

/// `"%s"`, `'%username%'`, `role "%s" is in role "%s"`: placeholders in quotes. As SQL they would be
/// remainders of columns.
fn is_directive(stream: &TokenStream, mut tokens: Range<usize>) -> bool {
    let is_part = |at| match stream.kind(at) {
        Some(TokenKind::Word | TokenKind::Text { .. }) => true,
        Some(TokenKind::Arithmetic) => match stream.slice(at) {
            "%" => stream.is_adjacent(at),
            mark => matches!(mark, "/" | "-"),
        },
        _ => false,
    };
    let is_name = |at| stream.kind(at) == Some(TokenKind::Word) && stream.is_adjacent(at - 1);
    stream.slice(tokens.start) == "%" && is_name(tokens.start + 1) && tokens.all(is_part)
}

/// `' is not?--`, `'collate nocase--`: a condition of any shape, cut off by a comment.
pub(super) fn cut(context: &ParseContext) -> Option<RuleMatch> {
    let stream = &context.stream;
    let first = stream.skip(1, TokenKind::Close);
    let last = stream.len().checked_sub(1).filter(|last| (first + 1..first + 12).contains(last))?;
    // `D'Or--Schmidt`: an operator without an operand.
    let begins = stream.is_logic(first) && last > first + 1
        || stream.comparison(first).is_some()
        || stream.is_one_of(first, &WORDS.sqli.condition_starters);
    // Keywords of conditions are no operands.
    let is_sentence = (first + 1..first + 4)
        .all(|it| stream.kind(it) == Some(TokenKind::Word) && stream.operand(it).is_some());
    let cuts = stream.kind(last) == Some(TokenKind::Comment) && is_idle(stream.slice(last));
    (begins && cuts && is_terse(stream.slice(0)) && !is_sentence).then_some(RuleMatch {
        signature: "sqli-string-breakout",
        severity: High,
        tokens: 0..last + 1,
    })
}

/// `admin'--`, `') #`: a quote, and a comment that hides the rest of the statement.
pub(super) fn comment(context: &ParseContext) -> Option<RuleMatch> {
    let stream = &context.stream;
    let at = stream.skip(stream.skip(1, TokenKind::Close), TokenKind::Semicolon);
    let hides_rest = stream.kind(at) == Some(TokenKind::Comment) && at + 1 == stream.len();
    let is_inches = at == 1 && is_inches(context) && stream.slice(at).len() > 4;
    (hides_rest && !is_inches && is_terse(stream.slice(0)) && is_idle(stream.slice(at))).then(|| RuleMatch {
        signature: "sqli-comment-tail",
        severity: High,
        tokens: 0..at + 1,
    })
}

/// An empty comment, or one with a short mark of an attacker. `#2` is a rank.
fn is_idle(comment: &str) -> bool {
    let text = comment.trim_start_matches(['-', '#', '/', '*', '+', ' ']);
    let is_brief = text.len() <= 8 || text.len() <= 20 && !text.contains(char::is_whitespace);
    if comment.starts_with('#') { text.is_empty() && comment.len() < 4 } else { is_brief }
}

/// `'='`, `'-0-'`, `'||(…)||'`: one expression after the quote, which reopens the string.
pub(super) fn operator(context: &ParseContext) -> Option<RuleMatch> {
    let stream = &context.stream;
    let first = stream.after_suffixes(stream.skip(1, TokenKind::Close));
    let last = stream.expression(first)?;
    let reopens = matches!(stream.kind(last - 1), Some(TokenKind::Text { closed: false }))
        && context.opening == stream.slice(last - 1).bytes().next().map_or(Opening::Bare, Opening::Quoted);
    let hides_rest = stream.kind(last) == Some(TokenKind::Comment) && last + 1 == stream.len();
    let terse = is_terse(stream.slice(0)) && (!reopens || is_terse(stream.slice(last - 1)));
    let is_symbol = stream.len() == 3
        && stream.slice(1) != "="
        && (context.opening == Opening::Quoted(b'"')
            || stream.kind(1) == Some(TokenKind::Arithmetic) && is_between_words(stream));
    let end = if reopens { last - 1 } else { last };
    let is_quoted = is_symbol || is_quoted_word(stream) || is_directive(stream, first..end);
    ((reopens || hides_rest) && terse && !is_quoted).then_some(RuleMatch {
        signature: "sqli-string-operator",
        severity: Medium,
        tokens: 0..last,
    })
}

/// `'-sleep(1)`, `'||(select …`: an operator joins the closed string and a call of a database
/// function.
pub(super) fn joined_call(context: &ParseContext) -> Option<RuleMatch> {
    let stream = &context.stream;
    let first = stream.skip(1, TokenKind::Close);
    let at = stream.after_operators(first).unwrap_or(first);
    let call = stream.skip(at, TokenKind::Open);
    let known = stream.calls(call, &WORDS.sqli.functions) || stream.calls(call, &WORDS.sqli.delay_functions);
    let holds = known && (at > first || stream.is_adjacent(call))
        || call > at
            && stream.word(call) == "select"
            && (at > first || stream.is_word(call + 1, &["top", "count"]));
    holds.then(|| RuleMatch {
        signature: "sqli-string-call",
        severity: High,
        tokens: 0..stream.after_group(call + 1),
    })
}

/// At most one word, as before and after an injection; prose and URLs are longer.
fn is_terse(text: &str) -> bool {
    let text = text.trim_matches(['\'', '"']);
    text.len() <= 40
        && !text.trim().contains(|it: char| it.is_whitespace() || it == '?')
        && unspaced::words(text.as_bytes()) <= MAX_UNSPACED_WORDS
}

/// `'; drop …`, `' into outfile`, `' order by 1`, `' limit 1`.
pub(super) fn statement(context: &ParseContext) -> Option<RuleMatch> {
    let stream = &context.stream;
    let at = stream.skip(1, TokenKind::Close);
    let holds = match stream.kind(at) {
        Some(TokenKind::Semicolon) => {
            stream.is_one_of(at + 1, &WORDS.sqli.statements)
                && (stacked::statement_end(stream, at + 1).is_some() || !is_prose(stream, at + 2))
        }
        Some(TokenKind::Word) => clause(stream, at) || ends_statement(stream, at),
        _ => false,
    };
    holds.then(|| RuleMatch { signature: "sqli-string-statement", severity: Critical, tokens: 0..at + 3 })
}

/// `' drop table x--`: some databases need no semicolon.
fn ends_statement(stream: &TokenStream, at: usize) -> bool {
    stream.is_one_of(at, &WORDS.sqli.stacked_statements)
        && stream.word(at) != "select"
        && stacked::statement_end(stream, at).is_some()
}

fn clause(stream: &TokenStream, at: usize) -> bool {
    let follows = stream.operand(at + 1).is_some_and(|it| it.shape == Shape::Literal);
    match stream.word(at) {
        "order" | "group" => {
            let is_evident =
                |it: Operand| it.shape != Shape::Name && stream.is_end(it.end) || stream.is_comment(it.end);
            stream.word(at + 1) == "by" && stream.operand(at + 2).is_some_and(is_evident)
        }
        "having" | "limit" => follows,
        "into" => {
            let is_variable = || stream.kind(at + 1) == Some(TokenKind::Variable);
            let goes_on = || stream.is_comment(at + 2) || stream.kind(at + 2) == Some(TokenKind::Comma);
            stream.is_word(at + 1, &["outfile", "dumpfile"]) || is_variable() && goes_on()
        }
        _ => false,
    }
}

/// Two words or more and nothing else: common in prose, rare in SQL after its first word.
fn is_prose(stream: &TokenStream, at: usize) -> bool {
    let is_word = |it| stream.kind(it) == Some(TokenKind::Word);
    is_word(at) && is_word(at + 1) && (at + 2..at + 4).all(|it| stream.kind(it).is_none() || is_word(it))
}
