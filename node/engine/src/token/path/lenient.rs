//! Dots and slashes as servers read them whose decoders compute with any character: `0x2e`, `%c1%pc`, `%c0%9v`.

use memchr::memmem::find;

/// A run with the dots and slashes in place of their odd spellings, when it has any. What decoders by the book read is
/// decoded already.
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

/// The dot or slash that `rest` opens with, and the length of its spelling.
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

/// The byte that a code stands for, and its length; a byte beyond ASCII stands for itself.
fn code(rest: &[u8]) -> Option<(u8, usize)> {
    match *rest {
        [b'0', b'x' | b'X', high, low, ..] | [b'%', high, b'%', low, ..] => Some((sum(high, low)?, 4)),
        [b'%', high, low, ..] => Some((sum(high, low)?, 3)),
        [byte @ 0x80..=0xFF, ..] => Some((byte, 1)),
        _ => None,
    }
}

/// Two digits of any alphabet: what is beyond `f` counts on.
fn sum(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(36);
    u8::try_from((digit(high)? * 16 + digit(low)?) & 0xFF).ok()
}

/// A slash in two bytes. `C1 AF` stands in lists of spellings, whichever decoder it was.
fn two_bytes(lead: u8, next: u8) -> Option<u8> {
    let byte = if (lead, next) == (0xC1, 0xAF) { b'/' } else { (lead & 1) << 6 | next & 0x3F };
    matches!(byte, b'.' | b'/' | b'\\').then_some(byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_codes_are_dots_and_slashes() {
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
    fn other_codes_stay() {
        for text in ["a/b..c", "Gr\u{fc}\u{df}e"] {
            assert_eq!(read(text.as_bytes()), None, "{text}");
        }
        for text in ["100%of", "%d..%s", "0x1f", "50%", "0x"] {
            assert_eq!(read(text.as_bytes()).as_deref(), Some(text.as_bytes()), "{text}");
        }
    }
}
