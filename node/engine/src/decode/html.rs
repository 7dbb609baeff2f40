//! Decoder of HTML entities: `&lt;`, `&#60;`, `&#x3c`, with and without the semicolon.

use super::{replace, utf8};

/// The named entities that occur in markup or script. The other 2,000 of HTML are harmless here.
const NAMED: &[(&str, u8)] = &[
    ("amp", b'&'),
    ("apos", b'\''),
    ("bsol", b'\\'),
    ("colon", b':'),
    ("comma", b','),
    ("dollar", b'$'),
    ("equals", b'='),
    ("excl", b'!'),
    ("grave", b'`'),
    ("gt", b'>'),
    ("lbrace", b'{'),
    ("lcub", b'{'),
    ("lpar", b'('),
    ("lt", b'<'),
    ("newline", b'\n'),
    ("num", b'#'),
    ("percnt", b'%'),
    ("period", b'.'),
    ("quot", b'"'),
    ("rbrace", b'}'),
    ("rcub", b'}'),
    ("rpar", b')'),
    ("semi", b';'),
    ("sol", b'/'),
    ("tab", b'\t'),
];

/// Replaces entities once.
pub(crate) fn decode(value: &[u8]) -> Option<Vec<u8>> {
    replace(value, memchr::memchr_iter(b'&', value), |rest| {
        read(&rest[1..]).map(|(letter, length)| (utf8(letter), length + 1))
    })
}

/// The character of an entity, and its length after the ampersand.
fn read(rest: &[u8]) -> Option<(char, usize)> {
    match rest {
        [b'#', b'x' | b'X', digits @ ..] => numbered(digits, 16).map(|(letter, length)| (letter, length + 2)),
        [b'#', digits @ ..] => numbered(digits, 10).map(|(letter, length)| (letter, length + 1)),
        _ => named(rest),
    }
}

fn numbered(digits: &[u8], radix: u32) -> Option<(char, usize)> {
    // Browsers accept any number of leading zeros; this decoder accepts ten digits.
    let count = digits.iter().take(10).take_while(|&&it| char::from(it).is_digit(radix)).count();
    let text = std::str::from_utf8(&digits[..count]).ok()?;
    let letter = char::from_u32(u32::from_str_radix(text, radix).ok()?)?;
    Some((letter, count + usize::from(digits.get(count) == Some(&b';'))))
}

/// Named entities require a semicolon: `&lt=3` is more likely a parameter.
fn named(rest: &[u8]) -> Option<(char, usize)> {
    let end = rest.iter().take(9).position(|&byte| byte == b';')?;
    let name = std::str::from_utf8(&rest[..end]).ok()?;
    let (_, byte) = NAMED.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
    Some((char::from(*byte), end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(value: &str) -> Option<String> {
        decode(value.as_bytes()).map(|it| String::from_utf8_lossy(&it).into_owned())
    }

    #[test]
    fn entities_of_all_notations_are_decoded() {
        assert_eq!(read_all("&lt;&#60;&#x3c;&#0000060&Tab;").as_deref(), Some("<<<<\t"));
    }

    #[test]
    fn ampersands_of_prose_and_urls_are_unchanged() {
        for text in ["AT&T; R&D", "a=1&lt=2", "&nbsp", "&#;", "&#x;"] {
            assert_eq!(read_all(text), None, "{text}");
        }
    }
}
