//! The catalogue: signatures as data, each with its own evidence. The [prefilter](crate::prefilter)
//! finds the candidates; only their regular expressions run.

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

/// A compiled regular expression may take this much memory.
const REGEX_BYTES: usize = 4 << 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    signature: Vec<Entry>,
}

/// A signature as it is written down.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: String,
    severity: Severity,
    /// One of these is in every value the pattern matches; lower-case.
    needs: Vec<String>,
    /// One of these is, too, if there are any.
    #[serde(default)]
    beside: Vec<String>,
    /// Where it matches, it is an attack. Case does not matter, `.` matches line breaks.
    pattern: String,
    /// Posts and files quote it innocently: documents are not searched for it.
    #[serde(default)]
    quotable: bool,
    /// Evidence; read by the tests.
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
    quotable: bool,
    needs: Vec<String>,
    beside: Vec<String>,
    pattern: Regex,
    /// With what a value may begin, where the pattern begins with it.
    opens: Option<Opens>,
}

/// A bit for each byte.
type Opens = [u64; 4];

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

    /// Pattern ids of signatures are below this.
    pub(crate) fn slot_count(&self) -> usize {
        2 * self.signatures.len()
    }

    /// The literals that signatures wait for, by their number.
    pub(crate) fn literals(&self) -> impl Iterator<Item = (usize, &str)> {
        let needs = self.signatures.iter().enumerate().map(|(number, it)| (number, &it.needs));
        // What is beside them waits by a number of its own.
        let beside = (self.signatures.len()..).zip(&self.signatures).map(|(number, it)| (number, &it.beside));
        needs
            .chain(beside)
            .flat_map(|(number, literals)| literals.iter().map(move |it| (number, it.as_str())))
    }

    /// Each signature that matches, once, with its first match. What a post quotes as code is not searched.
    pub(crate) fn matches(
        &self,
        value: &[u8],
        candidates: &CandidateSet,
        is_document: bool,
    ) -> Vec<(&Signature, Range<usize>)> {
        let count = self.signatures.len();
        let is_beside = |number: &usize| {
            self.signatures[*number].beside.is_empty() || candidates.contains(count + number)
        };
        let signatures = candidates.below(count).filter(is_beside).map(|number| &self.signatures[number]);
        let mut signatures = signatures.filter(|it| it.may_open(value)).peekable();
        if signatures.peek().is_none() {
            return Vec::new();
        }
        let text = if is_document { markdown::without_code(value) } else { Cow::Borrowed(value) };
        let signatures = signatures.filter(|it| !(it.quotable && is_document));
        signatures.filter_map(|it| it.pattern.find(&text).map(|found| (it, found.range()))).collect()
    }
}

impl Signature {
    /// Whether the pattern may match a value that begins so.
    fn may_open(&self, value: &[u8]) -> bool {
        let has = |opens: &Opens| {
            value.first().is_some_and(|&byte| opens[usize::from(byte / 64)] >> (byte % 64) & 1 == 1)
        };
        self.opens.as_ref().is_none_or(has)
    }
}

/// Base64 or hex of an object as Java, .NET, Python or Ruby serialize it: attacks that look like one word.
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
        quotable: entry.quotable,
        needs: entry.needs,
        beside: entry.beside,
        pattern,
        opens: opens(&entry.pattern),
    }
}

/// The first bytes of all values that a pattern can match, if it matches from their beginning.
fn opens(pattern: &str) -> Option<Opens> {
    let mut parser = ParserBuilder::new();
    parser.case_insensitive(true).dot_matches_new_line(true).unicode(false).utf8(false);
    let parsed = parser.build().parse(pattern).ok()?;
    if !parsed.properties().look_set_prefix().contains(Look::Start) {
        return None;
    }
    let mut firsts = Extractor::new();
    firsts.limit_literal_len(1).limit_class(256).limit_total(1 << 12);
    let mut opens = [0; 4];
    for first in firsts.extract(&parsed).literals()? {
        let byte = *first.as_bytes().first()?;
        opens[usize::from(byte / 64)] |= 1 << (byte % 64);
    }
    Some(opens)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prefilter::Prefilter;
    use std::collections::HashSet;

    fn found(catalogue: &Catalogue, id: &str, text: &str) -> bool {
        let candidates = Prefilter::new(catalogue.literals()).candidates(text.as_bytes());
        catalogue.matches(text.as_bytes(), &candidates, false).iter().any(|(signature, _)| signature.id == id)
    }

    #[test]
    fn every_signature_finds_its_hits_and_leaves_its_misses() {
        let catalogue = Catalogue::built_in();
        let mut wrong = Vec::new();
        for (_, entry) in entries() {
            let missed = entry.hits.iter().filter(|text| !found(&catalogue, &entry.id, text));
            wrong.extend(missed.map(|text| format!("{} must find {text:?}", entry.id)));
            let alarms = entry.misses.iter().filter(|text| found(&catalogue, &entry.id, text));
            wrong.extend(alarms.map(|text| format!("{} must leave {text:?}", entry.id)));
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn every_signature_has_evidence_and_an_id_of_its_own() {
        let mut ids = HashSet::new();
        for (attack_type, entry) in entries() {
            assert!(!entry.hits.is_empty() && !entry.misses.is_empty(), "{} lacks evidence", entry.id);
            assert!(entry.id.starts_with(attack_type.as_str()), "{} names no type", entry.id);
            assert!(ids.insert(entry.id.clone()), "{} is there twice", entry.id);
        }
    }

    #[test]
    fn the_literals_are_in_every_hit() {
        for (_, entry) in entries() {
            for hit in entry.hits.iter().map(|hit| hit.to_lowercase()) {
                let has = |literals: &[String]| literals.iter().any(|literal| hit.contains(literal));
                assert!(has(&entry.needs), "{}: {hit}", entry.id);
                assert!(entry.beside.is_empty() || has(&entry.beside), "{}: {hit}", entry.id);
            }
        }
    }

    #[test]
    fn what_a_pattern_begins_with_is_known() {
        let begins = |pattern: &str| {
            let opens = opens(pattern)?;
            let firsts = (0..=255).filter(|&byte: &u8| opens[usize::from(byte / 64)] >> (byte % 64) & 1 == 1);
            Some(firsts.map(char::from).collect::<String>())
        };
        assert_eq!(begins("^(?:a|[0-2]+x)").as_deref(), Some("012Aa"));
        assert_eq!(begins(r"^\x20*b").as_deref(), Some(" Bb"));
        for anywhere in ["a", "^a|b", "^a*$", "(?:^|b)c"] {
            assert_eq!(begins(anywhere), None, "{anywhere}");
        }
    }
}
