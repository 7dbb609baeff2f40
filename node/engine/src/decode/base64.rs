//! Base64 decoder, for both alphabets, with or without padding. Accepts only text and compressed
//! data as results.

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

/// Shorter values are words that decode by chance.
const MIN_LENGTH: usize = 8;
/// Words and ids of this length rarely decode to text by chance. Shorter values must also contain
/// punctuation.
const SURE_LENGTH: usize = 12;

/// Half the number of undecoded bytes of a data URL that are inspected.
const KEPT: usize = 512;

/// Whether a value of these bytes can be base64. Bytes outside its alphabets occur only in a label
/// before a comma.
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

/// The start of a long data URL: undecoded base64 need not be inspected.
pub(crate) fn shortened(value: &[u8]) -> &[u8] {
    if is_data_url(value) { &value[..2 * KEPT] } else { value }
}

/// Whether a value is a long data URL with nothing but the letters of base64 after its label.
pub(crate) fn is_data_url(value: &[u8]) -> bool {
    const LABEL: &[u8] = b";base64,";
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() | matches!(byte, b'+' | b'/' | b'=');
    value.len() >= 2 * KEPT
        && value.starts_with(b"data:")
        && memchr::memmem::find(&value[..KEPT], LABEL)
            .is_some_and(|label| all(&value[label + LABEL.len()..], is_letter))
}

/// Whether all bytes are wanted ones, by blocks, which the compiler turns into vector instructions.
fn all(bytes: &[u8], is_wanted: impl Fn(u8) -> bool) -> bool {
    bytes.chunks(64).all(|block| block.iter().fold(true, |all, &byte| all & is_wanted(byte)))
}

/// The decoded text or compressed data, if the value is base64 or ends in it: `Basic …`,
/// `data:…;base64,…`.
pub(crate) fn decode(value: &[u8]) -> Option<Vec<u8>> {
    let encoded = encoded_part(value)?;
    let engine = if memchr::memchr2(b'-', b'_', encoded).is_some() { &URL_SAFE } else { &STANDARD };
    if !starts_with_text(letters(encoded), engine) {
        return None;
    }
    let mut joined: Vec<u8> = letters(encoded).collect();
    drop_incomplete(&mut joined);
    engine.decode(joined).ok().filter(|inside| is_text(inside) || inflate::is_compressed(inside))
}

/// The decoded data of a value that is declared as base64: other bytes than its letters are skipped,
/// and each padding ends a part (gRPC-Web, MIME).
pub(crate) fn decode_declared(value: &[u8]) -> Option<Vec<u8>> {
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let mut data = Vec::with_capacity(value.len() / 4 * 3);
    for part in value.split(|&byte| byte == b'=') {
        let mut letters: Vec<u8> = part.iter().copied().filter(is_letter).collect();
        drop_incomplete(&mut letters);
        STANDARD.decode_vec(letters, &mut data).ok()?;
    }
    (!data.is_empty()).then_some(data)
}

/// Drops a single letter after whole groups, which has too few bits, as lenient decoders do. Truncated
/// values end in one.
fn drop_incomplete(letters: &mut Vec<u8>) {
    letters.truncate(letters.len() - usize::from(letters.len() % 4 == 1));
}

/// The encoded bytes without line breaks. Form decoding turns the `+` of the alphabet into a space.
fn letters(encoded: &[u8]) -> impl Iterator<Item = u8> {
    let plus = |&byte: &u8| if byte == b' ' { b'+' } else { byte };
    encoded.iter().filter(|byte| !matches!(byte, b'\r' | b'\n')).map(plus)
}

/// Whether the first letters decode to text: rejects most words and ids cheaply.
fn starts_with_text(encoded: impl Iterator<Item = u8>, engine: &GeneralPurpose) -> bool {
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
    // The last character may be truncated.
    let is_text = std::str::from_utf8(inside).map_or_else(|error| error.error_len().is_none(), |_| true);
    is_text && !inside.iter().any(|&byte| byte.is_ascii() && is_odd(char::from(byte)))
        || inflate::is_compressed(inside)
}

/// Whether base64 of ASCII text can start with this letter.
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
    // Lenient decoders ignore padding, also too much of it.
    let encoded = value[start..].trim_ascii();
    let padding = encoded.iter().rev().take_while(|byte| **byte == b'=').count();
    let encoded = &encoded[..encoded.len() - padding];
    let fits = |byte: u8| {
        byte.is_ascii_alphanumeric() | matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=' | b' ' | b'\r' | b'\n')
    };
    (encoded.len() + padding >= MIN_LENGTH && all(encoded, fits)).then_some(encoded)
}

/// Whether the bytes are printable UTF-8, which random bytes practically never are.
pub(crate) fn is_text(bytes: &[u8]) -> bool {
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
    fn both_alphabets_are_decoded_with_and_without_padding() {
        assert_eq!(read("PHNjcmlwdD4/Pz8+fn4=").as_deref(), Some("<script>???>~~"));
        assert_eq!(read("PHNjcmlwdD4_Pz8-fn4").as_deref(), Some("<script>???>~~"));
        assert_eq!(read("PHNjcmlwdD4/Pz8 fn4=").as_deref(), Some("<script>???>~~"));
        assert_eq!(read("PHNjcmlwdD4=====").as_deref(), Some("<script>"));
    }

    #[test]
    fn a_single_letter_at_the_end_is_dropped() {
        assert_eq!(read("JyBvciAxPTEgLS0gQ").as_deref(), Some("' or 1=1 -- "));
        assert_eq!(read("QWxpY2UncyBnYXJkZ"), Some("Alice's gard".to_owned()));
        assert_eq!(read("internationalization1"), None);
    }

    #[test]
    fn credentials_and_data_urls_are_decoded() {
        assert_eq!(read("Basic YWRtaW46c2VjcmV0").as_deref(), Some("admin:secret"));
        assert_eq!(read("data:text/html;base64,PHNjcmlwdD4=").as_deref(), Some("<script>"));
    }

    #[test]
    fn short_text_is_decoded_if_it_contains_punctuation() {
        assert_eq!(read("O2xzOw==").as_deref(), Some(";ls;"));
        assert_eq!(read("JyBvciAxPTE").as_deref(), Some("' or 1=1"));
        assert_eq!(read("aGVsbG8h").as_deref(), Some("hello!"));
        assert_eq!(read("aGVsbG9h"), None);
    }

    #[test]
    fn words_and_ids_are_not_decoded() {
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
