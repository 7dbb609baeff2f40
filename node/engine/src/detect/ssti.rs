//! Server-side template injection: an expression between template delimiters that computes
//! constants or uses names that no page needs. `{{name}}`, `${price}`, `#{id}` and stored templates
//! pass.

use super::Match;
use crate::{
    token::{
        markdown,
        template::{Hole, Token, holes, tokens},
    },
    words::{WORDS, WordSet},
};
use shared::{
    AttackType,
    Severity::{self, Critical, High},
};
use std::borrow::Cow;

pub(super) fn detect(value: &[u8], is_document: bool) -> Option<Match<'static>> {
    if !has_delimiter(value) {
        return None;
    }
    // Posts explain templates and quote expressions as code.
    let text = if is_document { markdown::without_code(value) } else { Cow::Borrowed(value) };
    let matches = holes(&text).into_iter().filter_map(|hole| inspect_hole(&text, &hole));
    matches.filter(|it| !is_document || is_certain(&text, it)).max_by_key(|it| it.severity)
}

/// Whether a match counts in a document: it is critical and not the random bytes of a file.
fn is_certain(text: &[u8], matched: &Match<'_>) -> bool {
    let is_text = |byte: &u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
    matched.severity == Critical && text[matched.span.clone()].iter().all(is_text)
}

/// No false negatives.
fn has_delimiter(value: &[u8]) -> bool {
    memchr::memchr(b'{', value).is_some()
        || memchr::memmem::find(value, b"<%").is_some()
        || memchr::memmem::find(value, b"<#").is_some()
        || memchr::memmem::find(value, b"#set(").is_some()
        || memchr::memmem::find(value, b"@(").is_some()
}

fn inspect_hole(value: &[u8], hole: &Hole) -> Option<Match<'static>> {
    let inside = &value[hole.inside.clone()];
    // A variable set by a Velocity directive is used after it.
    let inside = if hole.opening == "#set(" {
        let after = &value[hole.inside.end..];
        let next = memchr::memmem::find(after, hole.opening.as_bytes()).unwrap_or(after.len());
        &value[hole.inside.start..hole.inside.end + next]
    } else {
        inside
    };
    let inside = inside.strip_prefix(b"=").or(inside.strip_prefix(b":")).unwrap_or(inside);
    let inside = inside.strip_prefix(b"{").map_or(inside, |it| it.strip_suffix(b"}").unwrap_or(it));
    let tokens = tokens(inside);
    let (signature, severity): (_, Severity) = if computes(&tokens, value, hole) {
        ("ssti-computation", High)
    } else if reaches(&tokens, hole) {
        ("ssti-reach", Critical)
    } else if instructs(inside, hole) {
        ("ssti-directive", High)
    } else {
        return None;
    };
    Some(Match { attack_type: AttackType::Ssti, signature, severity, span: hole.span.clone() })
}

/// Numbers and strings joined by operators, without a name: no benign template computes constants.
fn computes(tokens: &[Token<'_>], value: &[u8], hole: &Hole) -> bool {
    // `{2-4}` is a quantifier, `{1/2}` a fraction in some markup.
    let is_bare = hole.opening == "{"
        && !(hole.span.len() == value.trim_ascii().len() && tokens.contains(&Token::Operator(b'*')));
    !is_bare && is_computed_constant(tokens) || calls_literal(tokens, hole)
}

/// `(7)*(7)`, `7 ** -'7'`, `[7]*7|e`, `(7*7).toString()`: constants and the operators between them. What a
/// filter or a member makes of the result does not matter.
fn is_computed_constant(tokens: &[Token<'_>]) -> bool {
    let end = tokens.iter().position(|it| matches!(it, Token::Punctuation(b'|' | b'?' | b'.')));
    let tokens = &tokens[..end.unwrap_or(tokens.len())];
    let parts = || tokens.iter().filter(|it| !is_bracket(it));
    let is_constant = parts().all(|it| is_literal(it) || is_operator(it));
    let mut after_first = parts().skip_while(|it| !is_literal(it)).skip(1);
    is_constant && after_first.next().is_some_and(is_operator) && after_first.any(is_literal)
}

fn is_literal(token: &Token<'_>) -> bool {
    matches!(token, Token::Number | Token::Text(_))
}

fn is_operator(token: &Token<'_>) -> bool {
    matches!(token, Token::Operator(_) | Token::Punctuation(b'~' | b'^'))
}

fn is_bracket(token: &Token<'_>) -> bool {
    matches!(token, Token::Punctuation(b'(' | b')' | b'[' | b']' | b'@'))
}

/// `'a'.upper()`: a method of a literal, without a name of the page.
fn calls_literal(tokens: &[Token<'_>], hole: &Hole) -> bool {
    let starts = matches!(
        tokens,
        [Token::Text(_), Token::Punctuation(b'.'), Token::Name(_), Token::Punctuation(b'('), ..]
    );
    let names = tokens.iter().filter(|it| matches!(it, Token::Name(_))).count();
    starts && names == 1 && hole.opening != "{"
}

/// A name that no page needs: classes, runtimes, objects of the template engine, functions that run
/// or read.
fn reaches(tokens: &[Token<'_>], hole: &Hole) -> bool {
    let lower = |text: &[u8]| String::from_utf8_lossy(text).to_ascii_lowercase();
    (0..tokens.len()).any(|at| match &tokens[at] {
        // Spring's `T(…)` names a class; in script of a page, `t(…)` is any function.
        Token::Name(b"t") => false,
        Token::Name(name) => is_distinctive_name(&lower(name), tokens, at, hole),
        Token::Text(text) => is_distinctive_text(&lower(text), hole, tokens.get(at + 1)),
        Token::Punctuation(b'`') => matches!(hole.opening, "<%" | "#{") && runs_command(&tokens[at..]),
        _ => false,
    })
}

/// `` `id` ``: Ruby runs what is between backticks.
fn runs_command(tokens: &[Token<'_>]) -> bool {
    let is_end = |token: &Token<'_>| *token == Token::Punctuation(b'`');
    matches!(tokens, [_, Token::Name(_), ..]) && tokens[1..].iter().any(is_end)
}

fn is_distinctive_name(name: &str, tokens: &[Token<'_>], at: usize, hole: &Hole) -> bool {
    let words = &WORDS.ssti;
    let (before, after) = (at.checked_sub(1).map(|before| &tokens[before]), tokens.get(at + 1));
    // `{window.open(x)}` is the body of a function in script.
    let is_script = hole.opening == "{" && before == Some(&Token::Punctuation(b'.'));
    let is_called = after == Some(&Token::Punctuation(b'(')) && !is_script;
    let is_filter = before == Some(&Token::Punctuation(b'|'));
    let is_member = matches!(before, Some(Token::Punctuation(b'.' | b'@' | b'#' | b'[')));
    // `item.class` names a style; `''.class.forName` continues.
    let is_class = || name == "class" && matches!(after, Some(Token::Punctuation(b'.' | b'[')));
    let leads_to =
        |members: &WordSet| matches!(tokens.get(at + 2), Some(Token::Name(next)) if members.contains(next));
    is_dunder(name)
        || words.distinctive.contains(name)
        || is_called && words.called.contains(name)
        || is_filter && words.filters.contains(name)
        || is_member && (words.members.contains(name) || is_class())
        || !is_member && words.paths.get(name).is_some_and(leads_to)
}

fn is_distinctive_text(text: &str, hole: &Hole, after: Option<&Token<'_>>) -> bool {
    is_dunder(text)
        || text.starts_with("__") && after == Some(&Token::Operator(b'+'))
        || hole.opening != "{" && WORDS.ssti.strings.contains(text)
}

fn is_dunder(name: &str) -> bool {
    let inner = name.strip_prefix("__").and_then(|it| it.strip_suffix("__"));
    inner.is_some_and(|it| WORDS.ssti.dunders.contains(it))
}

/// Directives of template languages: statements that only the author of a template may write.
fn instructs(inside: &[u8], hole: &Hole) -> bool {
    let trimmed = inside.trim_ascii_start().to_ascii_lowercase();
    let contains = |text: &str| memchr::memmem::find(&trimmed, text.as_bytes()).is_some();
    let is_listed = || {
        let directives = WORDS.ssti.directive_starts.get(hole.opening);
        directives.is_some_and(|list| list.iter().any(|it| trimmed.starts_with(it.as_bytes())))
    };
    match hole.opening {
        "<#" => is_listed() || trimmed.starts_with(b"assign ") && contains("?new"),
        "{" => matches!(&*trimmed, b"php" | b"literal") || is_listed(),
        "{{" => {
            let letters: Vec<u8> = trimmed.iter().copied().filter(|it| !it.is_ascii_whitespace()).collect();
            WORDS.ssti.objects.contains_exact(letters)
        }
        "#set(" => contains("class") || contains("*") && computes_after_equals(&trimmed),
        _ => is_listed(),
    }
}

fn computes_after_equals(text: &[u8]) -> bool {
    let after = text.splitn(2, |&byte| byte == b'=').nth(1).unwrap_or_default();
    let tokens = tokens(after);
    let end = tokens.iter().position(|it| !is_literal(it) && !is_operator(it) && !is_bracket(it));
    is_computed_constant(&tokens[..end.unwrap_or(tokens.len())])
}

#[cfg(test)]
mod tests;
