//! Labels of character sets: the names that programs accept, and the spellings of clients.

use crate::decode::ebcdic::Page;
use encoding_rs::{Encoding, UTF_8};

/// A character set by its label.
#[derive(Debug, Clone, Copy)]
pub(super) enum Charset {
    /// The byte order, if the label names it.
    Utf16(Option<Order>),
    Utf32(Option<Order>),
    Utf7,
    Ebcdic(&'static Page),
    Encoded(&'static Encoding),
    /// One that is not decoded, in which the bytes of ASCII are ASCII.
    AsciiBased,
    /// A word that no program takes for a character set.
    NoName,
    /// Possibly one that an origin decodes.
    Unknown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Big,
    Little,
}

/// The most labels of a content type: further ones are an overlimit.
pub(crate) const MAX_LABELS: usize = 4;

/// Code pages of DOS.
const DOS: &[u16] = &[437, 720, 737, 775, 850, 852, 855, 857, 858, 860, 861, 862, 863, 864, 865, 866, 869];

/// What clients write that have no character set.
const NO_NAMES: &[&str] =
    &["8bit", "auto", "binary", "charset", "default", "nil", "none", "null", "text", "undefined", "unknown"];

impl Charset {
    /// The label is in lower case.
    pub(super) fn of(label: &str) -> Self {
        if label == "utf-8" {
            return Self::Encoded(UTF_8);
        }
        let letters: String = label.chars().filter(char::is_ascii_alphanumeric).collect();
        let starts = |words: &[&str]| words.iter().any(|it| letters.starts_with(it));
        if letters.contains("utf7") {
            return Self::Utf7;
        }
        if starts(&["utf32", "ucs4", "xutf32", "iso10646ucs4", "csucs4"]) {
            return Self::Utf32(order(&letters));
        }
        if starts(&["utf16", "ucs2", "xutf16", "iso10646ucs2", "unicode", "csunicode"])
            && !letters.contains("utf8")
        {
            return Self::Utf16(order(&letters));
        }
        if letters.contains("utf8") || matches!(letters.as_str(), "utf" | "u8" | "cesu8") {
            return Self::Encoded(UTF_8);
        }
        if let Some(page) = Page::named(label) {
            return Self::Ebcdic(page);
        }
        let windows = number(&letters).filter(|it| (1_250..=1_258).contains(it));
        let spellings = [label.to_owned(), label.replace('_', "-"), letters.clone()].into_iter();
        let mut spellings = spellings.chain(windows.map(|it| format!("windows-{it}")));
        if let Some(encoding) = spellings.find_map(|it| Encoding::for_label_no_replacement(it.as_bytes())) {
            return Self::Encoded(encoding);
        }
        let is_dos = number(&letters).is_some_and(|it| DOS.contains(&it));
        if is_dos || letters.contains("ascii") || starts(&["ansi", "iso8859", "latin", "xmac", "mac", "koi8"])
        {
            Self::AsciiBased
        } else if letters.is_empty() || NO_NAMES.contains(&letters.as_str()) {
            Self::NoName
        } else {
            Self::Unknown
        }
    }

    /// Whether the bytes of ASCII are ASCII; not if that is unknown.
    pub(super) fn is_ascii_based(self) -> bool {
        match self {
            Self::Utf16(_) | Self::Utf32(_) | Self::Utf7 | Self::Ebcdic(_) | Self::Unknown => false,
            Self::Encoded(encoding) => encoding.is_ascii_compatible(),
            Self::AsciiBased | Self::NoName => true,
        }
    }
}

fn order(letters: &str) -> Option<Order> {
    if letters.contains("le") || letters.contains("little") {
        Some(Order::Little)
    } else if letters.contains("be") || letters.contains("big") {
        Some(Order::Big)
    } else {
        None
    }
}

/// The digits at the end of a label.
fn number(letters: &str) -> Option<u16> {
    let start = letters.trim_end_matches(|letter: char| letter.is_ascii_digit()).len();
    letters.get(start..)?.parse().ok()
}

/// No label is longer.
const MAX_LABEL_BYTES: usize = 100;

/// The labels of all parameters `charset` of a content type, in lower case: programs that read the
/// first and the last one, and those that skip blanks, see different ones. At most one more than the
/// limit.
pub(crate) fn labels(content_type: &str) -> Vec<String> {
    const NAME: &str = "charset";
    let mut labels = Vec::new();
    let lower = content_type.to_ascii_lowercase();
    for (at, _) in lower.match_indices(NAME) {
        let rest = lower.get(at + NAME.len()..).unwrap_or_default().trim_start();
        let (rest, is_extended) = rest.strip_prefix('*').map_or((rest, false), |rest| (rest, true));
        let Some(value) = rest.strip_prefix('=').map(str::trim_start) else { continue };
        // Searching to the end for each of many would take quadratic time.
        let value = value.get(..value.floor_char_boundary(MAX_LABEL_BYTES)).unwrap_or_default();
        let label = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => value.split(quote).nth(1),
            _ => value.split([';', ',']).next().and_then(|it| it.split_whitespace().next()),
        };
        let label = label.unwrap_or_default().replace('\\', "");
        // RFC 2231: `us-ascii'en'utf-8`.
        let label = if is_extended { label.rsplit('\'').next().unwrap_or_default() } else { &label };
        let label = label.trim().trim_matches(['"', '\'']);
        if !label.is_empty() && !labels.iter().any(|known| known == label) {
            labels.push(label.to_owned());
        }
        if labels.len() > MAX_LABELS {
            break;
        }
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_parameters_take_linear_time() {
        assert_eq!(labels(&"charset=a ".repeat(100_000)), ["a"]);
        assert_eq!(labels(&"charset=\"a ".repeat(100_000)).len(), 2);
    }

    #[test]
    fn spellings_of_clients_are_known() {
        for label in ["utf8", "utf-8", "utf_8", "utf8mb4", "utf", "unicode-1-1-utf-8", "utf-8?", "cesu-8"] {
            assert!(matches!(Charset::of(label), Charset::Encoded(it) if it == UTF_8), "{label}");
        }
        for label in
            ["latin1", "latin-1", "iso-8859-15", "iso_8859_15", "iso8859_1", "windows-1252", "windows_1252"]
        {
            assert!(matches!(Charset::of(label), Charset::Encoded(_)), "{label}");
        }
        for label in ["cp1251", "win-1251", "us-ascii", "ascii", "gbk", "gb2312", "shift_jis", "euc-kr"] {
            assert!(matches!(Charset::of(label), Charset::Encoded(_)), "{label}");
        }
        for label in ["cp850", "ibm437", "ansi", "latin9", "iso-8859-12", "x-mac-greek"] {
            assert!(matches!(Charset::of(label), Charset::AsciiBased | Charset::Encoded(_)), "{label}");
        }
        for label in ["undefined", "null", "binary", "8bit", "?"] {
            assert!(matches!(Charset::of(label), Charset::NoName), "{label}");
        }
    }

    #[test]
    fn what_an_origin_may_decode_otherwise_is_unknown() {
        for label in ["klingon", "ibm290", "iso-2022-kr", "hz-gb-2312", "utf-ebcdic", "rot13", "ebcdic-cp-us"]
        {
            assert!(matches!(Charset::of(label), Charset::Unknown), "{label}");
        }
    }

    #[test]
    fn units_have_an_order_or_both() {
        for (label, expected) in [
            ("utf-16", None),
            ("utf-16le", Some(Order::Little)),
            ("unicodebig", Some(Order::Big)),
            ("ucs-2", None),
        ] {
            assert!(matches!(Charset::of(label), Charset::Utf16(order) if order == expected), "{label}");
        }
        assert!(matches!(Charset::of("utf-32"), Charset::Utf32(None)));
        assert!(matches!(Charset::of("x-utf-7"), Charset::Utf7));
    }

    #[test]
    fn every_charset_of_a_content_type_has_a_label() {
        for (content_type, expected) in [
            ("text/plain; charset=UTF-8", vec!["utf-8"]),
            ("text/plain; charset=UTF-8;", vec!["utf-8"]),
            ("text/plain;charset=\"utf-8\"", vec!["utf-8"]),
            ("text/plain; charset = 'utf-8'", vec!["utf-8"]),
            ("text/plain; charset=utf-8 boundary=x", vec!["utf-8"]),
            ("text/plain; charset=utf-8; charset=utf-8", vec!["utf-8"]),
            ("text/plain; x-charset=utf-8; charset=ibm037", vec!["utf-8", "ibm037"]),
            ("text/plain; charset*=us-ascii'en'ibm037", vec!["ibm037"]),
            ("text/plain; charset=\"ibm\\037\"", vec!["ibm037"]),
            ("utf-8, text/html", vec![]),
            ("text/plain; charset=", vec![]),
        ] {
            assert_eq!(labels(content_type), expected, "{content_type}");
        }
    }
}
