//! Hex decoder. Hashes and ids are hex, too, so the result must be text with punctuation or spaces.

use super::percent::hex_byte;

pub(crate) const NAME: &str = "hex";

/// Shorter values are numbers.
const MIN_DIGITS: usize = 8;
/// Fewer digits are an id or a date, unless they also encode part of a word.
const SURE_DIGITS: usize = 12;

/// The text encoded by a value of hex digits, optionally after `0x`.
pub(crate) fn decode(value: &[u8]) -> Option<Vec<u8>> {
    let digits = value.strip_prefix(b"0x").or(value.strip_prefix(b"0X")).unwrap_or(value);
    let is_hex = digits.len() >= MIN_DIGITS && digits.iter().all(u8::is_ascii_hexdigit);
    let (pairs, odd) = digits.as_chunks::<2>();
    if !is_hex || !odd.is_empty() {
        return None;
    }
    let text = || pairs.iter().filter_map(|pair| hex_byte(pair));
    let printable = |byte: u8| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n');
    let is_text = text().all(printable) && !text().all(|byte| byte.is_ascii_alphanumeric());
    let contains_word = || {
        text().zip(text().skip(1)).any(|(one, next)| one.is_ascii_lowercase() && next.is_ascii_lowercase())
    };
    (is_text && (digits.len() >= SURE_DIGITS || contains_word())).then(|| text().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_text_is_decoded() {
        assert_eq!(decode(b"3c7363726970743e").as_deref(), Some(b"<script>".as_slice()));
        assert_eq!(decode(b"0x2e2e2f2e2e2f").as_deref(), Some(b"../../".as_slice()));
        assert_eq!(decode(b"3b6c733b").as_deref(), Some(b";ls;".as_slice()));
    }

    #[test]
    fn hashes_and_numbers_are_unchanged() {
        for text in [
            "5f4dcc3b5aa765d61d8327deb882cf99",
            "202020202020202",
            "0x41",
            "616263646566",
            "20261122",
            "503b2657",
        ] {
            assert_eq!(decode(text.as_bytes()), None, "{text}");
        }
    }
}
