//! Quick rejection of prose: plain words that match no rule. Most long texts are rejected here.

use crate::words::WORDS;

/// Whether the value has only words and the punctuation of prose, and no word at which SQL could
/// begin. False when in doubt.
pub(super) fn is_prose(value: &[u8]) -> bool {
    if !value.trim_ascii_start().first().is_some_and(u8::is_ascii_alphabetic) {
        return false;
    }
    let mut words = PrecedingWords::default();
    let (mut begins, mut follows_blank, mut follows_quote, mut at) = (true, true, false, 0);
    while let Some(&byte) = value.get(at) {
        match CLASSES[usize::from(byte)] {
            Class::Foreign if byte == b'\'' && is_apostrophe(value, at) && !is_keyword(words.last) => {
                (follows_blank, follows_quote) = (false, true);
                at += 1;
            }
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
                let word = &value[at..at + length];
                if follows_quote && is_keyword(word) || !words.is_plain(word, begins, follows_blank) {
                    return false;
                }
                at += length;
                (begins, follows_blank, follows_quote) = (false, true, false);
            }
        }
    }
    true
}

/// `customer's`, `l'été`: a quote between letters. A string that it opens or closes stands between two
/// words, so no operator, comma or bracket is next to it, unless one of the words is a keyword.
fn is_apostrophe(value: &[u8], at: usize) -> bool {
    let follows = at.checked_sub(1).and_then(|before| value.get(before));
    follows.is_some_and(|it| it.is_ascii_alphabetic() || !it.is_ascii())
        && value.get(at + 1).is_some_and(|it| it.is_ascii_alphabetic() || !it.is_ascii())
}

fn is_keyword(word: &[u8]) -> bool {
    let lists = &WORDS.sqli;
    [
        &lists.clause_words,
        &lists.condition_starters,
        &lists.prose_comparisons,
        &lists.prose_constants,
        &lists.prose_triggers,
        &lists.stacked_statements,
        &lists.statements,
    ]
    .iter()
    .any(|list| list.contains(word))
        || is_any(word, &["as", "by", "case", "except", "intersect", "minus", "table", "top"])
}

fn is_any(word: &[u8], words: &[&str]) -> bool {
    words.iter().any(|it| word.eq_ignore_ascii_case(it.as_bytes()))
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
    has_case: bool,
    /// Whether the words since `select` may be the columns of a list.
    is_in_list: bool,
}

impl Default for PrecedingWords<'_> {
    fn default() -> Self {
        Self { last: b"", since_joined: usize::MAX, has_case: false, is_in_list: false }
    }
}

impl<'v> PrecedingWords<'v> {
    /// Whether no rule matches with this word.
    fn is_plain(&mut self, word: &'v [u8], begins: bool, follows_blank: bool) -> bool {
        let lists = &WORDS.sqli;
        let is_sorting = || is_any(word, &["by"]) && is_any(self.last, &["order", "group"]);
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
            || begins && (lists.statements.contains(word) || is_any(word, &["from", "is"]))
            || is_sorting()
            || self.continues_query(word, follows_blank);
        self.since_joined =
            if is_any(word, &["and", "or", "where"]) { 0 } else { self.since_joined.saturating_add(1) };
        self.last = word;
        !is_distinctive
    }

    /// Whether a query or a `case` of the words before goes on with this word. Two words without
    /// punctuation between them end a list of columns.
    fn continues_query(&mut self, word: &[u8], follows_blank: bool) -> bool {
        // Most words begin with none of these letters.
        let letter = word[0].to_ascii_lowercase();
        match letter {
            b'c' if is_any(word, &["case"]) => self.has_case = true,
            b'w' if self.has_case && is_any(word, &["when"]) => return true,
            b's' | b'v' | b't' if is_any(word, &["select", "values", "table"]) => {
                const UNIONS: [&str; 7] =
                    ["all", "distinct", "distinctrow", "except", "intersect", "minus", "union"];
                if is_any(self.last, &UNIONS) {
                    return true;
                }
                self.is_in_list |= letter == b's';
                return false;
            }
            b'f' | b'i' if self.is_in_list && is_any(word, &["from", "into"]) => return true,
            _ => {}
        }
        let continues = || {
            const MODIFIERS: [&str; 8] =
                ["all", "as", "binary", "distinct", "distinctrow", "not", "select", "top"];
            !follows_blank
                || is_any(word, &["as"])
                || is_any(self.last, &MODIFIERS)
                || self.last.iter().all(u8::is_ascii_digit)
                || self.last.get(..4).is_some_and(|it| it.eq_ignore_ascii_case(b"sql_"))
        };
        self.is_in_list = self.is_in_list && continues();
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::sqli::{read_all, read_lines};

    /// The matches without the quick rejection.
    fn read_fully(value: &[u8]) -> Vec<crate::detect::Match<'static>> {
        [read_all(value, false), read_all(value, true), read_lines(value)].concat()
    }

    #[test]
    fn recognizes_texts_of_shops() {
        for text in [
            "For heavy soil; keep it dry, oil it twice a year, and it will outlive us both. Ships in 2-3 days.",
            "Select fabrics? No: plain ones, in order of age & size",
            "Rot or grün; 20 cm",
            "It's the customer's choice, and l'été isn't over",
            "We select the fabrics of chairs from ash",
            "The union selects a table in this case",
        ] {
            assert_eq!(is_prose(text.as_bytes()), !text.starts_with("Select"), "{text}");
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
            "x select a, b from c",
            "x union all select y",
            "a case of b when c",
            "x'or y",
            "x like'y",
            "'x",
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
                assert!(!is_prose(value) || read_fully(value).is_empty(), "{}", sample.payload);
            }
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config::with_cases(8_192))]
        #[test]
        fn matches_no_rule_in_any_rejected_words(
            words in proptest::collection::vec(
                "(and|or|xor|where|1|2|a|null|not|is|in|like|select|from|union|order by|case|when|then|end|;|-|,|\\.|drop|table|set|update|into|as|limit|group by|having|by|&|!|\\+|all|true|1or|if|delete|insert|’a’|/|'|'s|top|distinct|values|n|sql_a|except|b|binary) ?",
                0..12,
            ),
        ) {
            let value = words.concat();
            proptest::prop_assert!(
                !is_prose(value.as_bytes()) || read_fully(value.as_bytes()).is_empty()
            );
        }

        #[test]
        fn matches_no_query_in_any_rejected_list(
            words in proptest::collection::vec("(select|union|all|from|into|as|top|1|a|b|,|\\.|-|'|'s|distinct|not|sql_a|true|n|x) ?", 3..14),
        ) {
            let value = format!("x {}", words.concat());
            proptest::prop_assert!(
                !is_prose(value.as_bytes()) || read_fully(value.as_bytes()).is_empty()
            );
        }
    }
}
