//! Character set decoders: UTF-16, UTF-32, EBCDIC and UTF-7 by detection, others by the declaration
//! of a content type.

use super::{ebcdic, replace};
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};

pub(crate) const NAME: &str = "utf16";

/// The longest XML declaration that is read.
const MAX_DECLARATION: usize = 300;
/// The replacement character in UTF-8.
const REPLACEMENT: &[u8] = "\u{fffd}".as_bytes();

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

/// A text in a declared character set.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Transcoded {
    /// `None` if decoding does not change it.
    pub text: Option<Vec<u8>>,
    /// Whether the character set is unknown, or bytes are invalid in it.
    pub is_malformed: bool,
}

/// A body decoded by the character set of its content type.
pub(crate) fn read_declared(content_type: &str, body: &[u8]) -> Transcoded {
    let lower = content_type.to_ascii_lowercase();
    let label = lower.split("charset=").nth(1).and_then(|it| it.split([';', ',']).next()).unwrap_or_default();
    let label = label.trim().trim_matches(['"', '\'']);
    if label.is_empty() { Transcoded::default() } else { transcoded(label, body) }
}

/// An XML document decoded by the character set of its own declaration; `None` if decoding does not
/// change it. A declaration that can be read is in no character set of wider units.
pub(crate) fn read_declared_in_xml(document: &[u8]) -> Option<Vec<u8>> {
    if !document.starts_with(b"<?xml") {
        return None;
    }
    let declaration = &document[..document.len().min(MAX_DECLARATION)];
    let declaration = &declaration[..memchr::memmem::find(declaration, b"?>")?];
    let declaration = String::from_utf8_lossy(declaration).to_ascii_lowercase();
    let value = declaration.split("encoding").nth(1)?.trim_start().strip_prefix('=')?;
    let label = value.trim().split(['"', '\'']).nth(1)?;
    let has_wide_units =
        ["utf-16", "utf16", "ucs-2", "utf-32", "utf32"].iter().any(|it| label.starts_with(it));
    if has_wide_units { None } else { read_labelled(label, document) }
}

/// Bytes decoded by a character set; `None` if decoding does not change them. The label is in lower
/// case.
pub(crate) fn read_labelled(label: &str, body: &[u8]) -> Option<Vec<u8>> {
    transcoded(label, body).text
}

fn transcoded(label: &str, body: &[u8]) -> Transcoded {
    let valid = |text| Transcoded { text, is_malformed: false };
    let wide = |text: Vec<u8>, unit: usize| {
        let is_malformed =
            !body.len().is_multiple_of(unit) || memchr::memmem::find(&text, REPLACEMENT).is_some();
        Transcoded { text: Some(text), is_malformed }
    };
    match label {
        "utf-16" | "utf-16be" | "utf16" | "ucs-2" => wide(transcode(body, true), 2),
        "utf-16le" => wide(transcode(body, false), 2),
        "utf-32" | "utf-32be" | "utf32" => wide(transcode_utf32(body, u32::from_be_bytes), 4),
        "utf-32le" => wide(transcode_utf32(body, u32::from_le_bytes), 4),
        "utf-7" | "utf7" => valid(decode_utf7(body)),
        label if ebcdic::is_named(label) => valid(Some(ebcdic::read(body))),
        label => {
            let Some(encoding) = encoding_rs::Encoding::for_label(label.as_bytes()) else {
                return Transcoded { text: None, is_malformed: true };
            };
            let (text, is_malformed) = encoding.decode_without_bom_handling(body);
            let is_changed = text.as_bytes() != body;
            Transcoded { text: is_changed.then(|| text.into_owned().into_bytes()), is_malformed }
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
                .text
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
        assert_eq!(read_declared("text/plain", b"a"), Transcoded::default());
    }

    #[test]
    fn bytes_that_are_invalid_in_the_declared_character_set_are_malformed() {
        let is_malformed = |label: &str, body: &[u8]| {
            read_declared(&format!("text/plain; charset={label}"), body).is_malformed
        };
        for (label, body) in [
            ("utf-8", b"caf\xE9".as_slice()),
            ("klingon", b"a"),
            ("utf-16le", b"<\0a"),
            ("utf-16be", b"\xD8\0\0a"),
            ("shift_jis", b"\x83"),
        ] {
            assert!(is_malformed(label, body), "{label}");
        }
        for (label, body) in [
            ("utf-8", "café".as_bytes()),
            ("UTF8", b"a"),
            ("\"utf-8\"", b"a"),
            ("iso-8859-1", b"\x80\xFF"),
            ("utf-16le", b"<\0"),
            ("utf-8, text/html", b"a"),
        ] {
            assert!(!is_malformed(label, body), "{label}");
        }
    }

    #[test]
    fn an_xml_document_declares_its_character_set() {
        let read = |label: &str, rest: &[u8]| {
            let start = format!("<?xml version='1.0' encoding = \"{label}\"?>");
            read_declared_in_xml(&[start.as_bytes(), rest].concat())
                .map(|text| String::from_utf8_lossy(&text[start.len()..]).into_owned())
        };
        assert_eq!(read("ISO-8859-1", b"<a>\xE9</a>").as_deref(), Some("<a>é</a>"));
        assert_eq!(read("utf-7", b"+ADw-a+AD4-").as_deref(), Some("<a>"));
        assert_eq!(read("Shift_JIS", b"\x83\x41").as_deref(), Some("ア"));
        for (label, rest) in
            [("utf-8", b"<a>\xC3\xA9</a>".as_slice()), ("UTF-16", b"<a/>"), ("klingon", b"<a/>")]
        {
            assert_eq!(read(label, rest), None, "{label}");
        }
        assert_eq!(read_declared_in_xml(b"<a encoding='utf-7'>+ADw-</a>"), None);
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
