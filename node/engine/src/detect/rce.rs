//! Remote code execution: shell commands, found by tokenizing a value as shell input, and Log4j
//! lookups.
//!
//! The name of a command alone is no evidence: prose has the same words. The rules look at what
//! would run it (a separator, a substitution, a path to a program), at its arguments, and at the
//! amount of prose around it. In a document each line outside of quoted code is inspected alone
//! ([`document`]). Code of languages and gadgets is in `signatures/rce.toml`.

mod argument;
mod command_line;
mod development;
mod document;
mod evidence;
mod glob;
mod head;
mod lookup;
mod parameter;
mod pollution;
mod programs;
mod rejection;
mod strength;

pub(super) use pollution::detect as detect_pollution;

use super::Match;
use crate::{
    field::FieldKind,
    prefilter::Bytes,
    token::shell::{Command, Comments, commands, has_comment},
};
pub(crate) use development::is_development;
use evidence::{CommandContext, find_evidence};
pub(super) use parameter::detect as detect_parameter;
use shared::{AttackType, Severity};
use strength::needs_no_other_words;

/// Limit of program names with a variable in their middle.
const MAX_NAME: usize = 24;

/// Limit of values with escaped line ends and of quoted strings; longer ones are texts.
const MAX_ESCAPED_BYTES: usize = 200;

pub(super) fn detect(value: &[u8], bytes: Bytes, kind: FieldKind, is_document: bool) -> Vec<Match<'static>> {
    let mut matches: Vec<Match<'static>> = lookup::detect(value).into_iter().collect();
    if may_hold_command(value, bytes, kind) && !rejection::cannot_contain_command(value) {
        let text = development::without_quotations(value);
        let command = if is_document {
            document::detect(&text, kind)
        } else {
            let whole = if document::is_text_of_lines(&text) { None } else { shell(&text, kind) };
            whole.or_else(|| document::detect_in_lines(&text, kind))
        };
        matches.extend(command);
    }
    matches
}

/// Whether the value has a separator or a disguise, or begins with a command. No false negatives.
/// Semicolons alone are the syntax of some headers.
fn may_hold_command(value: &[u8], bytes: Bytes, kind: FieldKind) -> bool {
    const STRONG: Bytes = Bytes::PIPE
        .or(Bytes::AMPERSAND)
        .or(Bytes::BACKTICK)
        .or(Bytes::BREAK)
        .or(Bytes::DOLLAR)
        .or(Bytes::BACKSLASH);
    const WEAK: Bytes = Bytes::SEMICOLON
        .or(Bytes::QUOTE)
        .or(Bytes::OPEN_TAG)
        .or(Bytes::WILDCARD)
        .or(Bytes::OPEN_BRACE)
        .or(Bytes::OPEN_BRACKET);
    let evidence_bytes = if kind == FieldKind::ShapedHeader { STRONG } else { STRONG.or(WEAK) };
    let opens_with_separator =
        kind == FieldKind::ShapedHeader && value.starts_with(b";") || value.starts_with(b">(");
    let opens_in_parts =
        value.len() <= MAX_NAME && bytes.has(Bytes::PERCENT) && rejection::has_variable(value);
    bytes.has(evidence_bytes) || opens_with_separator || opens_in_parts || head::opens_with_command(value)
}

/// The value is tokenized as it is, and as the end of a string that its first quote closes.
fn shell(value: &[u8], kind: FieldKind) -> Option<Match<'static>> {
    let starts = [b'\'', b'"'].into_iter().filter_map(|quote| Some(memchr::memchr(quote, value)? + 1));
    let mut starts: Vec<usize> = std::iter::once(0).chain(starts).collect();
    starts.dedup();
    starts
        .into_iter()
        .find_map(|start| read(value, start, kind))
        .or_else(|| read(&with_line_ends(value)?, 0, kind))
        .or_else(|| read(&without_quotes(value)?, 0, kind))
}

/// Text after ` #` is a comment, but not between quotes, where a substitution runs, nor for `cmd.exe`.
fn read(value: &[u8], start: usize, kind: FieldKind) -> Option<Match<'static>> {
    let find = |comments, is_evident: fn(&Command<'_>) -> bool| {
        let commands = commands(value, start, comments);
        let context = CommandContext::new(value, &commands, kind, start > 0);
        let mut evident = commands.iter().enumerate().filter(|(_, command)| is_evident(command));
        let found = evident.find_map(|(at, command)| Some((command, find_evidence(&context, at)?)));
        found.map(|(command, (signature, severity))| matched(command, signature, severity))
    };
    find(Comments::Dropped, |_| true)
        .or_else(|| if has_comment(value) { find(Comments::Read, needs_no_other_words) } else { None })
}

/// `'ls -l'`: the value is one quoted string, whose quotes the application may remove. Blanks for
/// the quotes keep the spans.
fn without_quotes(value: &[u8]) -> Option<Vec<u8>> {
    let [quote @ (b'\'' | b'"'), inside @ .., last] = value else { return None };
    let is_string = quote == last && inside.len() <= MAX_ESCAPED_BYTES && !inside.contains(quote);
    is_string.then(|| [b" ", inside, b" "].concat())
}

/// `\nid\n`: a script may resolve the escapes before the shell runs. Two line ends for two bytes
/// keep the spans.
fn with_line_ends(value: &[u8]) -> Option<Vec<u8>> {
    let is_short = value.len() <= MAX_ESCAPED_BYTES && memchr::memchr(b'\n', value).is_none();
    let is_escape = |pair: &[u8]| matches!(pair, [b'\\', b'n' | b'r']);
    let edges =
        value.get(..2).is_some_and(is_escape) || value.len() > 2 && is_escape(&value[value.len() - 2..]);
    if !is_short || !edges {
        return None;
    }
    let mut resolved = value.to_vec();
    let mut at = 0;
    while at + 1 < resolved.len() {
        if is_escape(&resolved[at..at + 2]) {
            resolved[at..at + 2].fill(b'\n');
            at += 1;
        } else if resolved[at..].starts_with(b"\\033[") {
            let end = resolved.len().min(at + 6);
            resolved[at..end].fill(b' ');
        }
        at += 1;
    }
    Some(resolved)
}

fn matched(command: &Command<'_>, signature: &'static str, severity: Severity) -> Match<'static> {
    Match { attack_type: AttackType::Rce, signature, severity, span: command.start..command.end }
}

#[cfg(test)]
mod tests;
