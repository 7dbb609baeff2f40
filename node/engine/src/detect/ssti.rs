//! Server-side template injection: an expression between template delimiters that computes
//! constants or uses names that no page needs. `{{name}}`, `${price}`, `#{id}` and stored templates
//! pass.

use super::Match;
use crate::{
    token::{
        markdown,
        template::{Hole, Token, holes, tokens},
    },
    words::WORDS,
};
use shared::{
    AttackType,
    Severity::{self, Critical, High},
};
use std::borrow::Cow;

/// Limit of expressions per value.
const MAX_HOLES: usize = 200;
/// Bytes after a directive that are inspected with it.
const MAX_AFTER: usize = 500;

pub(super) fn detect(value: &[u8], is_document: bool) -> Option<Match<'static>> {
    if !has_delimiter(value) {
        return None;
    }
    // Posts explain templates and quote expressions as code.
    let text = if is_document { markdown::without_code(value) } else { Cow::Borrowed(value) };
    let found = holes(&text).into_iter().take(MAX_HOLES).filter_map(|hole| judge(&text, &hole));
    found.filter(|it| !is_document || is_certain(&text, it)).max_by_key(|it| it.severity)
}

/// Whether a match counts in a document: it is critical and not the random bytes of a file.
fn is_certain(text: &[u8], found: &Match<'_>) -> bool {
    let is_text = |byte: &u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
    found.severity == Critical && text[found.span.clone()].iter().all(is_text)
}

/// No false negatives.
fn has_delimiter(value: &[u8]) -> bool {
    memchr::memchr(b'{', value).is_some()
        || memchr::memmem::find(value, b"<%").is_some()
        || memchr::memmem::find(value, b"<#").is_some()
        || memchr::memmem::find(value, b"#set(").is_some()
        || memchr::memmem::find(value, b"@(").is_some()
}

fn judge(value: &[u8], hole: &Hole) -> Option<Match<'static>> {
    let inside = &value[hole.inside.clone()];
    // A variable set by a Velocity directive is used after it.
    let inside = if hole.opening == "#set(" {
        &value[hole.inside.start..value.len().min(hole.inside.end + MAX_AFTER)]
    } else {
        inside
    };
    let inside = inside.strip_prefix(b"=").unwrap_or(inside);
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
    let literal = |token: &Token<'_>| matches!(token, Token::Number | Token::Text(_));
    let only =
        tokens.iter().all(|it| literal(it) || matches!(it, Token::Sum(_) | Token::Mark(b'(' | b')' | b'@')));
    let literals = tokens.iter().filter(|it| literal(it)).count();
    let pair =
        tokens.windows(3).any(|it| literal(&it[0]) && matches!(it[1], Token::Sum(_)) && literal(&it[2]));
    // `{2-4}` is a quantifier, `{1/2}` a fraction in some markup.
    let is_bare = hole.opening == "{"
        && !(hole.span.len() == value.trim_ascii().len() && tokens.contains(&Token::Sum(b'*')));
    only && pair && literals >= 2 && !is_bare || calls_literal(tokens, hole)
}

/// `'a'.upper()`: a method of a literal, without a name of the page.
fn calls_literal(tokens: &[Token<'_>], hole: &Hole) -> bool {
    let starts = matches!(tokens, [Token::Text(_), Token::Mark(b'.'), Token::Name(_), Token::Mark(b'('), ..]);
    let names = tokens.iter().filter(|it| matches!(it, Token::Name(_))).count();
    starts && names == 1 && hole.opening != "{"
}

/// A name that no page needs: classes, runtimes, the template engine's own objects, functions that
/// run or read.
fn reaches(tokens: &[Token<'_>], hole: &Hole) -> bool {
    let name_at = |at: usize| match tokens.get(at) {
        Some(Token::Name(name)) => String::from_utf8_lossy(name).to_ascii_lowercase(),
        _ => String::new(),
    };
    let words = &WORDS.ssti;
    (0..tokens.len()).any(|at| {
        let called = tokens.get(at + 1) == Some(&Token::Mark(b'('));
        let filters = at > 0 && tokens[at - 1] == Token::Mark(b'|');
        let member = at > 0 && matches!(tokens[at - 1], Token::Mark(b'.' | b'@' | b'#' | b'['));
        match &tokens[at] {
            Token::Name(name) => {
                let lower = String::from_utf8_lossy(name).to_ascii_lowercase();
                is_dunder(&lower)
                    || words.distinctive.contains(&lower)
                    || called && words.called.contains(&lower)
                    || filters && words.filters.contains(&lower)
                    || member && words.members.contains(&lower)
                    // `item.class` names a style; `''.class.forName` continues.
                    || member && lower == "class" && matches!(tokens.get(at + 1), Some(Token::Mark(b'.' | b'[')))
                    || (at == 0 || !member)
                        && words.paths.get(&lower).is_some_and(|next| next.contains(name_at(at + 2)))
            }
            Token::Text(text) => {
                let lower = String::from_utf8_lossy(text).to_ascii_lowercase();
                let goes_on = matches!(tokens.get(at + 1), Some(Token::Sum(b'+')));
                is_dunder(&lower)
                    || lower.starts_with("__") && goes_on
                    || hole.opening != "{" && words.strings.contains(&lower)
            }
            Token::Mark(b'`') => matches!(hole.opening, "<%" | "#{"),
            _ => false,
        }
    })
}

fn is_dunder(name: &str) -> bool {
    let inner = name.strip_prefix("__").and_then(|it| it.strip_suffix("__"));
    inner.is_some_and(|it| WORDS.ssti.dunders.contains(it))
}

/// Directives of template languages: statements that only the author of a template may write.
fn instructs(inside: &[u8], hole: &Hole) -> bool {
    let trimmed = inside.trim_ascii_start().to_ascii_lowercase();
    let starts = |words: &[&str]| words.iter().any(|word| trimmed.starts_with(word.as_bytes()));
    match hole.opening {
        "<#" => {
            starts(&["list .", "assign ", "include ", "import "])
                && (starts(&["list .", "include", "import"])
                    || memchr::memmem::find(&trimmed, b"?new").is_some())
        }
        "{" => {
            matches!(&*trimmed, b"php" | b"literal")
                || starts(&[
                    "system(",
                    "passthru(",
                    "exec(",
                    "$smarty",
                    "self::",
                    "fetch file",
                    "include file",
                    "eval var",
                ])
        }
        "${" => starts(&[".version", ".data_model", ".main", ".globals", ".vars", ".template_name"]),
        "{%" => starts(&["import os", "debug", "import "]),
        "{{" => matches!(
            trimmed.trim_ascii(),
            b"config" | b"self" | b"dump(app)" | b"settings" | b"this" | b"_self" | b"request" | b"dump()"
        ),
        "#set(" => {
            memchr::memmem::find(&trimmed, b"class").is_some()
                || memchr::memmem::find(&trimmed, b"*").is_some() && computes_after_equals(&trimmed)
        }
        "<%" => starts(&["system", "exec", "eval", "import os", "require", "`", "if true", "if false"]),
        _ => false,
    }
}

fn computes_after_equals(text: &[u8]) -> bool {
    let after = text.splitn(2, |&byte| byte == b'=').nth(1).unwrap_or_default();
    let tokens = tokens(after);
    matches!(tokens[..], [Token::Number, Token::Sum(_), Token::Number, ..])
}

#[cfg(test)]
mod tests;
