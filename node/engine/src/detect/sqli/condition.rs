//! Conditions added to a statement: `or 1=1`, `and ascii(substr(…))>64`.

use super::{ParseContext, RuleMatch};
use crate::{
    token::sql::{Opening, Operand, Shape, TokenKind, TokenStream},
    words::WORDS,
};
use shared::Severity::{High, Medium};

/// `or`/`and`/`where` and a comparison with a known outcome.
pub(super) fn tautology(context: &ParseContext, at: usize) -> Option<RuleMatch> {
    let stream = &context.stream;
    if !stream.is_logic(at) && stream.word(at) != "where"
        || is_script(context, at)
        || is_pair_of_inequalities(context, at)
    {
        return None;
    }
    let inside = || known_outcome(stream, stream.skip(at + 1, TokenKind::Open));
    let end = known_outcome(stream, at + 1)
        .or_else(inside)
        .or_else(|| open_comparison(context, at))
        .or_else(|| truth_value(stream, at))?;
    Some(RuleMatch { signature: "sqli-tautology", severity: High, tokens: context.start(at)..end })
}

/// `&& x.length > 3`, `|| typeof x !== "y"`: a condition of a programming language, with an operand
/// before it.
fn is_script(context: &ParseContext, at: usize) -> bool {
    let stream = &context.stream;
    if context.opening != Opening::Bare || at == 0 {
        return false;
    }
    let is_operator = matches!(stream.slice(at), "&&" | "||");
    let follows_name = matches!(stream.kind(at - 1), Some(TokenKind::Word | TokenKind::Name));
    let compares_strictly = (at..at + 8).any(|it| {
        matches!(stream.slice(it), "==" | "!=") && stream.is_adjacent(it) && stream.slice(it + 1) == "="
    });
    compares_strictly || is_operator && follows_name && at > 3
}

/// `3 < 4 and 5 > 2`, `3 &lt; 4 and 5 > 2`: two inequalities of numbers.
fn is_pair_of_inequalities(context: &ParseContext, at: usize) -> bool {
    let stream = &context.stream;
    let is_number = |at| stream.kind(at) == Some(TokenKind::Number);
    let is_plain = |at: usize| {
        is_number(at) && matches!(stream.slice(at + 1), "<" | ">" | "<=" | ">=") && is_number(at + 2)
    };
    let is_escaped = |at: usize| {
        let marks = [stream.slice(at + 1), stream.slice(at + 2), stream.slice(at + 3)];
        is_number(at) && matches!(marks, ["&", "lt" | "gt", ";"]) && is_number(at + 4)
    };
    (at.checked_sub(3).is_some_and(is_plain) || at.checked_sub(5).is_some_and(is_escaped))
        && (is_plain(at + 1) || is_escaped(at + 1))
}

/// `and name = '`: the value begins with the condition, and the statement closes the string.
fn open_comparison(context: &ParseContext, at: usize) -> Option<usize> {
    let stream = &context.stream;
    let right = stream.comparison(stream.operand(at + 1)?.end)?;
    let is_open = stream.kind(right) == Some(TokenKind::Text { closed: false });
    (is_open && at == 0 && context.opening == Opening::Bare).then_some(right + 1)
}

/// `1 and true`, and nothing else.
fn truth_value(stream: &TokenStream, at: usize) -> Option<usize> {
    let after_number = at == 1 && stream.kind(0) == Some(TokenKind::Number);
    let known = stream.is_word(at + 1, &["true", "false", "null"]) || stream.slice(at + 1) == stream.slice(0);
    let negated = stream.slice(at + 1) == "!" && stream.kind(at + 2) == Some(TokenKind::Number);
    let end = at + 2 + usize::from(negated);
    (after_number && (known || negated) && stream.is_end(end)).then_some(end)
}

/// The position after a comparison of constants, or of a name with itself.
fn known_outcome(stream: &TokenStream, at: usize) -> Option<usize> {
    let left = stream.operand(at)?;
    let right_at = stream.comparison(left.end)?;
    let right = stream.operand(right_at)?;
    let known =
        is_constant(stream, left) && is_constant(stream, right) || same(stream, at, left, right_at, right);
    known.then_some(right.end)
}

/// `1 or name like '%'`: the value is a number with a condition.
pub(super) fn after_number(context: &ParseContext, at: usize) -> Option<RuleMatch> {
    let stream = &context.stream;
    if context.opening != Opening::Bare || !stream.is_logic(at) || !stream.is_numeric_until(at) {
        return None;
    }
    let left = stream.skip(at + 1, TokenKind::Open);
    let end = stream.condition(left)?;
    // `2 or more = cheap`.
    if end == left + 3 && !stream.word(left).is_empty() && stream.operand(left + 2)?.shape == Shape::Name {
        return None;
    }
    Some(RuleMatch { signature: "sqli-number-condition", severity: High, tokens: 0..end })
}

/// `1=1`, `x,'a'!='b`: the value is a comparison of constants.
pub(super) fn bare_comparison(context: &ParseContext) -> Option<RuleMatch> {
    let stream = &context.stream;
    let left = if stream.kind(1) == Some(TokenKind::Comma) { 2 } else { 0 };
    let is_constant = |it| matches!(stream.kind(it), Some(TokenKind::Number | TokenKind::Text { .. }));
    // `3=0` may be a setting, `3=3` may not.
    let is_setting =
        stream.kind(left) == Some(TokenKind::Number) && stream.slice(left) != stream.slice(left + 2);
    let compares = match stream.slice(left + 1) {
        "=" => !is_setting,
        operator => matches!(operator, "==" | "!=" | "<>" | "<=>"),
    };
    let ends = stream.is_end(left + 3) || stream.is_logic(left + 3);
    (is_constant(left) && compares && is_constant(left + 2) && ends).then_some(RuleMatch {
        signature: "sqli-comparison",
        severity: Medium,
        tokens: 0..left + 3,
    })
}

/// `case when 1=1 then …`, `) when 2 then`.
pub(super) fn case(context: &ParseContext, at: usize) -> Option<RuleMatch> {
    let stream = &context.stream;
    let when = match stream.word(at) {
        "case" if stream.word(at + 1) == "when" => at + 1,
        "case" => stream.operand(at + 1)?.end,
        "when" if at > 0 && stream.kind(at - 1) == Some(TokenKind::Close) => at,
        _ => return None,
    };
    let condition = stream.operand(when + 1).filter(|_| stream.word(when) == "when")?;
    let compared = stream.comparison(condition.end).and_then(|right| stream.operand(right));
    let then = compared.map_or(condition.end, |it| it.end);
    let is_evident = compared.is_some() || condition.shape != Shape::Name || at == 0;
    (stream.word(then) == "then" && is_evident && !context.is_document).then_some(RuleMatch {
        signature: "sqli-case",
        severity: High,
        tokens: at..then + 2,
    })
}

/// `1 * 1--`: the value is one expression, and a comment hides the rest of the statement.
pub(super) fn bare_expression(context: &ParseContext) -> Option<RuleMatch> {
    let stream = &context.stream;
    let first = stream.operand(0).filter(|first| first.shape != Shape::Name)?;
    let end = stream.expression(first.end).unwrap_or(first.end);
    let end = stream.skip(stream.skip(end, TokenKind::Close), TokenKind::Semicolon);
    let comment = stream.slice(end);
    // `1---` is a US privacy string (IAB CCPA framework).
    // `5-2---de-3` is a list.
    let is_privacy_string = comment == "---" && stream.slice(0) == "1";
    let is_list = comment.trim_start_matches('-').starts_with(|it: char| it.is_ascii_alphanumeric())
        && comment.trim_start_matches('-').contains(['-', ';', ',']);
    let comments = stream.kind(end) == Some(TokenKind::Comment)
        && (comment.starts_with("--") && !comment.starts_with("-->") || comment == "/*")
        && !is_privacy_string
        && !is_list;
    let is_short = end > 1 || stream.slice(end).len() <= 4;
    let hides_rest = comments && end + 1 == stream.len() && is_short;
    hides_rest.then(|| RuleMatch { signature: "sqli-expression", severity: Medium, tokens: 0..end + 1 })
}

/// `or`/`and` and a condition that calls a database function.
pub(super) fn in_condition(context: &ParseContext, at: usize) -> Option<RuleMatch> {
    let stream = &context.stream;
    if !stream.is_logic(at) && stream.word(at) != "where" || is_script(context, at) {
        return None;
    }
    let end = called(stream, at + 1)?;
    let compared = stream.comparison(end).is_some()
        || stream.is_end(end)
        || stream.is_logic(end)
        || stream.kind(end) == Some(TokenKind::Close);
    compared.then(|| RuleMatch {
        signature: "sqli-condition",
        severity: Medium,
        tokens: context.start(at)..end,
    })
}

/// The position after a call of a known function, also inside brackets.
fn called(stream: &TokenStream, at: usize) -> Option<usize> {
    let at = stream.skip(at + usize::from(stream.word(at) == "not"), TokenKind::Open);
    let compares_call = stream.kind(at) == Some(TokenKind::Word)
        && stream.kind(at + 1) == Some(TokenKind::Open)
        && stream.calls(at + 2, &WORDS.sqli.system_functions);
    (compares_call || stream.calls(at, &WORDS.sqli.functions)).then(|| stream.after_group(at + 1))
}

fn is_constant(stream: &TokenStream, operand: Operand) -> bool {
    match operand.shape {
        Shape::Literal => true,
        Shape::Call | Shape::Group => stream.kind(operand.end - 1) == Some(TokenKind::Close),
        Shape::Name => false,
    }
}

/// `a=a`: the same name on both sides. The statement closes the last backtick.
fn same(stream: &TokenStream, left_at: usize, left: Operand, right_at: usize, right: Operand) -> bool {
    let name = |at| stream.slice(at).trim_end_matches('`');
    left.end == left_at + 1 && right.end == right_at + 1 && name(left_at) == name(right_at)
}
