//! Shapes of arguments: flag, path, number, host, variable, quoted string or word.

use super::words;
use crate::{token::shell::Word, words::WORDS};

pub(super) fn is_prose(word: &[u8]) -> bool {
    word.len() > 1
        && !WORDS.rce.keywords.contains_exact(word)
        && word.iter().all(|byte| byte.is_ascii_alphabetic() || !byte.is_ascii() || b",.'!?:-".contains(byte))
}

/// The shape of an argument, as bits of [`words`].
pub(super) fn shape(word: &Word) -> u8 {
    let text = &word.text[..];
    let mut bits = words::WORD;
    let flag = matches!(text, [b'-', second, ..] if second.is_ascii_alphanumeric() || *second == b'-')
        || matches!(text, [b'/', name @ ..] if name.len() < 12 && !name.is_empty() && name.iter().all(|it| it.is_ascii_alphabetic() || *it == b'?'))
        || matches!(text, [b'+', second, ..] if *second == b'%' || second.is_ascii_alphabetic());
    let slash = memchr::memchr2(b'/', b'\\', text).is_some();
    let drive = matches!(text, [letter, b':', ..] if letter.is_ascii_alphabetic());
    bits |= if flag { words::FLAG } else { 0 };
    bits |= if slash
        || drive
        || is_file_name(text)
        || text.contains(&b'*')
        || matches!(text, b"~" | b"." | b"..")
    {
        words::PATH
    } else {
        0
    };
    bits |= if is_host(text) { words::HOST } else { 0 };
    bits |= if text.iter().all(|it| it.is_ascii_digit() || b".smh".contains(it))
        && text.first().is_some_and(u8::is_ascii_digit)
    {
        words::NUMBER
    } else {
        0
    };
    bits |= if word.variable || text.starts_with(b"%") && text.len() > 2 { words::VARIABLE } else { 0 };
    bits | if word.quoted { words::QUOTED } else { 0 }
}

/// `name.ext`
fn is_file_name(text: &[u8]) -> bool {
    let extension = text.rsplit(|&byte| byte == b'.').next().unwrap_or_default();
    extension.len() < text.len().saturating_sub(1)
        && (1..=5).contains(&extension.len())
        && extension.iter().all(u8::is_ascii_alphanumeric)
}

fn is_host(text: &[u8]) -> bool {
    let labels = text.split(|&byte| byte == b'.').filter(|label| !label.is_empty()).count();
    let is_name = text.iter().all(|byte| byte.is_ascii_alphanumeric() || b".-:/_@".contains(byte));
    memchr::memmem::find(text, b"://").is_some()
        || text.eq_ignore_ascii_case(b"localhost")
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
        shape(&Word { text: text.into(), ..Word::default() }) & !words::WORD
    }

    #[test]
    fn recognizes_shapes() {
        assert_eq!(looks("-la"), words::FLAG);
        assert_eq!(looks("/all"), words::FLAG | words::PATH);
        assert_eq!(looks("c:"), words::PATH);
        assert_eq!(looks("10"), words::NUMBER);
        assert_eq!(looks("localhost"), words::HOST);
        assert_eq!(looks("food"), 0);
        assert_eq!(looks("end."), 0);
    }
}
