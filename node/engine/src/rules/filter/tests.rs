use super::*;
use proptest::prelude::*;
use regex::bytes::Regex;
use std::sync::LazyLock;

/// The filter of one pattern.
struct Filter {
    automata: Vec<Automaton>,
    parts: usize,
}

impl Filter {
    fn new(pattern: &str) -> Self {
        let parts = parts_of(pattern);
        assert!(!parts.is_empty(), "{pattern}");
        Self { automata: automata(&parts.iter().collect::<Vec<_>>()), parts: parts.len() }
    }

    fn may_match(&self, value: &[u8]) -> bool {
        let mut found = PatternSet::new(self.parts);
        self.automata.iter().for_each(|it| it.search(value, &mut found));
        found.len() == self.parts
    }
}

fn parts_of(pattern: &str) -> Vec<Hir> {
    parts(&regex_syntax::ParserBuilder::new().utf8(false).build().parse(pattern).unwrap())
}

fn automata_of(pattern: impl Fn(usize) -> String) -> usize {
    let parts: Vec<Hir> = (0..100).flat_map(|number| parts_of(&pattern(number))).collect();
    automata(&parts.iter().collect::<Vec<_>>()).len()
}

/// Patterns with anchors, counts, classes, gaps, choices and boundaries of words.
const PATTERNS: &[&str] = &[
    "ab+",
    "^ab",
    "b$",
    r"(?i)\ba\b",
    r"a.{0,80}b",
    r"(?s)a.{3,90}b$",
    r"\w{2,9}é",
    r"(?-u:\b)a|[^a]b\B",
    "(?m)^b.*a$",
    r"(?:a+|b*)é{2,}|\w{3}",
    "(?:a.*b|é)a.*é",
    ".{3,}",
    "^.*a",
];

static FILTERS: LazyLock<Vec<(Regex, Filter)>> =
    LazyLock::new(|| PATTERNS.iter().map(|it| (Regex::new(it).unwrap(), Filter::new(it))).collect());

#[test]
fn every_part_of_a_pattern_is_required() {
    let filter = Filter::new(r"\bword\b.{0,80}secret");
    assert!(filter.may_match(b"swords and secrets"));
    assert!(filter.may_match(["word ", &"x".repeat(100), " secret"].concat().as_bytes()));
    assert!(!filter.may_match(b"word secre"));
    assert!(!filter.may_match(b"wor secret"));
}

#[test]
fn a_hundred_patterns_need_few_automata() {
    assert_eq!(automata_of(|number| format!("a{number}.*b{number}")), 1);
    assert_eq!(automata_of(|number| format!(r"(?i)\w+@a{number}\.[a-z]{{2,}}")), 1);
    assert_eq!(automata_of(|number| format!(r"(?i)\bword{number}\s*=\s*(?:on|[1-9]+)")), 1);
    assert!(automata_of(|number| format!("(?:a{number}.*b{number}|c)d")) <= 40);
}

#[test]
fn a_large_part_is_widened() {
    assert_eq!(parts_of(r"\w{2,40}-x").len(), 1);
    assert!(Filter::new(r"\w{2,40}-x").may_match(b"ab-x"));
    assert!(!Filter::new(r"a\w{2,40}-x").may_match(b"ab-"));
}

proptest! {
    #[test]
    fn the_filter_finds_whatever_the_patterns_match(value in "[abé \n]{0,40}|a.{70,90}b") {
        for (regex, filter) in &*FILTERS {
            let value = value.as_bytes();
            prop_assert!(!regex.is_match(value) || filter.may_match(value), "{regex}");
        }
    }
}
