//! Pseudo-random words and bytes, the same in each run.

pub(super) struct Random(u64);

/// Words of orders and posts; some are words of SQL and of shells.
const WORDS: [&str; 32] = [
    "the", "garden", "spade", "of", "ash", "and", "steel", "will", "outlive", "us", "order", "select",
    "from", "table", "with", "a", "delivery", "is", "late", "because", "our", "winter", "driver", "could",
    "not", "find", "where", "to", "go", "call", "or", "again",
];

impl Random {
    pub(super) fn new() -> Self {
        Self(0x2545_F491_4F6C_DD1D)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    pub(super) fn word(&mut self) -> &'static str {
        WORDS[usize::try_from(self.next() % 32).unwrap_or_default()]
    }

    pub(super) fn words(&mut self, count: usize) -> String {
        (0..count).map(|_| self.word()).collect::<Vec<_>>().join(" ")
    }

    /// Sentences of twelve words each.
    pub(super) fn sentences(&mut self, count: usize) -> String {
        (0..count).map(|_| format!("{}, {}.", self.words(7), self.words(5))).collect::<Vec<_>>().join(" ")
    }

    pub(super) fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next().to_le_bytes()[3]).collect()
    }
}
