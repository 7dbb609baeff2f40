//! Paths of programs and files as shell patterns.

use super::evidence::{CommandContext, Evidence, MAX_PROSE};
use crate::{
    token::shell::{Command, Word, glob_matches},
    words::WORDS,
};
use shared::Severity::High;

/// Limit of a pattern, without what repeats.
const MAX_PATTERN: usize = 120;

/// `/???/c?t`
pub(super) fn glob(context: &CommandContext<'_>, command: &Command<'_>) -> Option<Evidence> {
    if context.prose > MAX_PROSE {
        return None;
    }
    let is_pattern = |word: &&Word<'_>| {
        let text = &word.text;
        if text.first() != Some(&b'/') {
            return false;
        }
        let literal = text.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
        let marks = text.iter().filter(|byte| b"?*[".contains(byte)).count();
        marks > 0 && literal + marks >= 3 && (literal > 0 || marks > 4)
    };
    let mut patterns = command.words.iter().filter(is_pattern);
    let slash_twice = |text: &[u8]| memchr::memchr_iter(b'/', text).nth(1).is_some();
    let hit = patterns.any(|word| {
        let squeezed = squeeze(&word.text);
        slash_twice(&squeezed)
            && WORDS.rce.glob_targets.iter().any(|target| glob_matches(&squeezed, target.as_bytes()))
    });
    hit.then_some(("rce-glob-path", High))
}

/// Without slashes and repeated letters inside a class, and with single slashes and stars elsewhere.
fn squeeze(text: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::new();
    let mut in_class = false;
    for &byte in text {
        in_class = byte == b'[' || in_class && byte != b']';
        let is_repeated = (in_class || byte == b'*') && out.last() == Some(&byte);
        if !is_repeated && (byte != b'/' || !in_class && out.last() != Some(&b'/')) {
            out.push(byte);
        }
        if out.len() == MAX_PATTERN {
            break;
        }
    }
    out
}
