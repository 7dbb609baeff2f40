//! Fragments of statements: short values that begin or end where only SQL does.

use super::{ParseContext, RuleMatch};
use crate::{
    token::sql::{Shape, TokenKind, TokenStream},
    words::WORDS,
};
use shared::Severity::{self, High, Medium};

/// Longer values are left to other rules.
const MAX_TOKENS: usize = 16;

/// `and 7639=(`, `|| name == '`, `xor 2 <`: the value begins with a condition.
pub(super) fn leading_condition(context: &ParseContext) -> Option<RuleMatch> {
    let stream = short(context)?;
    if !stream.is_logic(0) {
        return None;
    }
    let left = stream.operand(stream.skip(1, TokenKind::Open))?;
    let is_english = stream.is_word(0, &["or", "and"]) && left.shape == Shape::Name;
    // `||plt=` separates the pairs of a list.
    let is_pair = stream.slice(0) == "||" && left.shape == Shape::Name && left.end + 1 == stream.len();
    let compares = match stream.slice(left.end) {
        "=" if is_pair => false,
        "<" | ">" => !is_english,
        _ => stream.kind(left.end) == Some(TokenKind::Compare),
    };
    let is_xor = stream.word(0) == "xor" && stream.after_operators(left.end) == Some(stream.len());
    let right = stream.skip(left.end, TokenKind::Compare);
    let is_prose = is_english && !stream.word(right).is_empty() && !stream.is_comment(right + 1);
    (compares && !is_prose || is_xor).then(|| evidence("sqli-fragment-condition", Medium, left.end + 1))
}

/// `1-false`, `(||6)`: the value is arithmetic with a truth value, or an operator in brackets.
pub(super) fn constant(context: &ParseContext) -> Option<RuleMatch> {
    let stream = short(context)?;
    let is_number = |at| stream.kind(at) == Some(TokenKind::Number);
    let is_truth = || {
        is_number(0)
            && stream.kind(1) == Some(TokenKind::Arithmetic)
            && stream.is_word(2, &["true", "false"])
            && stream.is_adjacent(0)
    };
    let is_bracketed = || {
        stream.kind(0) == Some(TokenKind::Open)
            && stream.slice(1) == "||"
            && is_number(2)
            && stream.kind(3) == Some(TokenKind::Close)
    };
    let holds = stream.len() == 3 && is_truth() || stream.len() == 4 && is_bracketed();
    holds.then(|| evidence("sqli-fragment-operator", Medium, stream.len()))
}

/// `||`, `is null`, `in (0,1)`: an operator without an operand, or with the right one only.
pub(super) fn operator(context: &ParseContext) -> Option<RuleMatch> {
    let stream = short(context)?;
    let constants = || stream.kind(1) == Some(TokenKind::Open) && stream.kind(2) == Some(TokenKind::Number);
    let holds = match stream.slice(0) {
        "||" | "&&" if stream.len() == 2 => stream.operand(1).is_some_and(|it| it.shape == Shape::Literal),
        "||" | "&&" | "<=>" | "xor" => stream.len() == 1,
        "is" => stream.operand(1).is_some_and(|it| it.end == stream.len()) && ends_with_null(stream),
        "in" => {
            constants() && stream.kind(3) == Some(TokenKind::Comma) && stream.after_group(1) == stream.len()
        }
        _ => false,
    };
    holds.then(|| evidence("sqli-fragment-operator", Medium, stream.len()))
}

fn ends_with_null(stream: &TokenStream) -> bool {
    stream.word(stream.len() - 1) == "null"
}

/// `cos(`, `concat (`, `length||(`: a function of databases whose arguments are cut off.
pub(super) fn open_call(context: &ParseContext) -> Option<RuleMatch> {
    let stream = short(context)?;
    let known = stream.is_one_of(0, &WORDS.sqli.functions)
        || stream.is_one_of(0, &WORDS.sqli.delay_functions)
        || stream.is_one_of(0, &WORDS.sqli.open_functions);
    let last = stream.len().checked_sub(1)?;
    let is_symbol = |it| match stream.kind(it) {
        Some(TokenKind::Word) => stream.word(it) == "$",
        kind => !matches!(kind, Some(TokenKind::Text { .. } | TokenKind::Number | TokenKind::Name)),
    };
    let is_open = last > 0 && stream.kind(last) == Some(TokenKind::Open);
    (known && is_open && (1..last).all(is_symbol)).then(|| evidence("sqli-fragment-call", Medium, last + 1))
}

/// `; drop`, `;update users`: the value begins with another statement.
pub(super) fn semicolon(context: &ParseContext) -> Option<RuleMatch> {
    let stream = short(context)?;
    let verb =
        stream.is_one_of(1, &WORDS.sqli.stacked_statements) && stream.kind(0) == Some(TokenKind::Semicolon);
    let is_brief = stream.len() <= 3 || stream.len() <= 5 && stream.word(2).is_empty();
    (verb && is_brief).then(|| evidence("sqli-fragment-statement", High, stream.len()))
}

/// ``from `t` where``, `from t group by`: the second half of a query.
pub(super) fn from_clause(context: &ParseContext) -> Option<RuleMatch> {
    let stream = &context.stream;
    if context.is_document || stream.word(0) != "from" {
        return None;
    }
    let table = stream.operand(1)?;
    let is_quoted = stream.kind(1) == Some(TokenKind::Name);
    let holds = match stream.word(table.end) {
        "where" => is_quoted || stream.condition(table.end + 1).is_some(),
        "group" => stream.word(table.end + 1) == "by" && stream.operand(table.end + 2).is_some(),
        "order" => is_quoted && stream.word(table.end + 1) == "by",
        "limit" => is_quoted || stream.kind(table.end + 1) == Some(TokenKind::Number),
        _ => false,
    };
    holds.then(|| evidence("sqli-fragment-query", High, table.end + 2))
}

/// `values ('a', 1)`: the second half of an insert.
pub(super) fn values(context: &ParseContext) -> Option<RuleMatch> {
    let stream = short(context)?;
    let literal = matches!(stream.kind(2), Some(TokenKind::Text { .. }));
    let holds = stream.word(0) == "values"
        && stream.kind(1) == Some(TokenKind::Open)
        && literal
        && stream.kind(3) == Some(TokenKind::Comma);
    holds.then(|| evidence("sqli-fragment-query", Medium, stream.len()))
}

/// `/3 or`, `x=(select`: a statement that is cut off.
pub(super) fn open_end(context: &ParseContext) -> Option<RuleMatch> {
    let stream = short(context)?;
    let last = stream.len().checked_sub(2)?;
    let subselect = stream.kind(last) == Some(TokenKind::Open) && stream.word(last + 1) == "select";
    // `|d||` is a list with empty items.
    let continues = stream.len() == 3
        && stream.kind(0) == Some(TokenKind::Arithmetic)
        && stream.slice(0) != "|"
        && stream.is_logic(2);
    (subselect || continues).then(|| evidence("sqli-fragment-query", Medium, last + 2))
}

/// `name like '`: a pattern that the statement continues.
pub(super) fn open_pattern(context: &ParseContext) -> Option<RuleMatch> {
    let stream = short(context)?;
    let like = 1;
    let names =
        stream.operand(0).is_some_and(|it| it.end == like) || stream.kind(0) == Some(TokenKind::Close);
    let after = like + 1;
    let is_name_end =
        stream.slice(0) == "`" && stream.is_word(1, &["like", "rlike", "regexp"]) && stream.len() == 2;
    if is_name_end {
        return Some(evidence("sqli-fragment-pattern", Medium, 2));
    }
    let is_open = match stream.kind(after) {
        Some(TokenKind::Text { closed }) => !closed && stream.slice(after).len() == 1,
        Some(TokenKind::Open) => stream.kind(0) == Some(TokenKind::Close),
        _ => false,
    };
    (names && stream.is_word(like, &["like", "rlike", "regexp"]) && is_open && after + 1 == stream.len())
        .then(|| evidence("sqli-fragment-pattern", Medium, after + 1))
}

/// `'select x`, `' union/`: a quote, and the first words of a statement.
pub(super) fn quoted_verb(context: &ParseContext) -> Option<RuleMatch> {
    let stream = &context.stream;
    let verb = stream.is_one_of(1, &WORDS.sqli.stacked_statements) || stream.is_word(1, &["union", "having"]);
    let is_brief = stream.len() <= 4 && stream.slice(0).len() == 1;
    let closes = (2..stream.len()).any(|it| matches!(stream.kind(it), Some(TokenKind::Text { .. })));
    let is_logic = stream.is_logic(1) && stream.len() == 2;
    (is_brief && (is_logic || verb && !closes && stream.len() > 2))
        .then(|| evidence("sqli-string-statement", Medium, stream.len()))
}

/// The tokens, if there are few enough for a fragment.
fn short(context: &ParseContext) -> Option<&TokenStream> {
    (context.stream.len() <= MAX_TOKENS).then_some(&context.stream)
}

fn evidence(signature: &'static str, severity: Severity, end: usize) -> RuleMatch {
    RuleMatch { signature, severity, tokens: 0..end }
}
