//! The URL encoding of values in logs.
//!
//! CloudFront writes the bytes 0–32, 127 and above, and ``<>"#%{}|\^~[]`'`` as `%XX`. As `%` is one
//! of them, a value that is percent-encoded already, such as a query, appears encoded twice; one
//! decoding yields the value that the visitor sent.

use memchr::memchr;
use std::borrow::Cow;

/// Decodes a value once. Bytes that are not UTF-8 are read as ISO-8859-1, as CloudFront does it for
/// functions. A `%` without two hex digits stays.
pub fn decode(value: &str) -> Cow<'_, str> {
    let Some(first) = memchr(b'%', value.as_bytes()) else { return Cow::Borrowed(value) };
    // Encoded values contain none of these: this one is logged as it is.
    if value.bytes().any(|byte| byte == b' ' || byte == b'"' || byte >= 0x80) {
        return Cow::Borrowed(value);
    }
    let bytes = value.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    decoded.extend_from_slice(&bytes[..first]);
    let mut rest = &bytes[first..];
    while let [byte, tail @ ..] = rest {
        let escaped = match rest {
            [b'%', high, low, ..] => digit(*high).zip(digit(*low)),
            _ => None,
        };
        decoded.push(escaped.map_or(*byte, |(high, low)| high << 4 | low));
        rest = if escaped.is_some() { &rest[3..] } else { tail };
    }
    Cow::Owned(text(decoded))
}

/// UTF-8, or else ISO-8859-1.
fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| error.into_bytes().into_iter().map(char::from).collect())
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
