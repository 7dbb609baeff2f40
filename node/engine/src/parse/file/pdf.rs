//! Metadata of PDF documents: the strings of the information dictionary (ISO 32000-1, section
//! 14.3.3). That of a document with compressed objects is not read.

use super::Text;
use crate::decode::{charset, percent::hex_byte};
use memchr::memmem;

const KEYS: [&[u8]; 6] = [b"Title", b"Author", b"Subject", b"Keywords", b"Creator", b"Producer"];
/// The longest dictionary that is read.
const MAX_DICTIONARY: usize = 16 << 10;

pub(super) fn is_supported(value: &[u8]) -> bool {
    value.starts_with(b"%PDF-")
}

pub(super) fn texts(value: &[u8]) -> Vec<Text> {
    let Some(dictionary) = dictionary(value) else { return Vec::new() };
    let text = |key: &[u8]| {
        let at = memmem::find(dictionary, &[b"/", key].concat())? + 1 + key.len();
        string(dictionary[at..].trim_ascii_start()).map(|text| Text::new(key, &text))
    };
    KEYS.into_iter().filter_map(text).collect()
}

/// The dictionary to which `/Info 7 0 R` of the last trailer refers.
fn dictionary(value: &[u8]) -> Option<&[u8]> {
    let at = memmem::rfind(value, b"/Info")? + b"/Info".len();
    let mut words = value[at..].split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let (number, generation) = (words.next()?, words.next()?);
    let is_number = |word: &[u8]| word.len() <= 10 && word.iter().all(u8::is_ascii_digit);
    if !is_number(number) || !is_number(generation) {
        return None;
    }
    let object = [number, b" ", generation, b" obj"].concat();
    let starts_line = |at: &usize| *at == 0 || value[at - 1].is_ascii_whitespace();
    let start = memmem::find_iter(value, &object).find(starts_line)?;
    let rest = &value[start..(start + MAX_DICTIONARY).min(value.len())];
    Some(&rest[..memmem::find(rest, b"endobj").unwrap_or(rest.len())])
}

/// A literal or hexadecimal string.
fn string(text: &[u8]) -> Option<Vec<u8>> {
    let bytes = match text {
        [b'(', rest @ ..] => literal(rest),
        [b'<', rest @ ..] => {
            let digits: Vec<u8> = rest.iter().copied().take_while(u8::is_ascii_hexdigit).collect();
            digits.as_chunks::<2>().0.iter().filter_map(|pair| hex_byte(pair)).collect()
        }
        _ => return None,
    };
    let is_utf16 = bytes.starts_with(b"\xFE\xFF");
    Some(if is_utf16 { charset::transcode(&bytes, true) } else { bytes })
}

/// The string up to its closing parenthesis.
fn literal(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut depth = 1;
    let mut bytes = text.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => match bytes.next() {
                Some(first @ b'0'..=b'7') => {
                    let mut code = u32::from(first - b'0');
                    for _ in 0..2 {
                        let Some(digit) = bytes.next_if(|it| matches!(it, b'0'..=b'7')) else { break };
                        code = code * 8 + u32::from(digit - b'0');
                    }
                    out.push(code.to_le_bytes()[0]);
                }
                Some(b'n' | b'r') => out.push(b'\n'),
                Some(b't') => out.push(b'\t'),
                Some(b'\r' | b'\n') | None => {}
                Some(escaped) => out.push(escaped),
            },
            b'(' => {
                depth += 1;
                out.push(byte);
            }
            b')' => {
                depth -= 1;
                if depth == 0 {
                    return out;
                }
                out.push(byte);
            }
            _ => out.push(byte),
        }
    }
    out
}
