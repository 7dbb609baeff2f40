//! Percent-decoder: `%41`, `%u0041`, and `+` for a space in forms.

use super::{replace, utf8};
use std::{array::IntoIter, iter::Take};

pub(crate) const NAME: &str = "percent";

/// Percent-decodes once. A bare `%` is kept: origins accept it, so a payload may rely on it.
pub(crate) fn decode(value: &[u8]) -> Option<Vec<u8>> {
    replace(value, memchr::memchr_iter(b'%', value), escape)
}

/// [`decode`] for queries and forms, where `+` is a space.
pub(crate) fn decode_form(value: &[u8]) -> Option<Vec<u8>> {
    replace(value, memchr::memchr2_iter(b'%', b'+', value), |rest| match rest {
        [b'+', ..] => Some((utf8(' '), 1)),
        _ => escape(rest),
    })
}

/// The bytes of the escape at the start of `rest`, and its length.
fn escape(rest: &[u8]) -> Option<(Take<IntoIter<u8, 4>>, usize)> {
    if let Some(byte) = rest.get(1..3).and_then(hex_byte) {
        return Some(([byte, 0, 0, 0].into_iter().take(1), 3));
    }
    let is_wide = matches!(rest.get(1), Some(b'u' | b'U'));
    let code = rest.get(2..6).filter(|_| is_wide).and_then(hex_word)?;
    Some((utf8(char::from_u32(u32::from(code)).unwrap_or(char::REPLACEMENT_CHARACTER)), 6))
}

/// Two hex digits as a byte.
pub(crate) fn hex_byte(digits: &[u8]) -> Option<u8> {
    let [high, low] = digits else { return None };
    Some(hex_digit(*high)? << 4 | hex_digit(*low)?)
}

/// Four hex digits as a number.
pub(super) fn hex_word(digits: &[u8]) -> Option<u16> {
    let (high, low) = digits.split_at_checked(2)?;
    Some(u16::from(hex_byte(high)?) << 8 | u16::from(hex_byte(low)?))
}

fn hex_digit(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(value: &str) -> Option<String> {
        decode_form(value.as_bytes()).map(|it| String::from_utf8_lossy(&it).into_owned())
    }

    #[test]
    fn escapes_of_both_notations_are_decoded() {
        assert_eq!(form("%27%u0027+%3C").as_deref(), Some("'' <"));
    }

    #[test]
    fn a_bare_percent_sign_is_unchanged() {
        assert_eq!(form("100%"), None);
        assert_eq!(form("%zz%4").as_deref(), None);
        assert_eq!(form("%%32%66").as_deref(), Some("%2f"));
    }

    #[test]
    fn plus_is_a_space_in_forms_only() {
        assert_eq!(form("a+b").as_deref(), Some("a b"));
        assert_eq!(decode(b"a+b"), None);
    }
}
