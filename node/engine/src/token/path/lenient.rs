//! Dots and slashes in escapes that only lenient decoders resolve: `0x2e`, `%c1%pc`, `%c0%9v`.

use memchr::memmem::find;

/// A path with its lenient escapes resolved, if it has any. Standard escapes are decoded before.
pub(super) fn read(run: &[u8]) -> Option<Vec<u8>> {
    let is_odd = |byte: &u8| matches!(byte, b'%' | 0xC0 | 0xC1);
    if !run.iter().any(is_odd) && find(run, b"0x").is_none() {
        return None;
    }
    let mut out = Vec::with_capacity(run.len());
    let mut rest = run;
    while let Some(&first) = rest.first() {
        let (byte, length) = mark(rest).unwrap_or((first, 1));
        out.push(byte);
        rest = &rest[length..];
    }
    Some(out)
}

/// The dot or slash at the start of `rest`, and the length of its escape.
fn mark(rest: &[u8]) -> Option<(u8, usize)> {
    let (byte, length) = code(rest)?;
    match byte {
        b'.' | b'/' | b'\\' => Some((byte, length)),
        0xC0 | 0xC1 => {
            let (next, more) = code(&rest[length..])?;
            Some((two_bytes(byte, next)?, length + more))
        }
        _ => None,
    }
}

/// The byte of an escape and its length; a byte beyond ASCII is its own escape.
fn code(rest: &[u8]) -> Option<(u8, usize)> {
    match *rest {
        [b'0', b'x' | b'X', high, low, ..] | [b'%', high, b'%', low, ..] => Some((sum(high, low)?, 4)),
        [b'%', high, low, ..] => Some((sum(high, low)?, 3)),
        [byte @ 0x80..=0xFF, ..] => Some((byte, 1)),
        _ => None,
    }
}

/// Two digits of any alphabet; letters beyond `f` continue the sequence.
fn sum(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(36);
    u8::try_from((digit(high)? * 16 + digit(low)?) & 0xFF).ok()
}

/// A slash in two bytes. `C1 AF` occurs in lists of payloads.
fn two_bytes(lead: u8, next: u8) -> Option<u8> {
    let byte = if (lead, next) == (0xC1, 0xAF) { b'/' } else { (lead & 1) << 6 | next & 0x3F };
    matches!(byte, b'.' | b'/' | b'\\').then_some(byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolves_lenient_escapes() {
        for spelled in [
            b"0x2e0X2e0x2fx".as_slice(),
            b"..%c0%9vx",
            b"..%bg%qfx",
            b"..\xC0%qfx",
            b"..\xC1\xAFx",
            b"..%2%fx",
        ] {
            assert_eq!(read(spelled).as_deref(), Some(b"../x".as_slice()), "{}", spelled.escape_ascii());
        }
        for spelled in [b"..%c1%pcx".as_slice(), b"..%c1%8sx", b"..\xC1%1cx", b"..%5%cx"] {
            assert_eq!(read(spelled).as_deref(), Some(br"..\x".as_slice()), "{}", spelled.escape_ascii());
        }
    }

    #[test]
    fn keeps_other_escapes() {
        for text in ["a/b..c", "Gr\u{fc}\u{df}e"] {
            assert_eq!(read(text.as_bytes()), None, "{text}");
        }
        for text in ["100%of", "%d..%s", "0x1f", "50%", "0x"] {
            assert_eq!(read(text.as_bytes()).as_deref(), Some(text.as_bytes()), "{text}");
        }
    }
}
