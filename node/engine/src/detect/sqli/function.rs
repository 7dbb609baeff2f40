//! Calls of database functions: delays and disclosure.

use super::{ParseContext, RuleMatch};
use crate::{
    token::sql::{Shape, TokenKind, TokenStream},
    words::WORDS,
};
use shared::Severity::{Critical, Medium};

/// `1+ascii(substr(…))-10`, `conv(hex(…)) >> 6`: a number or nothing, and a call of one database
/// function on another.
pub(super) fn nested_call(context: &ParseContext) -> Option<RuleMatch> {
    let stream = &context.stream;
    let call = (0..8).find(|&it| stream.kind(it) == Some(TokenKind::Word))?;
    let leads = call == 0 || stream.is_numeric_until(call);
    let nests = stream.calls(call, &WORDS.sqli.functions)
        && calls_database(stream, call + 2)
        && !stream.is_one_of(call, &WORDS.sqli.math_functions);
    let end = stream.after_group(call + 1);
    (leads && nests && stream.expression(end).unwrap_or(end) == stream.len()).then_some(RuleMatch {
        signature: "sqli-function-call",
        severity: Medium,
        tokens: 0..end,
    })
}

/// `sleep(5)`, `benchmark(…)`, `waitfor delay '…'`.
pub(super) fn delay(context: &ParseContext, at: usize) -> Option<RuleMatch> {
    let stream = &context.stream;
    let end = match stream.word(at) {
        "waitfor" if stream.is_word(at + 1, &["delay", "time"]) => at + 3,
        word if WORDS.sqli.delay_functions.contains(word) && is_call(stream, at) => {
            stream.after_group(at + 1)
        }
        _ => return None,
    };
    Some(RuleMatch { signature: "sqli-delay", severity: Critical, tokens: at..end })
}

/// Whether a call with arguments is where an expression is expected: after `select`, an operator, a
/// comma or a quote.
fn is_call(stream: &TokenStream, at: usize) -> bool {
    let is_open = stream.kind(at + 1) == Some(TokenKind::Open);
    // `sleep(5.seconds)` is Ruby.
    let argument = stream.operand(at + 2).is_some_and(|it| {
        let end = it.end + usize::from(stream.slice(at + 2).ends_with('.'));
        let is_prose = it.shape == Shape::Name && stream.is_word(at, &["sleep", "benchmark"]);
        !is_prose
            && matches!(
                stream.kind(end),
                None | Some(TokenKind::Close | TokenKind::Comma | TokenKind::Comment)
            )
    });
    is_open
        && argument
        && (at == 0 || expects_expression(stream, at - 1) || stream.word(at).starts_with("pg_"))
}

fn expects_expression(stream: &TokenStream, at: usize) -> bool {
    match stream.kind(at) {
        Some(TokenKind::Word) => stream.is_logic(at) || stream.is_one_of(at, &WORDS.sqli.expression_starters),
        Some(TokenKind::Dot) => stream.is_word(at.wrapping_sub(1), &["dbms_pipe", "dbms_lock", "user_lock"]),
        Some(kind) => !matches!(kind, TokenKind::Other),
        None => true,
    }
}

/// `@@version`.
pub(super) fn server_variable(context: &ParseContext, at: usize) -> Option<RuleMatch> {
    let stream = &context.stream;
    if stream.kind(at) != Some(TokenKind::Variable)
        || !stream.slice(at).starts_with("@@")
        || !(is_known_variable(&stream.slice(at)[2..]) || at == 1 && stream.is_word(0, &["print", "select"]))
        || at > 0 && stream.kind(at - 1) == Some(TokenKind::Word) && stream.is_adjacent(at - 1)
    {
        return None;
    }
    Some(RuleMatch { signature: "sqli-server-variable", severity: Medium, tokens: at..at + 1 })
}

/// A variable of `MySQL` or SQL Server, or its scope. `@@USER_ID@@` is a placeholder; `print @@x` is
/// a statement.
fn is_known_variable(name: &str) -> bool {
    WORDS.sqli.server_variables.contains(name.split('.').next().unwrap_or_default())
}

/// `version()`, `unhex(`: the value is a call of a database function and nothing else.
pub(super) fn whole_call(context: &ParseContext) -> Option<RuleMatch> {
    let stream = &context.stream;
    let first = usize::from(stream.kind(0) == Some(TokenKind::Comma));
    let called = stream.calls(first, &WORDS.sqli.functions);
    let is_prose = stream.is_english(first)
        && stream.kind(first + 2) == Some(TokenKind::Word)
        && stream.kind(first + 3) == Some(TokenKind::Close);
    let is_math = stream.is_one_of(first, &WORDS.sqli.math_functions) && !calls_database(stream, first + 2);
    let is_all = called
        && !is_math
        && !is_prose
        && stream.after_group(first + 1) == stream.len()
        && stream.is_adjacent(first);
    is_all.then(|| RuleMatch { signature: "sqli-function-call", severity: Medium, tokens: 0..stream.len() })
}

/// A call of a function that calculators do not have.
fn calls_database(stream: &TokenStream, at: usize) -> bool {
    stream.calls(at, &WORDS.sqli.functions) && !stream.is_one_of(at, &WORDS.sqli.math_functions)
}
