//! Secrets in any text, by their form: numbers of payment cards, signatures of JSON web tokens, bearer
//! tokens, and private keys.

use super::MASK;
use regex::{Captures, Regex};
use std::{borrow::Cow, sync::LazyLock};

/// Visible digits at the end of a card number, as PCI DSS permits.
const VISIBLE: usize = 4;

/// Blanks and punctuation between groups of digits, also percent-encoded.
const BETWEEN: &str = r"(?:[ _./·•+\-\u{a0}\u{ad}\u{1680}\u{180e}\u{2000}-\u{2015}\u{2022}\u{202f}\u{2043}\u{205f}\u{2060}\u{2212}\u{2e3a}\u{2e3b}\u{3000}\u{fe58}\u{fe63}\u{feff}\u{ff0d}]{1,3}|(?:%[0-9A-Fa-f]{2}){1,3})";
/// Digits around a number are checked: a pattern cannot look around.
static CARD: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(&format!(
        "3[47](?:[ -]?[0-9]){{13}}|(?:4[0-9]|5[0-9]|2[2-7]|35|6[0245])(?:[ -]?[0-9]){{14}}\
         |3[47][0-9]{{2}}{BETWEEN}[0-9]{{6}}{BETWEEN}[0-9]{{5}}\
         |(?:4[0-9]|5[0-9]|2[2-7]|35|6[0245])[0-9]{{2}}(?:{BETWEEN}[0-9]{{4}}){{3}}"
    ))
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
    Regex::new(r#"(?i)\b(bearer(?:\s|\\[nrt]|[+:="']|%(?:20|09|0a|0d))+)([a-z0-9_~/+.=-]{8,})"#)
        .expect("a valid pattern")
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
        if is_inside {
            continue;
        }
        let digits = digits(found.as_str());
        if has_one_separator(found.as_str(), &digits) && is_card(&digits) {
            masked.push_str(&text[copied..found.start()]);
            masked.push_str(&masked_card(found.as_str(), &digits));
            (at, copied) = (found.end(), found.end());
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    masked.push_str(&text[copied..]);
    Cow::Owned(masked)
}

/// The digits of a number and their places, without those of percent-encoded bytes.
fn digits(number: &str) -> Vec<(usize, u8)> {
    let mut digits = Vec::with_capacity(16);
    let mut at = 0;
    for (place, byte) in number.bytes().enumerate() {
        if place < at {
            continue;
        }
        if byte.is_ascii_digit() {
            digits.push((place, byte - b'0'));
        }
        at = place + if byte == b'%' { 3 } else { 1 };
    }
    digits
}

/// Whether all groups have the same separator, or those of plain numbers: a blank, a hyphen or none.
fn has_one_separator(number: &str, digits: &[(usize, u8)]) -> bool {
    let between = digits.iter().zip(digits.iter().skip(1));
    let mut separators = between.filter_map(|((one, _), (next, _))| number.get(one + 1..*next));
    let is_plain = |it: &str| matches!(it, "" | " " | "-");
    let Some(first) = separators.clone().find(|it| !is_plain(it)) else { return true };
    separators.all(|it| it.is_empty() || it == first)
}

/// Zeros after the first digit, so that a number stays a number.
fn masked_card(number: &str, digits: &[(usize, u8)]) -> String {
    let hidden = digits.iter().take(digits.len().saturating_sub(VISIBLE)).skip(1);
    let mut masked = number.as_bytes().to_vec();
    for (place, _) in hidden {
        masked[*place] = b'0';
    }
    String::from_utf8(masked).unwrap_or_default()
}

/// Luhn's check digit (ISO/IEC 7812-1).
fn is_card(digits: &[(usize, u8)]) -> bool {
    let doubled = |(at, (_, digit)): (usize, &(usize, u8))| {
        let digit = u32::from(*digit);
        if at % 2 == 1 { digit * 2 / 10 + digit * 2 % 10 } else { digit }
    };
    digits.iter().rev().enumerate().map(doubled).sum::<u32>() % 10 == 0
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
            ("4111.1111.1111.1111", "4000.0000.0000.1111"),
            ("4111_1111_1111_1111", "4000_0000_0000_1111"),
            ("4111/1111/1111/1111", "4000/0000/0000/1111"),
            ("4111 - 1111 - 1111 - 1111", "4000 - 0000 - 0000 - 1111"),
            ("4111\u{a0}1111\u{a0}1111\u{a0}1111", "4000\u{a0}0000\u{a0}0000\u{a0}1111"),
            ("4111\u{202f}1111\u{202f}1111\u{202f}1111", "4000\u{202f}0000\u{202f}0000\u{202f}1111"),
            ("4111\u{2011}1111\u{2011}1111\u{2011}1111", "4000\u{2011}0000\u{2011}0000\u{2011}1111"),
            ("4111\u{2212}1111\u{2212}1111\u{2212}1111", "4000\u{2212}0000\u{2212}0000\u{2212}1111"),
            ("4111%201111%201111%201111", "4000%200000%200000%201111"),
            ("4111%C2%A01111%C2%A01111%C2%A01111", "4000%C2%A00000%C2%A00000%C2%A01111"),
            ("3782.822463.10005", "3000.000000.00005"),
            ("Bearer 9f8e7d6c5b4a", "Bearer ***"),
            ("Bearer\n9f8e7d6c5b4a", "Bearer\n***"),
            ("Bearer\t9f8e7d6c5b4a", "Bearer\t***"),
            ("Bearer\\r\\n 9f8e7d6c5b4a", "Bearer\\r\\n ***"),
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
            "4111.1111.1111.1112",
            "4111.1111/1111.1111",
            "41.111.111.1111.1111",
            "4111, 1111, 1111, 1111",
            "4111\n1111\n1111\n1111",
            "4.1 1.1 1.1 1.1 1.1 1.1 1.1 1.1",
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
