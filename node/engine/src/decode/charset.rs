//! Character set decoders: UTF-16, UTF-32 and EBCDIC by detection, others by the declaration of a
//! content type, a form or a document.

mod label;

use super::{ebcdic, utf7};
use encoding_rs::{Encoding, UTF_8};
use label::{Charset, Order};

pub(crate) use label::{MAX_LABELS, labels};

pub(crate) const NAME: &str = "utf16";

/// The longest XML declaration that is read.
const MAX_DECLARATION: usize = 300;
/// The replacement character in UTF-8.
const REPLACEMENT: &[u8] = "\u{fffd}".as_bytes();

/// The value without byte order marks of UTF-8, of which lenient parsers skip any number.
pub(crate) fn without_marks(mut value: &[u8]) -> &[u8] {
    while let Some(rest) = value.strip_prefix(b"\xEF\xBB\xBF") {
        value = rest;
    }
    value
}

/// A character set by the first bytes of a value.
enum Detected {
    Utf16 { is_big: bool },
    Utf32 { is_big: bool },
    Ebcdic,
}

impl Detected {
    /// By a byte order mark, by markup or by JSON.
    fn of(value: &[u8]) -> Option<Self> {
        Some(match value {
            [0, 0, 0xFE, 0xFF, ..] | [0, 0, 0, b'<' | b'{' | b'[', 0, 0, 0, _, ..] => {
                Self::Utf32 { is_big: true }
            }
            [0xFF, 0xFE, 0, 0, ..] | [b'<' | b'{' | b'[', 0, 0, 0, _, 0, 0, 0, ..] => {
                Self::Utf32 { is_big: false }
            }
            [0xFE, 0xFF, ..] | [0, b'<' | b'{' | b'[', 0, _, ..] => Self::Utf16 { is_big: true },
            [0xFF, 0xFE, ..] | [b'<' | b'{' | b'[', 0, _, 0, ..] => Self::Utf16 { is_big: false },
            // `<?xml` in EBCDIC.
            [0x4C, 0x6F, 0xA7, 0x94, 0x93, ..] => Self::Ebcdic,
            _ => return None,
        })
    }
}

/// UTF-16, UTF-32 or EBCDIC as UTF-8, if detected.
pub(crate) fn read_detected(value: &[u8]) -> Option<Vec<u8>> {
    match Detected::of(value)? {
        Detected::Utf16 { is_big } => Some(transcode(value, is_big)),
        Detected::Utf32 { is_big } => Some(transcode_utf32(value, is_big)),
        Detected::Ebcdic => {
            let text = ebcdic::Page::common()?.read(value);
            let page = label_in_xml(&text).and_then(|label| ebcdic::Page::named(&label));
            Some(page.map_or(text, |page| page.read(value)))
        }
    }
}

/// Whether the bytes of ASCII are ASCII in a text, by its first bytes, by its content type, and by its
/// XML declaration; not in a character set that is unknown.
pub fn is_ascii_based(text: &[u8], content_type: &str) -> bool {
    let text = without_marks(text);
    let declared = labels(content_type);
    let in_document = readable_label_in_xml(text);
    Detected::of(text).is_none()
        && declared.len() <= MAX_LABELS
        && declared.iter().chain(&in_document).all(|label| Charset::of(label).is_ascii_based())
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
    /// The text in each byte order that the label allows; none if decoding does not change it.
    pub texts: Vec<Vec<u8>>,
    /// Whether the label names no character set, or bytes are invalid in it.
    pub is_malformed: bool,
    /// Whether the character set may be one that is not decoded here.
    pub is_unknown: bool,
}

/// An XML document decoded by the character set of its own declaration.
pub(crate) fn read_declared_in_xml(document: &[u8]) -> Transcoded {
    readable_label_in_xml(document).map(|label| read(&label, document)).unwrap_or_default()
}

/// The label of an XML declaration. One that can be read names no character set of wider units.
fn readable_label_in_xml(document: &[u8]) -> Option<String> {
    label_in_xml(document).filter(|label| {
        !matches!(Charset::of(label), Charset::Utf16(_) | Charset::Utf32(_) | Charset::NoName)
    })
}

/// The encoding that an XML declaration names, in lower case.
fn label_in_xml(document: &[u8]) -> Option<String> {
    if !document.starts_with(b"<?xml") {
        return None;
    }
    let declaration = &document[..document.len().min(MAX_DECLARATION)];
    let declaration = &declaration[..memchr::memmem::find(declaration, b"?>")?];
    let declaration = String::from_utf8_lossy(declaration).to_ascii_lowercase();
    let value = declaration.split("encoding").nth(1)?.trim_start().strip_prefix('=')?;
    value.trim().split(['"', '\'']).nth(1).map(str::to_owned)
}

/// Bytes decoded by the character set of a label in lower case.
pub(crate) fn read(label: &str, bytes: &[u8]) -> Transcoded {
    let changed =
        |text: Option<Vec<u8>>| Transcoded { texts: text.into_iter().collect(), ..Transcoded::default() };
    match Charset::of(label) {
        Charset::Utf16(order) => wide(bytes, 2, order, transcode),
        Charset::Utf32(order) => wide(bytes, 4, order, transcode_utf32),
        Charset::Utf7 => changed(utf7::decode_declared(bytes)),
        Charset::Ebcdic(page) => changed(Some(page.read(bytes))),
        Charset::Encoded(encoding) => encoded(encoding, bytes),
        Charset::AsciiBased => Transcoded::default(),
        Charset::NoName => Transcoded { is_malformed: true, ..Transcoded::default() },
        Charset::Unknown => Transcoded { is_unknown: true, ..Transcoded::default() },
    }
}

/// Whether values in the character set of this label are decoded as they are.
pub(crate) fn is_utf8(label: &str) -> bool {
    matches!(Charset::of(label), Charset::Encoded(encoding) if encoding == UTF_8)
}

fn encoded(encoding: &'static Encoding, bytes: &[u8]) -> Transcoded {
    let (text, is_malformed) = encoding.decode_without_bom_handling(bytes);
    // Invalid UTF-8 would only become replacement characters.
    let is_changed = encoding != UTF_8 && text.as_bytes() != bytes;
    let texts = is_changed.then(|| text.into_owned().into_bytes()).into_iter().collect();
    Transcoded { texts, is_malformed, is_unknown: false }
}

/// A text of wider units in the declared byte order. Without one, origins choose either.
fn wide(
    bytes: &[u8],
    unit: usize,
    order: Option<Order>,
    read: impl Fn(&[u8], bool) -> Vec<u8>,
) -> Transcoded {
    let orders: &[bool] = match order {
        Some(Order::Big) => &[true],
        Some(Order::Little) => &[false],
        None => &[true, false],
    };
    let texts: Vec<Vec<u8>> = orders.iter().map(|is_big| read(bytes, *is_big)).collect();
    let is_invalid = |text: &Vec<u8>| memchr::memmem::find(text, REPLACEMENT).is_some();
    let is_malformed = !bytes.len().is_multiple_of(unit) || texts.iter().all(is_invalid);
    Transcoded { texts, is_malformed, is_unknown: false }
}

fn transcode_utf32(value: &[u8], is_big: bool) -> Vec<u8> {
    let unit = |bytes: &[u8; 4]| if is_big { u32::from_be_bytes(*bytes) } else { u32::from_le_bytes(*bytes) };
    let letters = value.as_chunks::<4>().0.iter().map(unit).filter(|&unit| unit != 0xFEFF);
    letters
        .map(|unit| char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect::<String>()
        .into_bytes()
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

    /// The texts of a body with this label.
    fn texts(label: &str, body: &[u8]) -> Vec<String> {
        let texts = read(label, body).texts;
        texts.iter().map(|text| String::from_utf8_lossy(text).into_owned()).collect()
    }

    #[test]
    fn ebcdic_is_read_in_the_code_page_that_it_declares() {
        let declaration = b"\x4C\x6F\xA7\x94\x93\x40\x85\x95\x83\x96\x84\x89\x95\x87\x7E\x7D\x89\x82\x94\xF2\xF7\xF3\x7D\x6F\x6E";
        let document = [declaration.as_slice(), b"\x43\xFC"].concat();
        assert_eq!(read_detected(&document).as_deref(), Some(b"<?xml encoding='ibm273'?>{]".as_slice()));
    }

    #[test]
    fn a_declared_character_set_is_decoded_if_it_changes_the_body() {
        assert_eq!(texts("iso-8859-1", b"caf\xE9"), ["café"]);
        assert_eq!(texts("utf-16le", b"<\0a\0"), ["<a"]);
        assert!(texts("utf-16", b"<\0a\0").contains(&"<a".to_owned()));
        assert!(texts("utf-32", b"\0\0\0<").contains(&"<".to_owned()));
        assert_eq!(texts("utf-7", b"+ADw-"), ["<"]);
        assert_eq!(texts("ibm037", b"\x4C"), ["<"]);
        assert_eq!(texts("cp1026", b"\xFC"), ["\""]);
        assert_eq!(texts("shift_jis", b"\x83\x41"), ["ア"]);
        for (label, body) in [("utf-8", "é".as_bytes()), ("iso-8859-1", b"plain"), ("utf8", b"caf\xE9")] {
            assert_eq!(texts(label, body), [""; 0], "{label}");
        }
    }

    #[test]
    fn bytes_that_are_invalid_in_the_declared_character_set_are_malformed() {
        for (label, body) in [
            ("utf-8", b"caf\xE9".as_slice()),
            ("undefined", b"a"),
            ("utf-16le", b"<\0a"),
            ("utf-16be", b"\xD8\0\0a"),
            ("shift_jis", b"\x83"),
        ] {
            assert!(read(label, body).is_malformed, "{label}");
        }
        for (label, body) in [
            ("utf-8", "café".as_bytes()),
            ("utf8", b"a"),
            ("iso-8859-1", b"\x80\xFF"),
            ("utf-16le", b"<\0"),
            ("utf-16", b"<\0"),
        ] {
            assert!(!read(label, body).is_malformed, "{label}");
        }
        assert!(read("klingon", b"a").is_unknown && !read("latin1", b"a").is_unknown);
    }

    #[test]
    fn an_xml_document_declares_its_character_set() {
        let read = |label: &str, rest: &[u8]| {
            let start = format!("<?xml version='1.0' encoding = \"{label}\"?>");
            let Transcoded { texts, .. } = read_declared_in_xml(&[start.as_bytes(), rest].concat());
            texts.first().map(|text| String::from_utf8_lossy(&text[start.len()..]).into_owned())
        };
        assert_eq!(read("ISO-8859-1", b"<a>\xE9</a>").as_deref(), Some("<a>é</a>"));
        assert_eq!(read("utf-7", b"+ADw-a+AD4-").as_deref(), Some("<a>"));
        assert_eq!(read("Shift_JIS", b"\x83\x41").as_deref(), Some("ア"));
        for (label, rest) in
            [("utf-8", b"<a>\xC3\xA9</a>".as_slice()), ("UTF-16", b"<a/>"), ("klingon", b"<a/>")]
        {
            assert_eq!(read(label, rest), None, "{label}");
        }
        assert!(read_declared_in_xml(b"<?xml encoding='klingon'?><a/>").is_unknown);
        assert_eq!(read_declared_in_xml(b"<a encoding='utf-7'>+ADw-</a>"), Transcoded::default());
    }

    #[test]
    fn repeated_byte_order_marks_are_skipped() {
        assert_eq!(without_marks(b"\xEF\xBB\xBF\xEF\xBB\xBFa"), b"a");
        assert_eq!(without_marks(b"a"), b"a");
    }
}
