//! Byte classes of a value.

/// The set of byte classes that occur in a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bytes(u32);

impl Bytes {
    pub(crate) const PERCENT: Self = Self(1);
    pub(crate) const PLUS: Self = Self(1 << 1);
    pub(crate) const AMPERSAND: Self = Self(1 << 2);
    pub(crate) const BACKSLASH: Self = Self(1 << 3);
    pub(crate) const SLASH: Self = Self(1 << 4);
    pub(crate) const DOT: Self = Self(1 << 5);
    pub(crate) const COLON: Self = Self(1 << 6);
    pub(crate) const EQUALS: Self = Self(1 << 7);
    /// `<`
    pub(crate) const OPEN_TAG: Self = Self(1 << 8);
    pub(crate) const OPEN_BRACE: Self = Self(1 << 9);
    pub(crate) const OPEN_PAREN: Self = Self(1 << 10);
    pub(crate) const OPEN_BRACKET: Self = Self(1 << 11);
    pub(crate) const HASH: Self = Self(1 << 12);
    pub(crate) const AT: Self = Self(1 << 13);
    pub(crate) const DASH: Self = Self(1 << 14);
    /// Carriage return and line feed.
    pub(crate) const BREAK: Self = Self(1 << 15);
    /// Control characters below the tabulator, such as null.
    pub(crate) const INVISIBLE: Self = Self(1 << 16);
    /// Bytes that are not ASCII.
    pub(crate) const HIGH: Self = Self(1 << 17);
    pub(crate) const COMMA: Self = Self(1 << 18);
    pub(crate) const DOLLAR: Self = Self(1 << 19);
    /// `'` and `"`
    pub(crate) const QUOTE: Self = Self(1 << 20);
    pub(crate) const BACKTICK: Self = Self(1 << 21);
    pub(crate) const SEMICOLON: Self = Self(1 << 22);
    /// `|` and `^`
    pub(crate) const PIPE: Self = Self(1 << 23);
    /// `?` and `*`
    pub(crate) const WILDCARD: Self = Self(1 << 24);
    /// All other bytes except letters and digits.
    const OTHER: Self = Self(1 << 31);

    pub(crate) fn of(value: &[u8]) -> Self {
        Self(value.iter().fold(0, |seen, &byte| seen | KINDS[usize::from(byte)]))
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

    const fn kind(byte: u8) -> Self {
        match byte {
            b'%' => Self::PERCENT,
            b'+' => Self::PLUS,
            b'&' => Self::AMPERSAND,
            b'\\' => Self::BACKSLASH,
            b'/' => Self::SLASH,
            b'.' => Self::DOT,
            b':' => Self::COLON,
            b'=' => Self::EQUALS,
            b'<' => Self::OPEN_TAG,
            b'{' => Self::OPEN_BRACE,
            b'(' => Self::OPEN_PAREN,
            b'[' => Self::OPEN_BRACKET,
            b'#' => Self::HASH,
            b'@' => Self::AT,
            b'-' => Self::DASH,
            b',' => Self::COMMA,
            b'$' => Self::DOLLAR,
            b'\'' | b'"' => Self::QUOTE,
            b'`' => Self::BACKTICK,
            b';' => Self::SEMICOLON,
            b'|' | b'^' => Self::PIPE,
            b'?' | b'*' => Self::WILDCARD,
            b'\r' | b'\n' => Self::BREAK,
            0..=8 => Self::INVISIBLE,
            0x80.. => Self::HIGH,
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => Self(0),
            _ => Self::OTHER,
        }
    }
}

static KINDS: [u32; 256] = {
    let mut kinds = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "the loop ends at 256")]
        let kind = Bytes::kind(byte as u8);
        kinds[byte] = kind.0;
        byte += 1;
    }
    kinds
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
