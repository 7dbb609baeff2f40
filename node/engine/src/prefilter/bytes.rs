//! Byte classes of a value.

/// The set of byte classes that occur in a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bytes(u32);

/// Defines a bit for each class, and the class of each byte.
macro_rules! classes {
    ($($(#[$doc:meta])* $name:ident = $bit:literal: $bytes:pat,)*) => {
        impl Bytes {
            $($(#[$doc])* pub(crate) const $name: Self = Self(1 << $bit);)*

            const fn class(byte: u8) -> Self {
                match byte {
                    $($bytes => Self::$name,)*
                    b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => Self(0),
                    _ => Self::OTHER,
                }
            }
        }
    };
}

classes! {
    PERCENT = 0: b'%',
    PLUS = 1: b'+',
    AMPERSAND = 2: b'&',
    BACKSLASH = 3: b'\\',
    SLASH = 4: b'/',
    DOT = 5: b'.',
    COLON = 6: b':',
    EQUALS = 7: b'=',
    OPEN_TAG = 8: b'<',
    OPEN_BRACE = 9: b'{',
    OPEN_PAREN = 10: b'(',
    OPEN_BRACKET = 11: b'[',
    HASH = 12: b'#',
    AT = 13: b'@',
    DASH = 14: b'-',
    BREAK = 15: b'\r' | b'\n',
    /// Control characters below the tabulator, such as null.
    INVISIBLE = 16: 0..=8,
    /// Bytes that are not ASCII.
    HIGH = 17: 0x80..,
    COMMA = 18: b',',
    DOLLAR = 19: b'$',
    QUOTE = 20: b'\'' | b'"',
    BACKTICK = 21: b'`',
    SEMICOLON = 22: b';',
    PIPE = 23: b'|' | b'^',
    WILDCARD = 24: b'?' | b'*',
}

impl Bytes {
    /// All other bytes except letters and digits.
    const OTHER: Self = Self(1 << 31);

    pub(crate) fn of(value: &[u8]) -> Self {
        Self(value.iter().fold(0, |seen, &byte| seen | CLASSES[usize::from(byte)]))
    }

    pub(crate) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether one of these classes occurs.
    pub(crate) const fn has(self, any: Self) -> bool {
        self.0 & any.0 != 0
    }

    /// Whether the value consists of letters, digits and these classes.
    pub(crate) const fn is_word_with(self, allowed: Self) -> bool {
        self.0 & !allowed.0 == 0
    }
}

static CLASSES: [u32; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "the loop ends at 256")]
        let class = Bytes::class(byte as u8);
        classes[byte] = class.0;
        byte += 1;
    }
    classes
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn byte_classes_are_distinguished() {
        let bytes = Bytes::of(b"a-1%");
        assert!(bytes.has(Bytes::PERCENT) && bytes.has(Bytes::DASH.or(Bytes::HIGH)));
        assert!(!bytes.has(Bytes::HIGH) && !bytes.is_word_with(Bytes::DASH));
        assert!(bytes.is_word_with(Bytes::DASH.or(Bytes::PERCENT)));
        assert!(!Bytes::of(b"a b").is_word_with(Bytes::DASH));
    }
}
