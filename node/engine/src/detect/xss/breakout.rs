//! Attribute breakout: values that close the attribute they land in and add attributes.

use super::active;
use crate::{token::html::spelled_attributes, words::WORDS};

/// Limit of attributes inspected after a quote.
const MAX_ATTRIBUTES: usize = 12;

/// Whether one of the attributes this would add runs script.
pub(super) fn runs(rest: &[u8]) -> bool {
    if memchr::memchr(b'=', rest).is_none() {
        return false;
    }
    spelled_attributes(rest).take(MAX_ATTRIBUTES).any(|(name, value)| {
        value.is_some_and(|value| !value.is_empty()) && is_handler(name) || active::runs_script(name, value)
    })
}

/// `onload`, `onerror`: any name of that form but words, since browsers add new ones every year.
pub(super) fn is_handler(name: &[u8]) -> bool {
    let [b'o' | b'O', b'n' | b'N', event @ ..] = name else { return false };
    (3..=30).contains(&event.len())
        && event.iter().all(u8::is_ascii_alphabetic)
        && !WORDS.xss.words_like_handlers.contains(name)
}

/// Whether the name of a parameter ends with a handler, whose equals sign is that of the query.
pub(super) fn ends_with_handler(name: &[u8]) -> bool {
    let name = name.trim_ascii_end();
    let Some(at) = name.iter().rposition(|it| it.is_ascii_whitespace() || b"\"'`/<>".contains(it)) else {
        return false;
    };
    is_handler(&name[at + 1..])
}

/// The value without tags, as some filters leave it, when tags split its words: `on<x>click`.
pub(super) fn without_tags_in_words(value: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut copied = 0;
    for open in memchr::memchr_iter(b'<', value) {
        let is_letter = |at: usize| value.get(at).is_some_and(u8::is_ascii_alphabetic);
        if open < copied || open == 0 || !is_letter(open - 1) {
            continue;
        }
        // Only short tags split words; a longer search would be quadratic.
        let tag = &value[open..value.len().min(open + 40)];
        let Some(length) = memchr::memchr(b'>', tag).map(|at| at + 1).filter(|it| is_letter(open + it))
        else {
            continue;
        };
        out.extend_from_slice(&value[copied..open]);
        copied = open + length;
    }
    if copied == 0 {
        return None;
    }
    out.extend_from_slice(&value[copied..]);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removes_tags_inside_words() {
        let stripped = |value: &str| {
            without_tags_in_words(value.as_bytes()).map(|it| String::from_utf8_lossy(&it).into_owned())
        };
        assert_eq!(stripped("on<x>cl</b>ick <b>x</b>"), Some("onclick <b>x</b>".to_owned()));
        assert_eq!(stripped("a <b>bold</b> word, a<b"), None);
    }

    #[test]
    fn finds_a_handler_at_the_end_of_a_name() {
        for name in ["\"onload", "x onclick ", "<svg/onload"] {
            assert!(ends_with_handler(name.as_bytes()), "{name}");
        }
        for name in ["onload", "ons", "a on", "version"] {
            assert!(!ends_with_handler(name.as_bytes()), "{name}");
        }
    }
}
