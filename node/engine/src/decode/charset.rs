//! Text in other character sets that XML parsers and browsers read: UTF-16 and UTF-7.

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};

pub(crate) const NAME: &str = "utf16";

/// UTF-16 as UTF-8, when a byte order mark or markup shows that it is.
pub(crate) fn read_utf16(value: &[u8]) -> Option<Vec<u8>> {
    let big = match value {
        [0xFE, 0xFF, ..] | [0, b'<', 0, _, ..] => true,
        [0xFF, 0xFE, ..] | [b'<', 0, _, 0, ..] => false,
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

/// `+ADw-` as `<`. Only runs that spell ASCII count: nothing else is worth hiding, and base64 has plus signs, too.
pub(super) fn peel_utf7(value: &[u8]) -> Option<Vec<u8>> {
    memchr::memmem::find(value, b"+A")?;
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value;
    let mut changed = false;
    while let Some(at) = memchr::memchr(b'+', rest) {
        out.extend_from_slice(&rest[..at]);
        let run = &rest[at + 1..];
        let length = run.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'/').count();
        if let Some(ascii) = ascii_run(&run[..length]) {
            out.extend_from_slice(&ascii);
            let dash = usize::from(run.get(length) == Some(&b'-'));
            rest = &run[length + dash..];
            changed = true;
        } else {
            out.extend_from_slice(&rest[at..=at + length]);
            rest = &run[length..];
        }
    }
    out.extend_from_slice(rest);
    changed.then_some(out)
}

/// The ASCII characters that a run of modified base64 stands for.
fn ascii_run(run: &[u8]) -> Option<Vec<u8>> {
    if run.first() != Some(&b'A') {
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
    fn utf16_is_told_by_its_mark_or_its_markup() {
        for bytes in [b"\xFE\xFF\0<\0a".as_slice(), b"\xFF\xFE<\0a\0", b"\0<\0a", b"<\0a\0"] {
            assert_eq!(read_utf16(bytes).as_deref(), Some(b"<a".as_slice()));
        }
        assert_eq!(read_utf16(b"<a>"), None);
    }

    #[test]
    fn utf7_spells_markup() {
        assert_eq!(peel_utf7(b"+ADw-script+AD4-").as_deref(), Some(b"<script>".as_slice()));
        assert_eq!(peel_utf7(b"+ADw-a+AD4AJg-b").as_deref(), Some(b"<a>&b".as_slice()));
    }

    #[test]
    fn sums_telephone_numbers_and_base64_stay() {
        for text in ["+A+B", "+49 30 123456", "a+Abc", "x+AAAAbase64//", "1+Apple"] {
            assert_eq!(peel_utf7(text.as_bytes()), None, "{text}");
        }
    }
}
