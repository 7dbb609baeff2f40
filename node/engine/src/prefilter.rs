//! Prefilter: one pass over a value selects the decoders and detectors to run, by byte classes and
//! literals.

mod bytes;

pub(crate) use bytes::Bytes;

/// The literals of all signatures and detectors.
///
/// An automaton over all of them would take megabytes, with a cache miss per state on a cold
/// request. Here 16 KB of tables locate possible occurrences, and only those are compared.
pub(crate) struct Prefilter {
    byte_groups: Box<[ByteGroups; 256]>,
    /// Literals of one byte, by group.
    single: Groups,
    /// Literals of two and three bytes, by group.
    short: Groups,
    /// The bits of the keys in each bucket.
    filter: Box<[u16; BUCKETS]>,
    /// The index in `long` of each bucket's first literal, and the end of the last bucket.
    starts: Box<[u16]>,
    /// All longer literals, sorted by the hash of their keys.
    long: Vec<Literal>,
}

/// The groups of literals that contain a byte: as a single byte, and at each of three positions of
/// short literals. Literals of two bytes start at the second position, with any byte at the first.
#[derive(Clone, Copy, Default)]
struct ByteGroups {
    single: u64,
    short: [u64; 3],
    /// The byte in lower case.
    lower: u32,
}

/// Groups of literals; each group has a bit in the masks.
type Groups = Vec<Vec<Literal>>;
const GROUPS: usize = 64;

/// The length of a key: the rarest bytes in a row of a long literal.
const KEY: usize = 4;
const BUCKETS: usize = 1 << 12;

struct Literal {
    pattern_id: usize,
    text: Box<[u8]>,
    /// The end of the key in the literal.
    key_end: usize,
}

impl Prefilter {
    /// A prefilter for the literals of patterns, matched in any case.
    pub(crate) fn new<'l>(literals: impl IntoIterator<Item = (usize, &'l str)>) -> Self {
        let literals = literals.into_iter().map(|(pattern_id, text)| Literal::new(pattern_id, text));
        let (mut long, short): (Vec<_>, Vec<_>) = literals.partition(|it| it.text.len() >= KEY);
        let (single, short): (Vec<_>, Vec<_>) = short.into_iter().partition(|it| it.text.len() < 2);
        let (single, short) = (grouped(single), grouped(short));
        long.sort_by_key(Literal::hash);
        let mut filter = Box::new([0; BUCKETS]);
        for (bucket, bit) in long.iter().map(|it| bucket(it.hash())) {
            filter[bucket] |= bit;
        }
        let start = |bucket: usize| long.partition_point(|it| self::bucket(it.hash()).0 < bucket);
        let starts = (0..=BUCKETS).map(|bucket| u16::try_from(start(bucket)).unwrap_or(u16::MAX)).collect();
        Self { byte_groups: byte_groups(&single, &short), single, short, filter, starts, long }
    }

    /// The patterns with a literal in the value. Hot path: runs over every byte of every request.
    pub(crate) fn candidates(&self, value: &[u8]) -> CandidateSet {
        let mut candidates = CandidateSet::default();
        let (mut single, mut key) = (0, 0);
        // The groups of short literals whose patterns are not all candidates yet.
        let mut open = u64::MAX;
        // Any byte may precede the first.
        let (mut first, mut second) = (u64::MAX, 0);
        for (at, &byte) in value.iter().enumerate() {
            let byte_groups = &self.byte_groups[usize::from(byte)];
            single |= byte_groups.single;
            let short = second & byte_groups.short[2] & open;
            second = first & byte_groups.short[1];
            first = byte_groups.short[0];
            key = key << 8 | byte_groups.lower;
            let (bucket, bit) = bucket(hash(key));
            for group in bits(short) {
                if candidates.extend(&self.short[group], value, at + 1) {
                    open &= !(1 << group);
                }
            }
            if self.filter[bucket] & bit != 0 {
                let range = usize::from(self.starts[bucket])..usize::from(self.starts[bucket + 1]);
                candidates.extend(&self.long[range], value, at + 1);
            }
        }
        bits(single).flat_map(|group| &self.single[group]).for_each(|it| candidates.add(it.pattern_id));
        candidates
    }
}

impl Literal {
    fn new(pattern_id: usize, text: &str) -> Self {
        assert!(pattern_id < CandidateSet::CAPACITY, "pattern id {pattern_id} exceeds the candidate set");
        let text = text.to_ascii_lowercase().into_bytes().into_boxed_slice();
        let rarest = text.windows(KEY).enumerate().min_by_key(|(_, it)| commonness(it));
        let key_end = rarest.map_or(text.len(), |(at, _)| at + KEY);
        Self { pattern_id, text, key_end }
    }

    fn hash(&self) -> u16 {
        let key = &self.text[self.key_end.saturating_sub(KEY)..self.key_end];
        hash(key.iter().fold(0, |key, byte| key << 8 | u32::from(*byte)))
    }

    /// Whether the literal occurs with its key ending at `end`.
    fn is_at(&self, value: &[u8], end: usize) -> bool {
        let start = end.checked_sub(self.key_end);
        let text = start.and_then(|start| value.get(start..start + self.text.len()));
        text.is_some_and(|text| text.eq_ignore_ascii_case(&self.text))
    }
}

/// Splits literals into groups of similar ones.
fn grouped(mut literals: Vec<Literal>) -> Groups {
    literals.sort_by(|one, other| (one.text.len(), &one.text).cmp(&(other.text.len(), &other.text)));
    let size = literals.len().div_ceil(GROUPS).max(1);
    let mut groups = Groups::new();
    for literal in literals {
        match groups.last_mut().filter(|group| group.len() < size) {
            Some(group) => group.push(literal),
            None => groups.push(vec![literal]),
        }
    }
    groups
}

fn byte_groups(single: &Groups, short: &Groups) -> Box<[ByteGroups; 256]> {
    let mut byte_groups = Box::new([ByteGroups::default(); 256]);
    for (byte, groups) in (0..=u8::MAX).zip(byte_groups.iter_mut()) {
        groups.lower = u32::from(byte.to_ascii_lowercase());
    }
    let both = |byte: u8| [usize::from(byte), usize::from(byte.to_ascii_uppercase())];
    for (group, literal) in numbered(single) {
        for byte in literal.text.iter().flat_map(|byte| both(*byte)) {
            byte_groups[byte].single |= 1 << group;
        }
    }
    for (group, literal) in numbered(short) {
        let before = 3 - literal.text.len();
        for byte in 0..256 * before {
            byte_groups[byte % 256].short[0] |= 1 << group;
        }
        for (at, byte) in literal.text.iter().enumerate() {
            for byte in both(*byte) {
                byte_groups[byte].short[before + at] |= 1 << group;
            }
        }
    }
    byte_groups
}

/// Each literal with the number of its group.
fn numbered(groups: &Groups) -> impl Iterator<Item = (usize, &Literal)> {
    groups.iter().enumerate().flat_map(|(number, group)| group.iter().map(move |it| (number, it)))
}

/// The indices of the set bits.
fn bits(mut set: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = set.trailing_zeros() as usize;
        set &= set.wrapping_sub(1);
        (bit < 64).then_some(bit)
    })
}

/// An estimate of the frequency of bytes in requests.
fn commonness(bytes: &[u8]) -> usize {
    const LETTERS: &[u8] = b"zqxjkvbwpygfmcdlhuisrnoate ";
    bytes.iter().map(|byte| LETTERS.iter().position(|it| it == byte).map_or(8, |rank| rank)).sum()
}

/// A 16-bit hash of a key.
const fn hash(key: u32) -> u16 {
    (key.wrapping_mul(0x9E37_79B1) >> 16) as u16
}

/// The bucket of a hash and its bit in the bucket.
const fn bucket(hash: u16) -> (usize, u16) {
    ((hash >> 4) as usize, 1 << (hash & 15))
}

/// A set of pattern ids: the signatures and detectors that may match a value.
#[derive(Debug, Default)]
pub(crate) struct CandidateSet {
    words: [u64; Self::WORDS],
}

impl CandidateSet {
    const WORDS: usize = 8;
    const CAPACITY: usize = 64 * Self::WORDS;

    fn add(&mut self, pattern_id: usize) {
        self.words[pattern_id / 64] |= 1 << (pattern_id % 64);
    }

    /// Adds the patterns of the literals here. Returns whether those of all literals are in the set.
    fn extend(&mut self, literals: &[Literal], value: &[u8], end: usize) -> bool {
        let mut are_all = true;
        for literal in literals {
            if !self.contains(literal.pattern_id) {
                if literal.is_at(value, end) {
                    self.add(literal.pattern_id);
                } else {
                    are_all = false;
                }
            }
        }
        are_all
    }

    pub(crate) fn contains(&self, pattern_id: usize) -> bool {
        self.words.get(pattern_id / 64).is_some_and(|word| word & 1 << (pattern_id % 64) != 0)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.words == [0; Self::WORDS]
    }

    pub(crate) fn add_all(&mut self, other: &Self) {
        self.words.iter_mut().zip(other.words).for_each(|(word, others)| *word |= others);
    }

    /// The ids below `end`, in ascending order.
    pub(crate) fn below(&self, end: usize) -> impl Iterator<Item = usize> {
        let numbers = |(word, set): (usize, &u64)| bits(*set).map(move |bit| word * 64 + bit);
        self.words.iter().enumerate().flat_map(numbers).take_while(move |pattern_id| *pattern_id < end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn patterns_whose_literals_occur_are_candidates() {
        let prefilter = Prefilter::new([(0, "union"), (1, "select"), (70, "'"), (1, "ion")]);
        let candidates = prefilter.candidates(b"UNION all '");
        assert_eq!(candidates.below(70).collect::<Vec<_>>(), [0, 1]);
        assert!(candidates.contains(70) && !candidates.contains(2));
        assert_eq!(prefilter.candidates(b"nothing").below(100).count(), 0);
    }

    proptest! {
        #[test]
        fn literals_of_any_length_are_found(value in "(union|AB|[aAb'( ]|sel|elect|\\.e\\.){0,12}") {
            const LITERALS: [&str; 8] = ["'", "(", "ab", "b ", " a'", "union", "select", ".e."];
            let candidates = Prefilter::new(LITERALS.into_iter().enumerate()).candidates(value.as_bytes());
            let lower = value.to_ascii_lowercase();
            for (pattern_id, literal) in LITERALS.iter().enumerate() {
                prop_assert_eq!(candidates.contains(pattern_id), lower.contains(literal), "{}", literal);
            }
        }
    }
}
