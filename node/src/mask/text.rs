//! Secrets in any text, by their form: numbers of payment cards, and signatures of JSON web tokens.

use super::MASK;
use regex::Regex;
use std::{borrow::Cow, sync::LazyLock};

/// Visible digits at the end of a card number, as PCI DSS permits.
const VISIBLE: usize = 4;

static CARD: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\b(?:3[47](?:[ -]?\d){13}|(?:4\d|5\d|2[2-7]|35|6[0245])(?:[ -]?\d){14})\b")
        .expect("a valid pattern")
});
static TOKEN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\b(eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.)[A-Za-z0-9_-]{16,}").expect("a valid pattern")
});

/// The text without the digits of card numbers, but the last four, and without signatures of tokens.
pub(super) fn mask(text: &str) -> Cow<'_, str> {
    let without_signatures = TOKEN.replace_all(text, format!("${{1}}{MASK}"));
    match CARD.replace_all(&without_signatures, |found: &regex::Captures<'_>| card_digits(&found[0])) {
        Cow::Borrowed(_) => without_signatures,
        Cow::Owned(masked) => Cow::Owned(masked),
    }
}

/// Zeros after the first digit, so that a number stays a number.
fn card_digits(number: &str) -> String {
    if !is_card(number) {
        return number.to_owned();
    }
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    let mut at = 0;
    let mask = |letter: char| {
        at += usize::from(letter.is_ascii_digit());
        if letter.is_ascii_digit() && at > 1 && at + VISIBLE <= digits { '0' } else { letter }
    };
    number.chars().map(mask).collect()
}

/// Luhn's check digit (ISO/IEC 7812-1).
fn is_card(number: &str) -> bool {
    let digits = number.bytes().rev().filter(u8::is_ascii_digit).map(|digit| u32::from(digit - b'0'));
    let doubled =
        |(at, digit): (usize, u32)| if at % 2 == 1 { digit * 2 / 10 + digit * 2 % 10 } else { digit };
    digits.enumerate().map(doubled).sum::<u32>() % 10 == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_card_numbers_and_signatures_of_tokens() {
        for (text, masked) in [
            ("card=4111111111111111&x", "card=4000000000001111&x"),
            ("4111 1111 1111 1111", "4000 0000 0000 1111"),
            ("5500-0000-0000-0004", "5000-0000-0000-0004"),
            (r#"{"n":378282246310005}"#, r#"{"n":300000000000005}"#),
            (
                "t=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJlLW9mLXRva2Vu",
                "t=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.***",
            ),
        ] {
            assert_eq!(mask(text), masked, "{text}");
        }
    }

    #[test]
    fn keeps_other_numbers() {
        for text in
            ["4111111111111112", "1688384157589", "id=9876543210123456", "2026-01-01T00:00:00Z", "eyJ only"]
        {
            assert_eq!(mask(text), text);
        }
    }
}
