//! Statements after a semicolon, or as the whole value: recognised by the words after the first.

use super::{
    ParseContext, RuleMatch,
    administration::administers,
    select_list::{Ending, SelectList},
};
use crate::{
    token::sql::{Opening, TokenKind, TokenStream},
    words::WORDS,
};
use shared::Severity::Critical;

/// `; drop table x` and similar statements.
pub(super) fn stacked(context: &ParseContext, at: usize) -> Option<RuleMatch> {
    let stream = &context.stream;
    let follows = stream.kind(at) == Some(TokenKind::Semicolon);
    let is_value = at == 0 && context.opening == Opening::Bare;
    let verb = at + usize::from(follows);
    // Some databases need no semicolon.
    let after_number = || stream.is_numeric_until(at) && context.opening == Opening::Bare;
    if !(follows || is_value || after_number()) || !stream.is_one_of(verb, &WORDS.sqli.statements) {
        return None;
    }
    let end = statement_end(stream, verb)?;
    Some(RuleMatch { signature: "sqli-statement", severity: Critical, tokens: at..end })
}

/// The position after the part of a statement that identifies it.
pub(super) fn statement_end(stream: &TokenStream, at: usize) -> Option<usize> {
    if stream.word(at) == "select" {
        let list = SelectList::read(stream, at);
        let is_text = matches!(stream.kind(at + 1), Some(TokenKind::Text { .. })) && at + 2 == stream.len();
        let continues = || (at + 2..at + 6).any(|it| stream.word(it) == "select");
        let is_whole = list.ending != Ending::Open
            || list.has_call
            || stream.kind(at + 1) == Some(TokenKind::Variable)
            || continues();
        let is_evident = is_whole && list.has_punctuation && !is_text;
        return is_evident.then_some(list.end);
    }
    let holds = changes_rows(stream, at)
        || changes_objects(stream, at)
        || runs(stream, at)
        || administers(stream, at);
    holds.then_some(at + 3)
}

fn changes_rows(stream: &TokenStream, at: usize) -> bool {
    match stream.word(at) {
        "insert" | "merge" | "replace" => {
            let into = stream.word(at + 1) == "into" || stream.kind(at + 2) == Some(TokenKind::Open);
            into && (at..at + 40).any(|it| stream.is_word(it, &["values", "select"]))
        }
        "update" => (at + 2..at + 6)
            .any(|it| stream.word(it) == "set" && stream.kind(it + 2) == Some(TokenKind::Compare)),
        "delete" => stream.word(at + 1) == "from" && ends_delete(stream, at),
        "load" => {
            stream.is_word(at + 1, &["data", "xml"]) && (at + 2..at + 5).any(|it| stream.word(it) == "infile")
        }
        "copy" => (at + 3..at + 8).any(|it| stream.is_word(it, &["program", "stdin"])),
        _ => false,
    }
}

/// `delete from here` as the whole value is prose.
fn ends_delete(stream: &TokenStream, at: usize) -> bool {
    let after = at + 3;
    stream.word(after) == "where" && (at > 0 || stream.condition(after + 1).is_some())
        || stream.kind(after) == Some(TokenKind::Semicolon)
        || at > 0 && stream.is_end(after)
}

fn changes_objects(stream: &TokenStream, at: usize) -> bool {
    let adjectives = &["temporary", "unique", "external", "global", "public", "replace"];
    let object = at + 1 + usize::from(stream.is_word(at + 1, adjectives));
    let follows = at > 0 && stream.kind(at - 1) == Some(TokenKind::Semicolon);
    let holds = stream.is_one_of(object, &WORDS.sqli.objects) && (follows || defines(stream, at, object));
    stream.is_word(at, &["drop", "create", "alter", "truncate", "rename"]) && (holds || drops_all(stream, at))
}

/// Whether the object here is defined or dropped, and not part of prose about a table, a view or a
/// user.
fn defines(stream: &TokenStream, verb: usize, object: usize) -> bool {
    let name = object + if stream.word(object + 1) == "if" { 3 } else { 1 };
    let is_name = matches!(stream.kind(name), Some(TokenKind::Word | TokenKind::Name));
    let Some(after) = stream.operand(name).filter(|_| is_name).map(|it| it.end) else { return false };
    let is_call = stream.kind(after.wrapping_sub(1)) == Some(TokenKind::Close);
    let is_listed = matches!(stream.kind(after), None | Some(TokenKind::Comma))
        && match stream.word(object) {
            // `drop table lamp`: words of a search.
            "table" => after > name + 1 || is_table_name(stream, name),
            word => word == "database",
        };
    let continues = if stream.word(verb) == "drop" && stream.word(object) == "table" {
        stream.is_word(after, &["cascade", "restrict"])
    } else {
        stream.is_one_of(after, &WORDS.sqli.definition_words)
    };
    is_call
        || stream.kind(after) == Some(TokenKind::Semicolon)
        || stream.kind(after) == Some(TokenKind::Comment)
        || is_listed
        || continues
}

/// Whether a name is that of a table and no English word, or one that many applications have.
fn is_table_name(stream: &TokenStream, name: usize) -> bool {
    let is_spelled = |it: char| it == '_' || it == '$' || it.is_ascii_digit();
    stream.kind(name) == Some(TokenKind::Name)
        || stream.slice(name).contains(is_spelled)
        || stream.is_one_of(name, &WORDS.sqli.tables)
}

/// `drop x;--`: some databases need no type of object.
fn drops_all(stream: &TokenStream, at: usize) -> bool {
    let after = at + 2;
    let cuts = stream.is_comment(stream.skip(after, TokenKind::Semicolon));
    stream.is_word(at, &["drop", "truncate"]) && cuts && !stream.word(at + 1).is_empty()
}

/// Statements that need no semicolon before them.
pub(super) fn runs(stream: &TokenStream, at: usize) -> bool {
    let (second, kind) = (stream.word(at + 1), stream.kind(at + 1));
    match stream.word(at) {
        "exec" | "execute" => {
            let known = second.starts_with("xp_") || second.starts_with("sp_");
            known
                || matches!(second, "immediate" | "master")
                || kind == Some(TokenKind::Variable)
                || runs_text(stream, at + 1)
        }
        "declare" | "set" => kind == Some(TokenKind::Variable) && stream.slice(at + 1).len() > 1,
        "waitfor" => matches!(second, "delay" | "time"),
        "begin" => matches!(second, "declare" | "dbms_lock" | "execute"),
        "call" => {
            let name_end = if stream.kind(at + 2) == Some(TokenKind::Dot) { at + 4 } else { at + 2 };
            stream.kind(name_end) == Some(TokenKind::Open)
        }
        "if" => decides(stream, at + 1),
        _ => false,
    }
}

/// `exec('…')`, `exec(@x)`.
fn runs_text(stream: &TokenStream, at: usize) -> bool {
    stream.kind(at) == Some(TokenKind::Open)
        && matches!(stream.kind(at + 1), Some(TokenKind::Variable | TokenKind::Text { .. }))
}

/// `if (…) select`, `if … waitfor`.
fn decides(stream: &TokenStream, at: usize) -> bool {
    let group = stream.kind(at) == Some(TokenKind::Open);
    let statement =
        stream.word(at + 1) == "select" || stream.is_one_of(stream.after_group(at), &WORDS.sqli.statements);
    group && statement || (at..at + 20).any(|it| stream.word(it) == "waitfor")
}
