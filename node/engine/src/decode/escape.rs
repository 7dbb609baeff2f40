//! Decoder of backslash escapes of JavaScript, CSS and shells: `\u0027`, `\u{27}`, `\x27`, `\047`.

use super::{
    percent::{hex_byte, hex_word},
    replace, utf8,
};

pub(super) const NAME: &str = "escape";

/// Whether a value has an escape that JSON has not: `\x27` and the like.
pub(super) fn has_foreign(value: &[u8]) -> bool {
    // They are too dense in JSON for a search.
    let mut starts = value.iter().enumerate().filter(|(_, byte)| **byte == b'\\');
    starts.any(|(at, _)| {
        let rest = &value[at + 1..];
        !matches!(rest, [b'u', digit, ..] if *digit != b'{') && read(rest).is_some()
    })
}

/// Decodes numeric escapes; `\n` and the like are unchanged.
pub(super) fn decode(value: &[u8]) -> Option<Vec<u8>> {
    replace(value, memchr::memchr_iter(b'\\', value), |rest| {
        read(&rest[1..]).map(|(letter, length)| (utf8(letter), length + 1))
    })
}

/// The character of an escape, and its length after the backslash.
fn read(rest: &[u8]) -> Option<(char, usize)> {
    match rest.first()? {
        b'u' if rest.get(1) == Some(&b'{') => braced(rest),
        b'u' | b'U' => Some((char::from_u32(hex_word(rest.get(1..5)?)?.into())?, 5)),
        b'x' | b'X' => {
            Some((char::from(hex_byte(rest.get(1..3)?)?), 3)).filter(|(letter, _)| letter.is_ascii())
        }
        b'0' | b'1' => octal(rest.get(..3)?),
        _ => None,
    }
}

/// Three digits that encode a printable character.
fn octal(digits: &[u8]) -> Option<(char, usize)> {
    let code = digits
        .iter()
        .try_fold(0, |code, digit| matches!(digit, b'0'..=b'7').then(|| code * 8 + (digit - b'0')))?;
    (code >= b' ').then_some((char::from(code), 3))
}

fn braced(rest: &[u8]) -> Option<(char, usize)> {
    let end = rest.iter().take(10).position(|&byte| byte == b'}')?;
    let digits = std::str::from_utf8(rest.get(2..end)?).ok()?;
    Some((char::from_u32(u32::from_str_radix(digits, 16).ok()?)?, end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(value: &str) -> Option<String> {
        decode(value.as_bytes()).map(|it| String::from_utf8_lossy(&it).into_owned())
    }

    #[test]
    fn numeric_escapes_are_decoded() {
        assert_eq!(read_all(r"\u003cb\x3e\u{27}").as_deref(), Some("<b>'"));
        assert_eq!(read_all(r"\047\040\157r").as_deref(), Some("' or"));
    }

    #[test]
    fn windows_paths_and_other_escapes_are_unchanged() {
        assert_eq!(read_all(r"C:\users\new\x"), None);
        assert_eq!(read_all(r"\033[0m \000 \08 \19x \1"), None);
    }
}
