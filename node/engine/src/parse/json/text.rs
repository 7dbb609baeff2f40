//! JSON strings: the text of a literal, its escapes decoded.

use std::borrow::Cow;

/// The content of a string literal with its escapes decoded.
pub(in crate::parse) fn unescaped(inside: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(inside.len());
    let mut at = 0;
    while let Some(&byte) = inside.get(at) {
        at += 1;
        if byte == b'\\' {
            at = read_escape(inside, at, &mut text);
        } else {
            text.push(byte);
        }
    }
    text
}

/// Reads a string from after its opening quote: its text, its end, and whether it is closed.
pub(super) fn read_string(bytes: &[u8], start: usize) -> (Cow<'_, [u8]>, usize, bool) {
    let Some(stop) = memchr::memchr2(b'"', b'\\', &bytes[start..]) else {
        return (Cow::Borrowed(&bytes[start..]), bytes.len(), false);
    };
    if bytes[start + stop] == b'"' {
        return (Cow::Borrowed(&bytes[start..start + stop]), start + stop + 1, true);
    }
    // Escapes are dense where they occur at all, so the string is longer than its part before the first.
    let mut text = Vec::with_capacity((2 * stop + 64).min(bytes.len() - start));
    let mut at = start;
    loop {
        let Some(stop) = memchr::memchr2(b'"', b'\\', &bytes[at..]) else {
            text.extend_from_slice(&bytes[at..]);
            return (Cow::Owned(text), bytes.len(), false);
        };
        text.extend_from_slice(&bytes[at..at + stop]);
        at += stop + 1;
        if bytes[at - 1] == b'"' {
            return (Cow::Owned(text), at, true);
        }
        at = read_escape(bytes, at, &mut text);
        // In nested JSON escapes follow each other: searching for each would cost more than reading it.
        while bytes.get(at) == Some(&b'\\') {
            at = read_escape(bytes, at + 1, &mut text);
        }
    }
}

/// Decodes an escape from after its backslash; returns its end.
fn read_escape(bytes: &[u8], at: usize, text: &mut Vec<u8>) -> usize {
    let Some(&byte) = bytes.get(at) else { return at };
    match byte {
        b'n' => text.push(b'\n'),
        b'r' => text.push(b'\r'),
        b't' => text.push(b'\t'),
        b'b' => text.push(8),
        b'f' => text.push(12),
        b'u' => return read_unicode(bytes, at + 1, text),
        other => text.push(other),
    }
    at + 1
}

fn read_unicode(bytes: &[u8], at: usize, text: &mut Vec<u8>) -> usize {
    let Some(high) = hex4(bytes, at) else { return at };
    let low = if bytes.get(at + 4..at + 6) == Some(b"\\u") { hex4(bytes, at + 6) } else { None };
    let pair = low.and_then(|low| char::decode_utf16([high, low]).next()?.ok().filter(|it| *it > '\u{ffff}'));
    let single = char::from_u32(u32::from(high)).unwrap_or(char::REPLACEMENT_CHARACTER);
    let mut buffer = [0; 4];
    text.extend_from_slice(pair.unwrap_or(single).encode_utf8(&mut buffer).as_bytes());
    if pair.is_some() { at + 10 } else { at + 4 }
}

fn hex4(bytes: &[u8], at: usize) -> Option<u16> {
    let digits = std::str::from_utf8(bytes.get(at..at + 4)?).ok()?;
    u16::from_str_radix(digits, 16).ok()
}
