//! Sets of words: most lookups fail, and fail by the length, the first and the last letter alone.

use serde::Deserialize;

/// Words in lower case, each of less than [`WordSet::LENGTHS`] bytes.
#[derive(Debug, Deserialize)]
#[serde(from = "Vec<String>")]
pub(crate) struct WordSet {
    /// All words without separators, the shorter ones first.
    text: Box<[u8]>,
    /// For each length where its words begin in `text`; one more, where the longest ones end.
    starts: [u16; Self::LENGTHS + 1],
    /// For each length the first and the last letters that occur.
    letters: [(u32, u32); Self::LENGTHS],
}

impl WordSet {
    const LENGTHS: usize = 64;

    /// Whether a word in any case is in the set.
    pub(crate) fn contains(&self, word: impl AsRef<[u8]>) -> bool {
        let word = word.as_ref();
        self.of_length_of(word).is_some_and(|mut words| words.any(|it| it.eq_ignore_ascii_case(word)))
    }

    /// Whether a word is in the set as it is spelled.
    pub(crate) fn contains_exact(&self, word: impl AsRef<[u8]>) -> bool {
        let word = word.as_ref();
        self.of_length_of(word).is_some_and(|mut words| words.any(|it| it == word))
    }

    /// All words, the shorter ones first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        let words = (1..Self::LENGTHS).flat_map(|length| self.of_length(length));
        words.map(|word| std::str::from_utf8(word).unwrap_or_default())
    }

    /// The words of the same length and first letter. `None` when none has the same last letter.
    #[inline]
    fn of_length_of(&self, word: &[u8]) -> Option<impl Iterator<Item = &[u8]>> {
        let (firsts, lasts) = self.letters.get(word.len())?;
        let (first, last) = (letter(*word.first()?), letter(*word.last()?));
        let has_first = move |it: &&[u8]| it.first().is_some_and(|&byte| letter(byte) == first);
        (firsts & first != 0 && lasts & last != 0).then(|| self.of_length(word.len()).filter(has_first))
    }

    fn of_length(&self, length: usize) -> impl Iterator<Item = &[u8]> {
        let range = usize::from(self.starts[length])..usize::from(self.starts[length + 1]);
        self.text[range].chunks_exact(length)
    }
}

impl From<Vec<String>> for WordSet {
    fn from(mut words: Vec<String>) -> Self {
        words.sort_by_key(String::len);
        let mut starts = [0; Self::LENGTHS + 1];
        let mut letters = [(0, 0); Self::LENGTHS];
        for word in words.iter().map(String::as_bytes) {
            assert!((1..Self::LENGTHS).contains(&word.len()), "a word is empty or too long");
            let (firsts, lasts) = &mut letters[word.len()];
            *firsts |= letter(word[0]);
            *lasts |= letter(word[word.len() - 1]);
            let length = u16::try_from(word.len()).unwrap_or(u16::MAX);
            starts[word.len() + 1..].iter_mut().for_each(|start| *start += length);
        }
        Self { text: words.concat().into_bytes().into_boxed_slice(), starts, letters }
    }
}

/// The bit of a letter in either case.
const fn letter(byte: u8) -> u32 {
    1 << (byte & 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_words_in_any_case() {
        let set = WordSet::from(vec!["url".to_owned(), "callback".to_owned(), "uri".to_owned()]);
        assert!(set.contains("url") && set.contains("CallBack") && set.contains_exact("uri"));
        assert!(!set.contains_exact("URL"));
        for word in ["", "ur", "urx", "urn", "cal1back", &"u".repeat(99)] {
            assert!(!set.contains(word), "{word}");
        }
        assert_eq!(set.iter().collect::<Vec<_>>(), ["url", "uri", "callback"]);
    }

    proptest::proptest! {
        #[test]
        fn contains_its_words_and_no_others(
            words in proptest::collection::vec("[a-c]{1,4}", 1..9),
            word in "[a-cA-C1]{0,5}",
        ) {
            let set = WordSet::from(words.clone());
            proptest::prop_assert_eq!(set.contains(&word), words.contains(&word.to_ascii_lowercase()));
            proptest::prop_assert_eq!(set.contains_exact(&word), words.contains(&word));
        }
    }
}
