//! Shapes of arguments: flag, path, number, host, variable, quoted string or word.

use super::programs;
use crate::{token::shell::Word, words::WORDS};

pub(super) fn is_prose(word: &[u8]) -> bool {
    word.len() > 1
        && !WORDS.rce.keywords.contains_exact(word)
        && word.iter().all(|byte| byte.is_ascii_alphabetic() || !byte.is_ascii() || b",.'!?:-".contains(byte))
        && has_letter(word)
}

/// Whether text has a letter of any script; symbols and emoji are no words.
fn has_letter(text: &[u8]) -> bool {
    text.iter().any(u8::is_ascii_alphabetic)
        || text.utf8_chunks().any(|chunk| chunk.valid().contains(char::is_alphabetic))
}

/// The shape of an argument, as bits of [`programs`].
pub(super) fn shape(word: &Word<'_>) -> u8 {
    let text = &word.text[..];
    let kinds = [
        (programs::FLAG, is_flag(text)),
        (programs::PATH, is_path(text)),
        (programs::HOST, is_host(text)),
        (programs::NUMBER, is_number(text)),
        (programs::VARIABLE, word.variable || text.starts_with(b"%") && text.len() > 2),
        (programs::QUOTED, word.quoted),
    ];
    kinds.iter().filter(|(_, holds)| *holds).fold(programs::WORD, |bits, (bit, _)| bits | bit)
}

/// `-la`, `--all`, `/all`, `+%s`
fn is_flag(text: &[u8]) -> bool {
    match text {
        [b'-', second, ..] => second.is_ascii_alphanumeric() || *second == b'-',
        [b'+', second, ..] => second.is_ascii_alphabetic() || *second == b'%',
        [b'/', name @ ..] => {
            (1..12).contains(&name.len()) && name.iter().all(|it| it.is_ascii_alphabetic() || *it == b'?')
        }
        _ => false,
    }
}

/// `/etc`, `c:`, `name.ext`, `*`, `~`, `..`
fn is_path(text: &[u8]) -> bool {
    memchr::memchr3(b'/', b'\\', b'*', text).is_some()
        || matches!(text, [letter, b':', ..] if letter.is_ascii_alphabetic())
        || is_file_name(text)
        || matches!(text, b"~" | b"." | b"..")
}

/// `10`, `10s`
fn is_number(text: &[u8]) -> bool {
    text.first().is_some_and(u8::is_ascii_digit)
        && text.iter().all(|it| it.is_ascii_digit() || b".smh".contains(it))
}

/// `name.ext`
fn is_file_name(text: &[u8]) -> bool {
    let extension = text.rsplit(|&byte| byte == b'.').next().unwrap_or_default();
    extension.len() < text.len().saturating_sub(1)
        && (1..=5).contains(&extension.len())
        && extension.iter().all(u8::is_ascii_alphanumeric)
}

/// `example.com`, `user@host`, `http://host`, `localhost`
fn is_host(text: &[u8]) -> bool {
    let labels = text.split(|&byte| byte == b'.').filter(|label| !label.is_empty()).count();
    let is_name = text.iter().all(|byte| byte.is_ascii_alphanumeric() || b".-:/_@".contains(byte));
    memchr::memmem::find(text, b"://").is_some()
        || text
            .split(|byte| b":/".contains(byte))
            .next()
            .is_some_and(|it| it.eq_ignore_ascii_case(b"localhost"))
        || memchr::memchr(b'@', text).is_some_and(|at| at > 0 && at + 1 < text.len() && is_name)
        || labels >= 2 && is_name
}

pub(super) fn is_absolute(text: &[u8]) -> bool {
    text.starts_with(b"/") && text.len() > 3
        || matches!(text, [letter, b':', b'\\' | b'/', rest @ ..] if letter.is_ascii_alphabetic() && !rest.starts_with(b"/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looks(text: &str) -> u8 {
        shape(&Word { text: text.as_bytes().into(), ..Word::default() }) & !programs::WORD
    }

    #[test]
    fn symbols_are_no_words() {
        for word in ["word", "größe", "東京", "it's"] {
            assert!(is_prose(word.as_bytes()), "{word}");
        }
        for symbol in ["😀", "→→", "--", "..."] {
            assert!(!is_prose(symbol.as_bytes()), "{symbol}");
        }
    }

    #[test]
    fn recognizes_shapes() {
        assert_eq!(looks("-la"), programs::FLAG);
        assert_eq!(looks("/all"), programs::FLAG | programs::PATH);
        assert_eq!(looks("c:"), programs::PATH);
        assert_eq!(looks("10"), programs::NUMBER);
        assert_eq!(looks("localhost"), programs::HOST);
        assert_eq!(looks("10s"), programs::NUMBER);
        assert_eq!(looks("+%s"), programs::FLAG);
        assert_eq!(looks(".."), programs::PATH);
        assert_eq!(looks("*"), programs::PATH);
        assert_eq!(looks("root@host"), programs::HOST);
        assert_eq!(looks("%x%"), programs::VARIABLE);
        assert_eq!(looks("food"), 0);
        assert_eq!(looks("end."), 0);
    }
}
