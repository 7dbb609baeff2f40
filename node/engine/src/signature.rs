//! Catalogue of signatures: regular expressions as data, each with its own evidence. The
//! [prefilter](crate::prefilter) finds the candidates; only their regular expressions run.

use crate::{prefilter::CandidateSet, token::markdown};
use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::{
    ParserBuilder,
    hir::{Look, literal::Extractor},
};
use serde::Deserialize;
use shared::{AttackType, Severity};
use std::{borrow::Cow, ops::Range};

const FILES: &[(AttackType, &str)] = &[
    (AttackType::Crlf, include_str!("../signatures/crlf.toml")),
    (AttackType::Ldapi, include_str!("../signatures/ldapi.toml")),
    (AttackType::MailInjection, include_str!("../signatures/mail.toml")),
    (AttackType::Nosqli, include_str!("../signatures/nosqli.toml")),
    (AttackType::PathTraversal, include_str!("../signatures/ptrav.toml")),
    (AttackType::Rce, include_str!("../signatures/rce.toml")),
    (AttackType::Sqli, include_str!("../signatures/sqli.toml")),
    (AttackType::Ssi, include_str!("../signatures/ssi.toml")),
    (AttackType::Xss, include_str!("../signatures/xss.toml")),
    (AttackType::Xxe, include_str!("../signatures/xxe.toml")),
];

/// Memory limit of a compiled regular expression.
const REGEX_BYTES: usize = 4 << 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    signature: Vec<Entry>,
}

/// A signature as its file states it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: String,
    severity: Severity,
    /// Every value that the pattern matches contains one of these; lower-case.
    required_literals: Vec<String>,
    /// And one of these, unless the list is empty.
    #[serde(default)]
    co_required_literals: Vec<String>,
    /// A match is an attack. Case does not matter; `.` matches line breaks.
    pattern: String,
    /// Posts and files quote such code without harm.
    #[serde(default)]
    skip_in_documents: bool,
    /// Evidence, which the tests check.
    #[serde(default)]
    #[cfg_attr(not(test), expect(dead_code, reason = "evidence, read by the tests"))]
    hits: Vec<String>,
    #[serde(default)]
    #[cfg_attr(not(test), expect(dead_code, reason = "evidence, read by the tests"))]
    misses: Vec<String>,
}

/// A signature, ready to match.
pub(crate) struct Signature {
    pub attack_type: AttackType,
    pub id: String,
    pub severity: Severity,
    skip_in_documents: bool,
    required_literals: Vec<String>,
    co_required_literals: Vec<String>,
    pattern: Regex,
    /// The first bytes of all values that can match; `None` for a pattern that may match in
    /// mid-value.
    first_bytes: Option<ByteSet>,
}

/// A bit for each byte.
#[derive(Default)]
struct ByteSet([u64; 4]);

impl ByteSet {
    fn insert(&mut self, byte: u8) {
        self.0[usize::from(byte / 64)] |= 1 << (byte % 64);
    }

    fn contains(&self, byte: u8) -> bool {
        self.0[usize::from(byte / 64)] >> (byte % 64) & 1 == 1
    }
}

/// All signatures, ready to match.
pub(crate) struct Catalogue {
    signatures: Vec<Signature>,
}

impl Catalogue {
    /// The signatures in `signatures/`.
    pub(crate) fn built_in() -> Self {
        Self {
            signatures: entries()
                .into_iter()
                .map(|(attack_type, entry)| compile(attack_type, entry))
                .collect(),
        }
    }

    /// The prefilter slots of signatures are below this: one for the required and one for the
    /// co-required literals of each.
    pub(crate) fn slot_count(&self) -> usize {
        2 * self.signatures.len()
    }

    /// The literals of all signatures, by slot.
    pub(crate) fn literals(&self) -> impl Iterator<Item = (usize, &str)> {
        let required = self.signatures.iter().map(|it| &it.required_literals);
        let co_required = self.signatures.iter().map(|it| &it.co_required_literals);
        let slots = required.chain(co_required).enumerate();
        slots.flat_map(|(slot, literals)| literals.iter().map(move |it| (slot, it.as_str())))
    }

    /// Each signature that matches, once, with its first match. Code that a document quotes is not
    /// searched.
    pub(crate) fn matches(
        &self,
        value: &[u8],
        candidates: &CandidateSet,
        is_document: bool,
    ) -> Vec<(&Signature, Range<usize>)> {
        let count = self.signatures.len();
        let is_candidate = |slot: &usize| {
            self.signatures[*slot].co_required_literals.is_empty() || candidates.contains(count + slot)
        };
        let signatures = candidates.below(count).filter(is_candidate).map(|slot| &self.signatures[slot]);
        let mut signatures = signatures.filter(|it| it.may_begin(value)).peekable();
        if signatures.peek().is_none() {
            return Vec::new();
        }
        let text = if is_document { markdown::without_code(value) } else { Cow::Borrowed(value) };
        let signatures = signatures.filter(|it| !(it.skip_in_documents && is_document));
        signatures.filter_map(|it| it.pattern.find(&text).map(|matched| (it, matched.range()))).collect()
    }
}

impl Signature {
    /// Whether the pattern may match a value with this first byte.
    fn may_begin(&self, value: &[u8]) -> bool {
        let has = |bytes: &ByteSet| value.first().is_some_and(|&byte| bytes.contains(byte));
        self.first_bytes.as_ref().is_none_or(has)
    }
}

/// Base64 or hex of an object as Java, .NET, Python or Ruby serialize it: attacks that look like
/// one word.
pub(crate) fn is_serialized(value: &[u8]) -> bool {
    const STARTS: &[&[u8]] = &[
        b"rO0AB",
        b"KztAAU",
        b"Cs7QAF",
        b"AAEAAAD",
        b"gASV",
        b"gAN",
        b"gAJj",
        b"BAhv",
        b"BAhU",
        b"aced0005",
    ];
    value.len() >= 6
        && matches!(value[0], b'r' | b'K' | b'C' | b'A' | b'g' | b'B' | b'a')
        && STARTS.iter().any(|it| value.starts_with(it))
}

fn entries() -> Vec<(AttackType, Entry)> {
    let read = |(attack_type, text): &(AttackType, &str)| {
        let file: File = toml::from_str(text).expect("the built-in catalogue is valid TOML: a test reads it");
        file.signature.into_iter().map(|entry| (attack_type.clone(), entry)).collect::<Vec<_>>()
    };
    FILES.iter().flat_map(read).collect()
}

fn compile(attack_type: AttackType, entry: Entry) -> Signature {
    let pattern = RegexBuilder::new(&entry.pattern)
        .case_insensitive(true)
        .dot_matches_new_line(true)
        .unicode(false)
        .size_limit(REGEX_BYTES)
        .build()
        .expect("the built-in patterns compile: a test compiles them");
    Signature {
        attack_type,
        id: entry.id,
        severity: entry.severity,
        skip_in_documents: entry.skip_in_documents,
        required_literals: entry.required_literals,
        co_required_literals: entry.co_required_literals,
        pattern,
        first_bytes: first_bytes(&entry.pattern),
    }
}

/// The first bytes of all values that a pattern anchored at the start can match.
fn first_bytes(pattern: &str) -> Option<ByteSet> {
    let mut parser = ParserBuilder::new();
    parser.case_insensitive(true).dot_matches_new_line(true).unicode(false).utf8(false);
    let parsed = parser.build().parse(pattern).ok()?;
    if !parsed.properties().look_set_prefix().contains(Look::Start) {
        return None;
    }
    let mut firsts = Extractor::new();
    firsts.limit_literal_len(1).limit_class(256).limit_total(1 << 12);
    let mut bytes = ByteSet::default();
    for first in firsts.extract(&parsed).literals()? {
        bytes.insert(*first.as_bytes().first()?);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prefilter::Prefilter;
    use std::collections::HashSet;

    fn is_match(catalogue: &Catalogue, id: &str, text: &str) -> bool {
        let candidates = Prefilter::new(catalogue.literals()).candidates(text.as_bytes());
        catalogue.matches(text.as_bytes(), &candidates, false).iter().any(|(signature, _)| signature.id == id)
    }

    #[test]
    fn each_signature_matches_its_hits_and_not_its_misses() {
        let catalogue = Catalogue::built_in();
        let mut wrong = Vec::new();
        for (_, entry) in entries() {
            let missed = entry.hits.iter().filter(|text| !is_match(&catalogue, &entry.id, text));
            wrong.extend(missed.map(|text| format!("{} must match {text:?}", entry.id)));
            let alarms = entry.misses.iter().filter(|text| is_match(&catalogue, &entry.id, text));
            wrong.extend(alarms.map(|text| format!("{} must not match {text:?}", entry.id)));
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn each_signature_has_evidence_and_a_unique_id() {
        let mut ids = HashSet::new();
        for (attack_type, entry) in entries() {
            assert!(!entry.hits.is_empty() && !entry.misses.is_empty(), "{} lacks evidence", entry.id);
            assert!(entry.id.starts_with(attack_type.as_str()), "{} does not begin with its type", entry.id);
            assert!(ids.insert(entry.id.clone()), "{} is used twice", entry.id);
        }
    }

    #[test]
    fn each_hit_contains_the_required_literals() {
        for (_, entry) in entries() {
            for hit in entry.hits.iter().map(|hit| hit.to_lowercase()) {
                let has = |literals: &[String]| literals.iter().any(|literal| hit.contains(literal));
                assert!(has(&entry.required_literals), "{}: {hit}", entry.id);
                let also = &entry.co_required_literals;
                assert!(also.is_empty() || has(also), "{}: {hit}", entry.id);
            }
        }
    }

    #[test]
    fn derives_the_first_bytes_of_an_anchored_pattern() {
        let begins = |pattern: &str| {
            let bytes = first_bytes(pattern)?;
            Some((0..=255).filter(|&byte| bytes.contains(byte)).map(char::from).collect::<String>())
        };
        assert_eq!(begins("^(?:a|[0-2]+x)").as_deref(), Some("012Aa"));
        assert_eq!(begins(r"^\x20*b").as_deref(), Some(" Bb"));
        for anywhere in ["a", "^a|b", "^a*$", "(?:^|b)c"] {
            assert_eq!(begins(anywhere), None, "{anywhere}");
        }
    }
}
