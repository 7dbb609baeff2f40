//! Decoder of characters that some servers read as ASCII: overlong UTF-8, full-width forms,
//! look-alikes.

use super::percent::hex_byte;

/// Replaces overlong UTF-8 (`C0 AE` for a dot) and full-width letters (`U+FF07` for a quote) with
/// ASCII.
pub(super) fn decode(value: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut copied = 0;
    let starts = value.iter().enumerate().filter(|(_, byte)| IS_FIRST[usize::from(**byte)]);
    for (at, _) in starts {
        // A start inside a replaced part belongs to that part.
        if at < copied {
            continue;
        }
        let replaced = overlong(&value[at..]).or_else(|| wide(&value[at..])).or_else(|| blank(value, at));
        let Some((byte, length)) = replaced else { continue };
        if copied == 0 {
            out.reserve(value.len());
        }
        out.extend_from_slice(&value[copied..at]);
        out.push(byte);
        copied = at + length;
    }
    if copied == 0 {
        return None;
    }
    out.extend_from_slice(&value[copied..]);
    Some(out)
}

/// The first bytes of all replaced characters; those of most scripts are others.
static IS_FIRST: [bool; 256] = {
    let firsts = [0xA0, 0xC0, 0xC1, 0xC2, 0xC5, 0xCA, 0xE0, 0xE2, 0xEE, 0xEF, 0xF0, 0xF8, 0xFC];
    let mut table = [false; 256];
    let mut at = 0;
    while at < firsts.len() {
        table[firsts[at]] = true;
        at += 1;
    }
    table
};

/// An ASCII character in two or more bytes. Lenient decoders also accept an ASCII second byte:
/// `C0 2E`.
fn overlong(rest: &[u8]) -> Option<(u8, usize)> {
    match *rest {
        [lead @ (0xC0 | 0xC1), next, ..] if next & 0xC0 == 0x80 => Some(((lead & 1) << 6 | next & 0x3F, 2)),
        [lead @ (0xC0 | 0xC1), high, low, ..] if hex_byte(&[high, low]).is_some() => {
            // `%c0ae`: the second percent sign is missing.
            hex_byte(&[high, low]).and_then(|next| path_byte(lead, next)).map(|byte| (byte, 3))
        }
        [lead @ (0xC0 | 0xC1), next, ..] => path_byte(lead, next).map(|byte| (byte, 2)),
        [0xE0, 0x40, next @ (0xAE | 0xAF), ..] => Some((next & 0x3F, 3)),
        [0xE0, middle @ (0x80 | 0x81), next, ..] => Some(((middle & 1) << 6 | next & 0x3F, 3)),
        [0xF0, 0x80, middle @ (0x80 | 0x81), next, ..] => Some(((middle & 1) << 6 | next & 0x3F, 4)),
        [0xF8, 0x80, 0x80, middle @ (0x80 | 0x81), next, ..] => Some(((middle & 1) << 6 | next & 0x3F, 5)),
        [0xFC, 0x80, 0x80, 0x80, middle @ (0x80 | 0x81), next, ..] => {
            Some(((middle & 1) << 6 | next & 0x3F, 6))
        }
        _ => None,
    }
}

/// Dots and slashes for decoders that ignore the top bits of the second byte (`C0 6E`, `C1 1C`).
fn path_byte(lead: u8, next: u8) -> Option<u8> {
    let byte = match (lead, next) {
        (0xC0, b'\\') => next,
        // Payload lists contain these for dots.
        (0xC0, 0x5E | 0xFE) => b'.',
        _ => (lead & 1) << 6 | next & 0x3F,
    };
    matches!(byte, b'.' | b'/' | b'\\').then_some(byte)
}

/// Full-width and look-alike characters that best-fit conversions turn into ASCII.
fn wide(rest: &[u8]) -> Option<(u8, usize)> {
    match *rest {
        [0xEF, 0xBC, next @ 0x81..=0xBF, ..] => Some((next - 0x81 + b'!', 3)),
        [0xEF, 0xBD, next @ 0x80..=0x9E, ..] => Some((next - 0x80 + b'`', 3)),
        [0xCA, 0xB9..=0xBD, ..] => Some((b'\'', 2)),
        // Letters whose upper or lower case is ASCII: the long s, the kelvin sign.
        [0xC5, 0xBF, ..] => Some((b's', 2)),
        [0xE2, 0x84, 0xAA, ..] => Some((b'k', 3)),
        // The one dot leader, the small full stop.
        [0xE2, 0x80, 0xA4, ..] | [0xEF, 0xB9, 0x92, ..] => Some((b'.', 3)),
        // The prime, pointing quotes and small forms.
        [0xE2, 0x80, 0xB2, ..] => Some((b'\'', 3)),
        [0xE2, 0x80, 0xB9, ..] | [0xEF, 0xB9, 0xA4, ..] => Some((b'<', 3)),
        [0xE2, 0x80, 0xBA, ..] | [0xEF, 0xB9, 0xA5, ..] => Some((b'>', 3)),
        // The last two are private-use characters that Windows maps to slashes.
        [0xE2, 0x88, 0x95, ..] | [0xE2, 0x81, 0x84, ..] | [0xEE, 0xBF, 0x88, ..] | [0xEF, 0x80, 0xA5, ..] => {
            Some((b'/', 3))
        }
        [0xE2, 0x88, 0x96, ..] => Some((b'\\', 3)),
        _ => None,
    }
}

/// A no-break space, in UTF-8 or as the Latin-1 byte that some databases read as a space.
fn blank(value: &[u8], at: usize) -> Option<(u8, usize)> {
    let alone = at == 0 || value[at - 1].is_ascii();
    match value[at..] {
        [0xC2, 0xA0, ..] => Some((b' ', 2)),
        [0xA0, ..] if alone => Some((b' ', 1)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlong_dots_and_slashes_are_decoded() {
        for overlong in [
            b"\xC0\x6E\xC0\xEE\xC0\x2F".as_slice(),
            b"\xC0\xAE\xE0\x80\xAE\xC0\xAF",
            b"\xF0\x80\x80\xAE\xC0.\xFC\x80\x80\x80\x80\xAF",
        ] {
            assert_eq!(decode(overlong).as_deref(), Some(b"../".as_slice()));
        }
    }

    #[test]
    fn no_replaced_character_has_another_first_byte() {
        let others = (0..=u8::MAX).filter(|byte| !IS_FIRST[usize::from(*byte)]);
        for first in others {
            for (second, third) in (0..=u8::MAX).flat_map(|it| [(it, 0x80), (it, 0xAF), (0x80, it)]) {
                let value = [first, second, third, 0x80, 0x80, 0xAF];
                assert_eq!(
                    (overlong(&value), wide(&value), blank(&value, 0)),
                    (None, None, None),
                    "{value:x?}"
                );
            }
        }
    }

    #[test]
    fn full_width_forms_are_decoded() {
        assert_eq!(decode("＜ｓｃｒｉｐｔ＞＇".as_bytes()).as_deref(), Some(b"<script>'".as_slice()));
    }

    #[test]
    fn look_alikes_are_decoded() {
        assert_eq!(decode("‹ſcript›ʹ′﹤﹥".as_bytes()).as_deref(), Some(b"<script>''<>".as_slice()));
    }

    #[test]
    fn no_break_spaces_become_spaces() {
        assert_eq!(decode(b"1\xA0or\xC2\xA01").as_deref(), Some(b"1 or 1".as_slice()));
        assert_eq!(decode("à".as_bytes()), None);
    }

    #[test]
    fn ordinary_text_of_any_language_is_unchanged() {
        for text in ["Grüße aus Köln", "Příliš žluťoučký", "日本語", "naïve — “quoted”"] {
            assert_eq!(decode(text.as_bytes()), None, "{text}");
        }
    }
}
