//! One look at a value decides which decoders and detectors read it: the bytes it is made of, and the literals in it.

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, AhoCorasickKind, MatchKind};

/// Which kinds of bytes occur in a value.
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
    /// Below the tabulator: null bytes and the like.
    pub(crate) const INVISIBLE: Self = Self(1 << 16);
    /// Not ASCII.
    pub(crate) const HIGH: Self = Self(1 << 17);
    pub(crate) const COMMA: Self = Self(1 << 18);
    /// Anything else but letters and digits.
    const OTHER: Self = Self(1 << 31);

    pub(crate) fn of(value: &[u8]) -> Self {
        Self(value.iter().fold(0, |seen, &byte| seen | KINDS[usize::from(byte)]))
    }

    pub(crate) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Does one of these occur?
    pub(crate) const fn has(self, any: Self) -> bool {
        self.0 & any.0 != 0
    }

    /// Is everything a letter, a digit or one of these?
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

/// Every literal anybody waits for, in one automaton.
pub(crate) struct Prefilter {
    literals: AhoCorasick,
    /// Literal → who waits for it.
    waiting: Vec<usize>,
}

impl Prefilter {
    /// Who waits, and for which literals; lower-case. Whoever waits for none of them is not to be asked.
    pub(crate) fn new<'l>(waiting: impl IntoIterator<Item = (usize, &'l str)>) -> Self {
        let (waiting, literals): (Vec<usize>, Vec<&str>) = waiting.into_iter().unzip();
        let literals = AhoCorasickBuilder::new()
            .match_kind(MatchKind::Standard)
            .ascii_case_insensitive(true)
            // Every byte of every request passes here; the memory is well spent.
            .kind(Some(AhoCorasickKind::DFA))
            .build(literals)
            .expect("the built-in literals are few and short: every test builds them");
        Self { literals, waiting }
    }

    /// Whose literals occur. May suspect too much, never too little.
    pub(crate) fn suspects(&self, value: &[u8]) -> Suspects {
        let mut suspects = Suspects::default();
        for literal in self.literals.find_overlapping_iter(value) {
            suspects.add(self.waiting[literal.pattern().as_usize()]);
        }
        suspects
    }
}

/// Who is to look at a value.
#[derive(Debug, Default)]
pub(crate) struct Suspects {
    words: Vec<u64>,
}

impl Suspects {
    fn add(&mut self, who: usize) {
        let word = who / 64;
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        self.words[word] |= 1 << (who % 64);
    }

    pub(crate) fn contains(&self, who: usize) -> bool {
        self.words.get(who / 64).is_some_and(|word| word & 1 << (who % 64) != 0)
    }

    /// All of them below `end`, in order.
    pub(crate) fn below(&self, end: usize) -> impl Iterator<Item = usize> {
        let bits = |(word, bits): (usize, &u64)| {
            let bits = *bits;
            (0..64).filter(move |bit| bits >> bit & 1 == 1).map(move |bit| word * 64 + bit)
        };
        self.words
            .iter()
            .enumerate()
            .filter(|(_, bits)| **bits != 0)
            .flat_map(bits)
            .take_while(move |who| *who < end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_told_apart() {
        let bytes = Bytes::of(b"a-1%");
        assert!(bytes.has(Bytes::PERCENT) && bytes.has(Bytes::DASH.or(Bytes::HIGH)));
        assert!(!bytes.has(Bytes::HIGH) && !bytes.is_word_with(Bytes::DASH));
        assert!(bytes.is_word_with(Bytes::DASH.or(Bytes::PERCENT)));
        assert!(!Bytes::of(b"a b").is_word_with(Bytes::DASH));
    }

    #[test]
    fn those_whose_literals_occur_are_suspects() {
        let prefilter = Prefilter::new([(0, "union"), (1, "select"), (70, "'"), (1, "ion")]);
        let suspects = prefilter.suspects(b"UNION all '");
        assert_eq!(suspects.below(70).collect::<Vec<_>>(), [0, 1]);
        assert!(suspects.contains(70) && !suspects.contains(2));
        assert_eq!(prefilter.suspects(b"nothing").below(100).count(), 0);
    }
}
