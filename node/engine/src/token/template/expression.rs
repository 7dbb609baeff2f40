//! Expressions of most template languages: names, numbers, strings, operators.

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Token<'v> {
    Name(&'v [u8]),
    Number,
    Text(&'v [u8]),
    /// `+ - * / %`.
    Operator(u8),
    Punctuation(u8),
}

/// The tokens of an expression; blanks are left out.
pub(crate) fn tokens(text: &[u8]) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        let rest = &text[at..];
        let length = match byte {
            b'0'..=b'9' => number(rest),
            b'\'' | b'"' => memchr::memchr(byte, &rest[1..]).map_or(rest.len(), |end| end + 2),
            _ if blank(rest) > 0 => blank(rest),
            _ if is_name(byte) => name(rest),
            _ => 1,
        };
        let token = match byte {
            b'0'..=b'9' => Some(Token::Number),
            b'\'' | b'"' => {
                Some(Token::Text(rest[1..length].strip_suffix(&[byte]).unwrap_or(&rest[1..length])))
            }
            b'+' | b'-' | b'*' | b'/' | b'%' => Some(Token::Operator(byte)),
            _ if blank(rest) > 0 => None,
            _ if is_name(byte) => Some(Token::Name(&rest[..length])),
            _ => Some(Token::Punctuation(byte)),
        };
        tokens.extend(token);
        at += length;
    }
    tokens
}

/// The length of the blank here: template languages also skip those outside of ASCII.
fn blank(rest: &[u8]) -> usize {
    match rest {
        [byte, ..] if byte.is_ascii() => usize::from(*byte <= b' '),
        [0xC2 | 0xE1..=0xE3, ..] => {
            let text = rest.get(..rest.len().min(4)).unwrap_or_default();
            let letter = text.utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next());
            letter.filter(|it| it.is_whitespace()).map_or(0, char::len_utf8)
        }
        _ => 0,
    }
}

/// The length of the number here. `7.x` is a member of a number.
fn number(rest: &[u8]) -> usize {
    let length = count(rest, |it| it.is_ascii_digit() || it == b'.');
    let has_member = rest[..length].ends_with(b".") && rest.get(length).is_some_and(|it| is_name(*it));
    length - usize::from(has_member)
}

/// The length of the name here, up to a blank.
fn name(rest: &[u8]) -> usize {
    let mut at = 0;
    while rest.get(at).is_some_and(|it| is_name(*it) || it.is_ascii_digit())
        && (rest[at].is_ascii() || blank(&rest[at..]) == 0)
    {
        at += 1;
    }
    at
}

fn count(bytes: &[u8], fits: impl Fn(u8) -> bool) -> usize {
    bytes.iter().take_while(|byte| fits(**byte)).count()
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte == b'$' || !byte.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distinguishes_names_numbers_strings_and_operators() {
        use Token::{Name, Number, Operator, Punctuation, Text};
        assert_eq!(
            tokens(b"= a.b('x')*7.5 \"open"),
            [
                Punctuation(b'='),
                Name(b"a"),
                Punctuation(b'.'),
                Name(b"b"),
                Punctuation(b'('),
                Text(b"x"),
                Punctuation(b')'),
                Operator(b'*'),
                Number,
                Text(b"open")
            ]
        );
        assert_eq!(tokens(b"7.5.x"), [Number, Punctuation(b'.'), Name(b"x")]);
        assert_eq!(tokens("\u{a0}a\u{3000}ä\u{b}\0".as_bytes()), [Name(b"a"), Name("ä".as_bytes())]);
    }
}
