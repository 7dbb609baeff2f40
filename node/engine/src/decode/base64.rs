//! Base64 of both alphabets, padded or not. Taken only when what comes out is text, or compressed.

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use super::inflate;
use crate::prefilter::Bytes;

pub(crate) const NAME: &str = "base64";

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// Shorter values are words that happen to decode.
const MIN_LENGTH: usize = 8;
/// So many letters of words and ids hardly ever mean text. Of fewer it takes more: they must spell marks, too.
const SURE_LENGTH: usize = 12;

/// Of a data URL twice as many bytes are looked at as they stand.
const KEPT: usize = 512;

/// Whether a value of these bytes can be base64. What is not of its alphabets comes with a label and a comma.
pub(crate) fn is_possible(bytes: Bytes) -> bool {
    let foreign = Bytes::PERCENT
        .or(Bytes::AMPERSAND)
        .or(Bytes::BACKSLASH)
        .or(Bytes::DOT)
        .or(Bytes::COLON)
        .or(Bytes::OPEN_TAG);
    let foreign = foreign
        .or(Bytes::OPEN_BRACE)
        .or(Bytes::OPEN_PAREN)
        .or(Bytes::OPEN_BRACKET)
        .or(Bytes::HASH)
        .or(Bytes::AT);
    bytes.has(Bytes::COMMA) || !bytes.has(foreign.or(Bytes::INVISIBLE).or(Bytes::HIGH))
}

/// A data URL of a long file, cut short: the letters of base64 say something only when they are decoded.
pub(crate) fn shortened(value: &[u8]) -> &[u8] {
    const LABEL: &[u8] = b";base64,";
    if value.len() < 2 * KEPT || !value.starts_with(b"data:") {
        return value;
    }
    let Some(label) = memchr::memmem::find(&value[..KEPT], LABEL) else { return value };
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    if value[label + LABEL.len()..].iter().all(is_letter) { &value[..2 * KEPT] } else { value }
}

/// The text (or the compressed data) inside, when the value is base64 or ends in it: `Basic …`, `data:…;base64,…`.
pub(crate) fn decode(value: &[u8]) -> Option<Vec<u8>> {
    let encoded = encoded_part(value)?;
    let engine = if memchr::memchr2(b'-', b'_', encoded).is_some() { &URL_SAFE } else { &STANDARD };
    if !begins_well(letters(encoded), engine) {
        return None;
    }
    let joined: Vec<u8> = letters(encoded).collect();
    engine.decode(joined).ok().filter(|inside| is_text(inside) || inflate::is_compressed(inside))
}

/// Without line breaks. Forms turn the `+` of the alphabet into a space.
fn letters(encoded: &[u8]) -> impl Iterator<Item = u8> {
    let plus = |&byte: &u8| if byte == b' ' { b'+' } else { byte };
    encoded.iter().filter(|byte| !matches!(byte, b'\r' | b'\n')).map(plus)
}

/// Words and ids are told from base64 by what their first letters would mean, most of them.
fn begins_well(encoded: impl Iterator<Item = u8>, engine: &GeneralPurpose) -> bool {
    let (mut first, mut inside) = ([0; SURE_LENGTH], [0; SURE_LENGTH]);
    let count = encoded.zip(&mut first).map(|(byte, letter)| *letter = byte).count();
    let is_short = count < SURE_LENGTH;
    if is_short && !begins_ascii(first[0]) {
        return false;
    }
    let Ok(length) = engine.decode_slice(&first[..count], &mut inside) else { return false };
    let inside = &inside[..length];
    if is_short {
        let is_printed = |byte: &u8| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n');
        let is_mark = |byte: &u8| byte.is_ascii_punctuation();
        return inside.iter().all(is_printed) && inside.iter().any(is_mark);
    }
    // A character may be cut at the end.
    let is_text = std::str::from_utf8(inside).map_or_else(|error| error.error_len().is_none(), |_| true);
    is_text && !inside.iter().any(|&byte| byte.is_ascii() && is_odd(char::from(byte)))
        || inflate::is_compressed(inside)
}

/// Whether text in ASCII may begin with this letter of base64.
fn begins_ascii(letter: u8) -> bool {
    matches!(letter, b'C' | b'D' | b'I'..=b'Z' | b'a'..=b'f')
}

fn encoded_part(value: &[u8]) -> Option<&[u8]> {
    let value = value.trim_ascii();
    let label = memchr::memchr(b',', value).and_then(|_| memchr::memmem::find(value, b"base64,"));
    let start = match label {
        Some(at) => at + 7,
        None if value.len() > 6 && value[..6].eq_ignore_ascii_case(b"basic ") => 6,
        None => 0,
    };
    let encoded = value[start..].trim_ascii();
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/-_= \r\n".contains(byte);
    (encoded.len() >= MIN_LENGTH && encoded.iter().all(fits)).then_some(encoded)
}

/// Printable UTF-8. Random bytes pass this about never.
fn is_text(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| !text.is_empty() && !text.contains(is_odd))
}

fn is_odd(letter: char) -> bool {
    letter.is_control() && !matches!(letter, '\t' | '\n' | '\r' | '\0')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Option<String> {
        decode(value.as_bytes()).map(|it| String::from_utf8_lossy(&it).into_owned())
    }

    #[test]
    fn both_alphabets_are_read_with_and_without_padding() {
        assert_eq!(read("PHNjcmlwdD4/Pz8+fn4=").as_deref(), Some("<script>???>~~"));
        assert_eq!(read("PHNjcmlwdD4_Pz8-fn4").as_deref(), Some("<script>???>~~"));
        assert_eq!(read("PHNjcmlwdD4/Pz8 fn4=").as_deref(), Some("<script>???>~~"));
    }

    #[test]
    fn credentials_and_data_urls_are_read() {
        assert_eq!(read("Basic YWRtaW46c2VjcmV0").as_deref(), Some("admin:secret"));
        assert_eq!(read("data:text/html;base64,PHNjcmlwdD4=").as_deref(), Some("<script>"));
    }

    #[test]
    fn short_text_is_read_when_it_holds_marks() {
        assert_eq!(read("O2xzOw==").as_deref(), Some(";ls;"));
        assert_eq!(read("JyBvciAxPTE").as_deref(), Some("' or 1=1"));
        assert_eq!(read("aGVsbG8h").as_deref(), Some("hello!"));
        assert_eq!(read("aGVsbG9h"), None);
    }

    #[test]
    fn words_and_tokens_are_not_base64() {
        for text in [
            "administrator",
            "shortone",
            "JanMayen",
            "password",
            "Sep2026x",
            "5f4dcc3b5aa765d61d8327deb882cf99",
            "two words of prose",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
