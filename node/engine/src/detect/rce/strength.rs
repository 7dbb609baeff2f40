//! Commands that are evidence whatever surrounds them.

use super::{
    argument::shape,
    head::{Head, head, inner_head},
    programs,
};
use crate::{
    token::shell::{Command, Lead, Word},
    words::WORDS,
};

/// A command with more arguments is judged by the first of them.
const MAX_ARGUMENTS: usize = 6;

pub(super) fn is_substitution(command: &Command<'_>) -> bool {
    matches!(command.lead, Lead::Substitution | Lead::Backtick)
}

/// Whether the command is evidence wherever it stands, also in what a shell takes for a comment.
pub(super) fn needs_no_other_words(command: &Command<'_>) -> bool {
    let is_evident = |head: Head| {
        is_strong(command, &head)
            || inner_head(command, &head).is_some_and(|inner| is_strong(command, &inner))
    };
    is_substitution(command) || head(command).is_some_and(is_evident)
}

/// Whether the command reads, fetches or removes a sensitive file, connects to a port or runs code, which
/// no prose has after a separator. Judged by its first arguments: others may be padding.
pub(super) fn is_strong(command: &Command<'_>, head: &Head) -> bool {
    let arguments = &command.words[head.at + 1..];
    let sensitive = |word: &Word<'_>| {
        let text = String::from_utf8_lossy(&word.text);
        let is_rooted = WORDS.rce.sensitive_directories.iter().any(|root| text.starts_with(root))
            || matches!(&*text, "/" | "/*");
        is_rooted
            || text.contains("://") && WORDS.rce.fetchers.contains(&head.name)
            || WORDS.rce.clients.contains(&head.name) && is_address(&word.text)
            || is_windows_path(&word.text)
    };
    let is = |word: &Word<'_>, kind: u8| shape(word) & kind != 0;
    let is_direct = match arguments {
        [host, port, ..] if matches!(&*head.name, "nc" | "ncat" | "netcat" | "telnet") => {
            is(host, programs::HOST) && is(port, programs::NUMBER)
        }
        [flag, code, ..] if programs::is_interpreter(&head.name) => {
            is(flag, programs::FLAG) && is(code, programs::QUOTED)
        }
        [flag, count, host, ..] if head.name == "ping" => {
            is(flag, programs::FLAG) && is(count, programs::NUMBER) && is_address(&host.text)
        }
        _ => false,
    };
    let mut words = 0;
    let is_among_first = |(at, word): (usize, &Word<'_>)| {
        let is_first = words <= 1 + (at + 1) / 3 && sensitive(word);
        words += usize::from(!word.text.is_empty() && shape(word) & !programs::WORD == 0);
        is_first
    };
    is_direct
        || arguments.len() <= MAX_ARGUMENTS && arguments.iter().any(sensitive)
        || arguments.iter().enumerate().any(is_among_first)
}

/// `a.example/x`, `user@a.example:80`, `192.0.2.1`, `localhost`: a host, with what follows it.
fn is_address(text: &[u8]) -> bool {
    let text = memchr::memrchr(b'@', text).map_or(text, |at| &text[at + 1..]);
    let length = text.iter().position(|byte| b"/:?".contains(byte)).unwrap_or(text.len());
    let (host, rest) = text.split_at(length);
    let is_label = |label: &[u8]| {
        !label.is_empty() && label.iter().all(|it| it.is_ascii_alphanumeric() || b"-_".contains(it))
    };
    let is_number = |label: &[u8]| label.iter().all(u8::is_ascii_digit);
    let labels: Vec<&[u8]> = host.split(|&byte| byte == b'.').collect();
    let Some(last) = labels.last().filter(|_| labels.iter().all(|it| is_label(it))) else { return false };
    let is_numeric = labels.iter().all(|it| is_number(it));
    match labels.len() {
        1 => host.eq_ignore_ascii_case(b"localhost") || is_numeric && last.len() > 7,
        4 if is_numeric => true,
        // `no.7` is no host.
        _ => !is_number(last) && (last.len() > 1 || !rest.is_empty()),
    }
}

fn is_windows_path(text: &[u8]) -> bool {
    matches!(text, [letter, b':', b'\\', _, ..] if letter.is_ascii_alphabetic())
}
