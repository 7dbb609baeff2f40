//! Pseudo-random words and bytes, the same in each run.

pub(super) struct Random(u64);

/// Nouns of orders.
const WORDS: [&str; 16] = [
    "garden", "spade", "ash", "steel", "order", "table", "delivery", "winter", "driver", "customer",
    "letter", "fence", "parcel", "address", "window", "lamp",
];

/// Clauses of notes; some have words of SQL and of shells.
const CLAUSES: [&str; 16] = [
    "the spade is of ash and steel",
    "it will outlive us both",
    "please ring twice, the bell is weak",
    "the driver could not find the address",
    "we select our wood from old stock",
    "call again in March or April",
    "the table came with a scratch",
    "where it had been, we do not know",
    "the delivery is late because of snow",
    "our union will meet in the garden",
    "keep it dry, oil it twice a year",
    "the cat sat on the parcel",
    "drop us a line if it breaks",
    "update: the lamp arrived today",
    "the door was closed",
    "it isn't urgent",
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
        WORDS[usize::from(self.next().to_le_bytes()[2] % 16)]
    }

    fn clause(&mut self) -> &'static str {
        CLAUSES[usize::from(self.next().to_le_bytes()[2] % 16)]
    }

    pub(super) fn words(&mut self, count: usize) -> String {
        (0..count).map(|_| self.word()).collect::<Vec<_>>().join(" ")
    }

    /// Sentences of two clauses and a number.
    pub(super) fn sentences(&mut self, count: usize) -> String {
        let sentence = |_| format!("{}; {} ({}).", self.clause(), self.clause(), self.below(10_000));
        (0..count).map(sentence).collect::<Vec<_>>().join(" ")
    }

    pub(super) fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next().to_le_bytes()[3]).collect()
    }
}
