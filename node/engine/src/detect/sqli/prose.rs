//! Quick rejection of prose: plain words that match no rule. Most long texts are rejected here.

use crate::words::WORDS;

/// Whether the value has only words and the punctuation of prose, and no word at which SQL could
/// begin. False when in doubt.
pub(super) fn is_prose(value: &[u8]) -> bool {
    if !value.trim_ascii_start().first().is_some_and(u8::is_ascii_alphabetic) {
        return false;
    }
    let mut words = PrecedingWords { last: b"", since_joined: usize::MAX };
    let (mut begins, mut follows_blank, mut at) = (true, true, 0);
    while let Some(&byte) = value.get(at) {
        match CLASSES[usize::from(byte)] {
            Class::Foreign => return false,
            Class::Blank => at += 1,
            // `--` begins a comment, `&&` joins conditions.
            Class::Mark if matches!(byte, b'-' | b'&') && value.get(at + 1) == Some(&byte) => return false,
            Class::Mark => {
                begins |= byte == b';';
                follows_blank = false;
                at += 1;
            }
            Class::Letter => {
                let is_letter = |byte: &&u8| CLASSES[usize::from(**byte)] == Class::Letter;
                let length = value[at..].iter().take_while(is_letter).count();
                if !words.is_plain(&value[at..at + length], begins, follows_blank) {
                    return false;
                }
                at += length;
                (begins, follows_blank) = (false, true);
            }
        }
    }
    true
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Letter,
    Blank,
    Mark,
    /// Quotes, brackets, comparisons, variables: most rules require one of them.
    Foreign,
}

static CLASSES: [Class; 256] = {
    let mut classes = [Class::Foreign; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "the loop ends at 256")]
        let class = match byte as u8 {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | 0x80.. => Class::Letter,
            b' ' | b'\t' | b'\r' | b'\n' => Class::Blank,
            b',' | b'.' | b';' | b':' | b'?' | b'!' | b'-' | b'+' | b'/' | b'%' | b'&' => Class::Mark,
            _ => Class::Foreign,
        };
        classes[byte] = class;
        byte += 1;
    }
    classes
};

/// The words before the current one.
struct PrecedingWords<'v> {
    last: &'v [u8],
    /// The number of words since `and`.
    since_joined: usize,
}

impl<'v> PrecedingWords<'v> {
    /// Whether no rule starts at this word.
    fn is_plain(&mut self, word: &'v [u8], begins: bool, follows_blank: bool) -> bool {
        let lists = &WORDS.sqli;
        let is_any = |words: &[&str]| words.iter().any(|it| word.eq_ignore_ascii_case(it.as_bytes()));
        let is_sorting = || {
            word.eq_ignore_ascii_case(b"by")
                && [&b"order"[..], b"group"].iter().any(|it| self.last.eq_ignore_ascii_case(it))
        };
        let is_condition = match self.since_joined {
            // A sign or a dot may begin a number.
            0 => !follows_blank || !word[0].is_ascii_alphabetic() || lists.prose_constants.contains(word),
            1 => lists.prose_comparisons.contains(word),
            _ => false,
        };
        // `1or`: a number ends where a word begins.
        let is_glued = word[0].is_ascii_digit() && !word.iter().all(u8::is_ascii_digit);
        let is_distinctive = is_glued
            || is_condition
            || lists.prose_triggers.contains(word)
            || begins && (lists.statements.contains(word) || is_any(&["from", "is"]))
            || is_sorting();
        self.since_joined =
            if is_any(&["and", "or", "where"]) { 0 } else { self.since_joined.saturating_add(1) };
        self.last = word;
        !is_distinctive
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::sqli::read_all;

    #[test]
    fn recognizes_texts_of_shops() {
        for text in [
            "For heavy soil; keep it dry, oil it twice a year, and it will outlive us both. Ships in 2-3 days.",
            "Select fabrics? No: plain ones, in order of age & size",
            "Rot or grün; 20 cm",
        ] {
            assert_eq!(is_prose(text.as_bytes()), !text.contains("Select"), "{text}");
        }
    }

    #[test]
    fn keeps_values_at_which_rules_start() {
        for text in [
            "x or 1 like 1",
            "x or a is a",
            "x or -1 in 2",
            "a; drop b",
            "a--",
            "x or not 1",
            "1 or 2",
            "drop table x",
            "x order by 2",
            "x 1or 1 is 1",
            "from a where",
            "it's",
        ] {
            assert!(!is_prose(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn matches_no_rule_in_rejected_attacks() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/corpus/attacks");
        for file in std::fs::read_dir(folder).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            for sample in crate::corpus::parse(&text).unwrap() {
                let value = sample.payload.as_bytes();
                assert!(!is_prose(value) || read_all(value, false).is_empty(), "{}", sample.payload);
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn matches_no_rule_in_any_rejected_words(
            words in proptest::collection::vec(
                "(and|or|xor|where|1|2|a|null|not|is|in|like|select|from|union|order by|case|when|then|end|;|-|,|\\.|drop|table|set|update|into|as|limit|group by|having|by|&|!|\\+|all|true|1or|if|delete|insert|’a’|/) ?",
                0..9,
            ),
        ) {
            let value = words.concat();
            proptest::prop_assert!(!is_prose(value.as_bytes()) || read_all(value.as_bytes(), false).is_empty());
        }
    }
}
