//! Known commands, and the kinds of arguments that distinguish them from plain words.

use crate::words::{Argument, Commands, WORDS};
use std::sync::LazyLock;

/// A dash and a letter, `/c`, `+%s`.
pub(super) const FLAG: u8 = 1;
/// A path or a file name.
pub(super) const PATH: u8 = 2;
pub(super) const NUMBER: u8 = 4;
/// An address of a host or a URL.
pub(super) const HOST: u8 = 8;
pub(super) const VARIABLE: u8 = 16;
pub(super) const QUOTED: u8 = 32;
/// Any word.
pub(super) const WORD: u8 = 64;
/// No argument.
pub(super) const ALONE: u8 = 128;

/// A program or a builtin.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    /// Kinds of arguments that show a command, as bits.
    pub takes: u8,
    /// Its name does not occur in prose.
    pub is_distinctive: bool,
}

/// Sorted by name. The first word of most values is looked up here, so a hash table would have to
/// resist attackers.
static KNOWN: LazyLock<Vec<(&str, Known)>> = LazyLock::new(|| {
    let read = |groups: &'static [Commands], is_distinctive| {
        let known = move |it: &Commands| Known { takes: bits(&it.takes), is_distinctive };
        groups.iter().flat_map(move |it| it.names.iter().map(move |name| (name.as_str(), known(it))))
    };
    let mut known: Vec<_> = read(&WORDS.rce.plain, false).chain(read(&WORDS.rce.distinctive, true)).collect();
    known.sort_by_key(|(name, _)| *name);
    known
});

fn bits(arguments: &[Argument]) -> u8 {
    let bit = |it: &Argument| match it {
        Argument::Alone => ALONE,
        Argument::Flag => FLAG,
        Argument::Host => HOST,
        Argument::Number => NUMBER,
        Argument::Path => PATH,
        Argument::Quoted => QUOTED,
        Argument::Variable => VARIABLE,
        Argument::Word => WORD,
    };
    arguments.iter().map(bit).fold(0, |bits, bit| bits | bit)
}

/// A Bloom filter of all words that may begin a command; it rejects most words.
static MARKS: LazyLock<[u64; 64]> = LazyLock::new(|| {
    let known = KNOWN.iter().map(|(name, _)| *name);
    let pairs = WORDS.rce.pairs.keys().map(String::as_str);
    let mut marks = [0; 64];
    for name in known.chain(pairs).chain(WORDS.rce.prefixes.iter()).chain(WORDS.rce.runners.iter()) {
        let (word, bit) = mark(name);
        marks[word] |= bit;
    }
    marks
});

/// No false negatives.
fn is_marked(name: &str) -> bool {
    let (word, bit) = mark(name);
    MARKS[word] & bit != 0
}

/// The bit of a word, from its length and its first, second and last letter.
fn mark(name: &str) -> (usize, u64) {
    let at = |index: usize| name.as_bytes().get(index).copied().map_or(0, usize::from);
    let mixed = name.len() + 5 * at(0) + 67 * at(1) + 397 * at(name.len().saturating_sub(1));
    (mixed / 64 % 64, 1 << (mixed % 64))
}

pub(super) fn known(name: &str) -> Option<Known> {
    if is_marked(name)
        && let Ok(at) = KNOWN.binary_search_by_key(&name, |(known, _)| known)
    {
        return Some(KNOWN[at].1);
    }
    // Names of families and cmdlets contain a dash.
    memchr::memchr(b'-', name.as_bytes()).and_then(|_| {
        let is_family = WORDS.rce.families.iter().any(|it| name.len() > it.len() && name.starts_with(it));
        let is_name = name.bytes().all(|it| it.is_ascii_lowercase() || it == b'-');
        (is_family && is_name || is_cmdlet(name))
            .then_some(Known { takes: FLAG | PATH | WORD | ALONE, is_distinctive: true })
    })
}

/// `get-childitem`: a verb and a noun of PowerShell.
fn is_cmdlet(name: &str) -> bool {
    let words = &WORDS.rce;
    name.split_once('-').is_some_and(|(verb, noun)| {
        words.cmdlet_verbs.contains_exact(verb) && words.cmdlet_nouns.contains_exact(noun)
    })
}

/// Whether a word, in lower case, may begin a command: alone, with its second word, or as a prefix.
pub(super) fn may_run(name: &str) -> bool {
    let words = &WORDS.rce;
    known(name).is_some()
        || is_marked(name)
            && (words.prefixes.contains(name)
                || words.runners.contains(name)
                || words.pairs.contains_key(name))
}

/// Whether the word, in any case, only leads to a command.
pub(super) fn is_mere_prefix(word: &[u8]) -> bool {
    let words = &WORDS.rce;
    let is_command = || {
        let name = String::from_utf8_lossy(word).to_ascii_lowercase();
        known(&name).is_some() || words.runners.contains(&name) || words.pairs.contains_key(&name)
    };
    words.prefixes.contains(word) && !is_command()
}

/// Whether it runs the command after it, in any case.
pub(super) fn is_runner(name: &str) -> bool {
    WORDS.rce.runners.contains(name)
}

pub(super) fn is_pair(name: &str, second: &[u8]) -> bool {
    let seconds = WORDS.rce.pairs.get(name).filter(|_| is_marked(name));
    seconds.is_some_and(|seconds| seconds.contains(second))
}

pub(super) fn is_interpreter(name: &str) -> bool {
    WORDS.rce.interpreters.contains(name)
}

/// The program that a path names.
pub(super) fn program(word: &str) -> Option<&str> {
    memchr::memchr(b'/', word.as_bytes())?;
    let climbed = word.contains("../").then(|| word.trim_start_matches(['.', '/']));
    let from = climbed.map_or(word, |it| &word[word.len().saturating_sub(it.len() + 1)..]);
    let relative =
        || word.strip_prefix("bin/").filter(|name| known(name).is_some_and(|it| it.is_distinctive));
    let name = WORDS
        .rce
        .program_directories
        .iter()
        .find_map(|it| from.strip_prefix(it.as_str()))
        .or_else(relative)?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-[]".contains(&byte);
    (!name.is_empty() && name.len() <= 24 && name.bytes().all(fits)).then_some(name)
}
