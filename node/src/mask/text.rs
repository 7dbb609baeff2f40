//! Secrets in any text, by their form: numbers of payment cards, signatures of JSON web tokens, bearer
//! tokens, and private keys.

use super::MASK;
use regex::{Captures, Regex};
use std::{borrow::Cow, sync::LazyLock};

/// Visible digits at the end of a card number, as PCI DSS permits.
const VISIBLE: usize = 4;

/// Digits around a number are checked: a pattern cannot look around.
static CARD: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"3[47](?:[ -]?[0-9]){13}|(?:4[0-9]|5[0-9]|2[2-7]|35|6[0245])(?:[ -]?[0-9]){14}")
        .expect("a valid pattern")
});
/// A header in base64url, which begins with a brace, and all but the signature.
static TOKEN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(ey[JA][A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.)[A-Za-z0-9_-]{16,}(?:\.[A-Za-z0-9_-]{8,}){0,2}",
    )
    .expect("a valid pattern")
});
static BEARER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(bearer(?: |\+|%20|:|=)+)([a-z0-9_~/+.=-]{8,})").expect("a valid pattern")
});
static PRIVATE_KEY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?s)(-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----).*?(-----END|\z)")
        .expect("a valid pattern")
});
/// A longer word after `bearer` is a token, also without a digit.
const MIN_TOKEN: usize = 24;

/// The text without the digits of card numbers, but the last four, without signatures of tokens, bearer
/// tokens and private keys.
pub(super) fn mask(text: &str) -> Cow<'_, str> {
    let text = TOKEN.replace_all(text, format!("${{1}}{MASK}"));
    let text = replaced(text, |text| BEARER.replace_all(text, bearer));
    let text = replaced(text, |text| PRIVATE_KEY.replace_all(text, format!("${{1}}{MASK}${{2}}")));
    replaced(text, mask_cards)
}

fn replaced(text: Cow<'_, str>, mask: impl Fn(&str) -> Cow<'_, str>) -> Cow<'_, str> {
    match mask(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(masked) => Cow::Owned(masked),
    }
}

/// Of a JSON web token, only the signature is masked.
fn bearer(found: &Captures<'_>) -> String {
    let (start, token) = (&found[1], &found[2]);
    let is_token = token.len() >= MIN_TOKEN || token.bytes().any(|byte| byte.is_ascii_digit());
    let is_web_token = token.starts_with("ey") && token.contains('.');
    if is_token && !is_web_token { format!("{start}{MASK}") } else { found[0].to_owned() }
}

fn mask_cards(text: &str) -> Cow<'_, str> {
    let is_digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    let (mut masked, mut copied, mut at) = (String::new(), 0, 0);
    while let Some(found) = CARD.find_at(text, at) {
        let is_inside =
            is_digit(text.as_bytes()[..found.start()].last()) || is_digit(text.as_bytes().get(found.end()));
        // Another number may begin inside of this one.
        at = found.start() + 1;
        if !is_inside && is_card(found.as_str()) {
            masked.push_str(&text[copied..found.start()]);
            masked.push_str(&card_digits(found.as_str()));
            (at, copied) = (found.end(), found.end());
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    masked.push_str(&text[copied..]);
    Cow::Owned(masked)
}

/// Zeros after the first digit, so that a number stays a number.
fn card_digits(number: &str) -> String {
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
    fn masks_secrets_by_their_form() {
        const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.";
        const SIGNATURE: &str = "c2lnbmF0dXJlLW9mLXRva2Vu";
        for (text, masked) in [
            ("card=4111111111111111&x", "card=4000000000001111&x"),
            ("card4111111111111111", "card4000000000001111"),
            ("4111111111111111,4111111111111111x", "4000000000001111,4000000000001111x"),
            ("card_4111111111111111é", "card_4000000000001111é"),
            ("4111 1111 1111 1111", "4000 0000 0000 1111"),
            ("5500-0000-0000-0004", "5000-0000-0000-0004"),
            (r#"{"n":378282246310005}"#, r#"{"n":300000000000005}"#),
            ("Bearer 9f8e7d6c5b4a", "Bearer ***"),
            ("authorization: bearer%20abcdefghijklmnopqrstuvwxyz", "authorization: bearer%20***"),
            ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END", "-----BEGIN RSA PRIVATE KEY-----***-----END"),
        ] {
            assert_eq!(mask(text), masked, "{text}");
        }
        for before in ["t=", "/login/", "token_", "Bearer "] {
            assert_eq!(mask(&format!("{before}{TOKEN}{SIGNATURE}/x")), format!("{before}{TOKEN}***/x"));
        }
        assert_eq!(mask(&format!("{TOKEN}{SIGNATURE}.{SIGNATURE}.{SIGNATURE}")), format!("{TOKEN}***"));
    }

    #[test]
    fn keeps_other_numbers_and_words() {
        for text in [
            "4111111111111112",
            "14111111111111111",
            "41111111111111111",
            "1688384157589",
            "id=9876543210123456",
            "2026-01-01T00:00:00Z",
            "eyJ only",
            "bearer certificates",
            "the bearer of this",
            "-----BEGIN PUBLIC KEY-----MIIE",
        ] {
            assert_eq!(mask(text), text);
        }
    }

    #[test]
    fn digits_are_searched_in_linear_time() {
        for text in ["4".repeat(500_000), "4 ".repeat(250_000), "4111111111111111".repeat(30_000)] {
            assert_eq!(mask(&text), text);
        }
    }
}
