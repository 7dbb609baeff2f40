//! Character set decoders: UTF-16, UTF-32, EBCDIC and UTF-7 by detection, others by the declaration
//! of a content type.

use super::{ebcdic, replace};
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};

pub(crate) const NAME: &str = "utf16";

/// UTF-16, UTF-32 or EBCDIC as UTF-8, if detected by a byte order mark, by markup or by JSON.
pub(crate) fn read_detected(value: &[u8]) -> Option<Vec<u8>> {
    match value {
        [0, 0, 0xFE, 0xFF, ..] | [0, 0, 0, b'<' | b'{' | b'[', 0, 0, 0, _, ..] => {
            return Some(transcode_utf32(value, u32::from_be_bytes));
        }
        [0xFF, 0xFE, 0, 0, ..] | [b'<' | b'{' | b'[', 0, 0, 0, _, 0, 0, 0, ..] => {
            return Some(transcode_utf32(value, u32::from_le_bytes));
        }
        _ => {}
    }
    let big = match value {
        [0xFE, 0xFF, ..] | [0, b'<' | b'{' | b'[', 0, _, ..] => true,
        [0xFF, 0xFE, ..] | [b'<' | b'{' | b'[', 0, _, 0, ..] => false,
        // `<?xml` in EBCDIC.
        [0x4C, 0x6F, 0xA7, 0x94, 0x93, ..] => return Some(ebcdic::read(value)),
        _ => return None,
    };
    Some(transcode(value, big))
}

/// UTF-16 as UTF-8.
pub(crate) fn transcode(value: &[u8], big: bool) -> Vec<u8> {
    let unit = |pair: &[u8; 2]| if big { u16::from_be_bytes(*pair) } else { u16::from_le_bytes(*pair) };
    let units = value.as_chunks::<2>().0.iter().map(unit).filter(|&unit| unit != 0xFEFF);
    let letters = char::decode_utf16(units).map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER));
    letters.collect::<String>().into_bytes()
}

/// A body decoded by the character set of its content type; `None` if decoding does not change it.
pub(crate) fn read_declared(content_type: &str, body: &[u8]) -> Option<Vec<u8>> {
    let lower = content_type.to_ascii_lowercase();
    let label = lower.split("charset=").nth(1)?.split(';').next()?.trim().trim_matches(['"', '\'']);
    read_labelled(label, body)
}

/// Bytes decoded by a character set; `None` if decoding does not change them. The label is in lower
/// case.
pub(crate) fn read_labelled(label: &str, body: &[u8]) -> Option<Vec<u8>> {
    match label {
        "utf-16" | "utf-16be" | "utf16" | "ucs-2" => Some(transcode(body, true)),
        "utf-16le" => Some(transcode(body, false)),
        "utf-32" | "utf-32be" | "utf32" => Some(transcode_utf32(body, u32::from_be_bytes)),
        "utf-32le" => Some(transcode_utf32(body, u32::from_le_bytes)),
        "utf-7" | "utf7" => decode_utf7(body),
        label if ebcdic::is_named(label) => Some(ebcdic::read(body)),
        label => {
            let (text, _) =
                encoding_rs::Encoding::for_label(label.as_bytes())?.decode_without_bom_handling(body);
            (text.as_bytes() != body).then(|| text.into_owned().into_bytes())
        }
    }
}

fn transcode_utf32(value: &[u8], unit: fn([u8; 4]) -> u32) -> Vec<u8> {
    let letters = value.as_chunks::<4>().0.iter().map(|&bytes| unit(bytes)).filter(|&unit| unit != 0xFEFF);
    letters
        .map(|unit| char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect::<String>()
        .into_bytes()
}

/// Decodes UTF-7: `+ADw-` is `<`. Only runs that encode ASCII are decoded, since base64 contains
/// plus signs as well.
pub(super) fn decode_utf7(value: &[u8]) -> Option<Vec<u8>> {
    replace(value, memchr::memmem::find_iter(value, b"+A"), |rest| {
        let run = &rest[1..];
        let length = run.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'/').count();
        let end = 1 + length + usize::from(run.get(length) == Some(&b'-'));
        Some((ascii_run(&run[..length])?, end))
    })
}

/// The ASCII characters encoded by a run of modified base64.
fn ascii_run(run: &[u8]) -> Option<Vec<u8>> {
    // Only ASCII starts with a zero byte.
    if !matches!(run, [b'A', b'A'..=b'P', ..]) {
        return None;
    }
    let units = STANDARD_NO_PAD.decode(run).ok()?;
    let (pairs, odd) = units.as_chunks::<2>();
    let ascii = |&[high, low]: &[u8; 2]| (high == 0 && low.is_ascii() && low >= b'\t').then_some(low);
    (odd.is_empty() && !pairs.is_empty()).then(|| pairs.iter().map(ascii).collect())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf16_is_detected_by_byte_order_mark_or_markup() {
        for bytes in [b"\xFE\xFF\0<\0a".as_slice(), b"\xFF\xFE<\0a\0", b"\0<\0a", b"<\0a\0"] {
            assert_eq!(read_detected(bytes).as_deref(), Some(b"<a".as_slice()));
        }
        assert_eq!(read_detected(b"<a>"), None);
    }

    #[test]
    fn a_declared_character_set_is_decoded_if_it_changes_the_body() {
        let read = |label: &str, body: &[u8]| {
            read_declared(&format!("text/plain; charset=\"{label}\""), body)
                .map(|text| String::from_utf8_lossy(&text).into_owned())
        };
        assert_eq!(read("ISO-8859-1", b"caf\xE9").as_deref(), Some("café"));
        assert_eq!(read("utf-16le", b"<\0a\0").as_deref(), Some("<a"));
        assert_eq!(read("UTF-32", b"\0\0\0<").as_deref(), Some("<"));
        assert_eq!(read("utf-7", b"+ADw-").as_deref(), Some("<"));
        assert_eq!(read("ibm037", b"\x4C").as_deref(), Some("<"));
        assert_eq!(read("shift_jis", b"\x83\x41").as_deref(), Some("ア"));
        for (label, body) in [("utf-8", "é".as_bytes()), ("iso-8859-1", b"plain"), ("klingon", b"\xFF")] {
            assert_eq!(read(label, body), None, "{label}");
        }
        assert_eq!(read_declared("text/plain", b"a"), None);
    }

    #[test]
    fn utf7_markup_is_decoded() {
        assert_eq!(decode_utf7(b"+ADw-script+AD4-").as_deref(), Some(b"<script>".as_slice()));
        assert_eq!(decode_utf7(b"+ADw-a+AD4AJg-b").as_deref(), Some(b"<a>&b".as_slice()));
    }

    #[test]
    fn sums_telephone_numbers_and_base64_are_unchanged() {
        for text in ["+A+B", "+49 30 123456", "a+Abc", "x+AAAAbase64//", "1+Apple"] {
            assert_eq!(decode_utf7(text.as_bytes()), None, "{text}");
        }
    }
}
