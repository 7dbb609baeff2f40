//! Filter of custom detectors: one pass over a value finds the detectors that may match it.
//!
//! Each pattern is split into parts, all of which occur in a value that it matches. The automata of
//! the parts are compiled completely, so that a byte costs one step in each of them, whatever the
//! value and the patterns; the patterns themselves decide on the candidates.

use regex_automata::{
    Input, MatchKind, PatternID, PatternSet,
    dfa::{Automaton as _, StartKind, dense},
    nfa::thompson::{self, NFA, WhichCaptures},
    util::primitives::StateID,
};
use regex_syntax::hir::{Class, ClassBytesRange, ClassUnicodeRange, Hir, HirKind, Look, Repetition};

/// The most bytes of an automaton.
const MAX_BYTES: usize = 1 << 20;
/// The most bytes of the automaton of one part with its counts, such as `{2,9}`.
const MAX_COUNTED_BYTES: usize = 32 << 10;
/// Further parts of a pattern are left to the pattern itself.
const MAX_PARTS: usize = 4;
/// A class of this many characters occurs in any text: what repeats it is a gap.
const BROAD: usize = 63;

/// An automaton of consecutive parts.
#[derive(Debug)]
pub(super) struct Automaton {
    dfa: dense::DFA<Vec<u32>>,
    first: usize,
}

/// Few automata for all parts, in order.
pub(super) fn automata(parts: &[&Hir]) -> Vec<Automaton> {
    let mut automata = Vec::new();
    add(parts, 0, &mut automata);
    automata
}

/// Halves the parts until they fit.
fn add(parts: &[&Hir], first: usize, automata: &mut Vec<Automaton>) {
    if parts.is_empty() {
        return;
    }
    if let Some(dfa) = dfa(parts, MAX_BYTES) {
        automata.push(Automaton { dfa, first });
    } else if parts.len() > 1 {
        // Each part alone fits, see [`parts`].
        let (before, after) = parts.split_at(parts.len() / 2);
        add(before, first, automata);
        add(after, first + before.len(), automata);
    }
}

impl Automaton {
    /// The number of its first part.
    pub(super) fn first(&self) -> usize {
        self.first
    }

    /// The end of the numbers of its parts.
    pub(super) fn end(&self) -> usize {
        self.first + self.dfa.pattern_len()
    }

    /// Adds the parts that occur in the value. A state in which many of them end is read once, not at
    /// each byte.
    pub(super) fn search(&self, value: &[u8], found: &mut PatternSet) {
        // Without word boundaries of Unicode, an automaton has a start state and never gives up.
        let Ok(mut state) = self.dfa.start_state_forward(&Input::new(value)) else { return };
        let mut last = None;
        for &byte in value {
            state = self.dfa.next_state(state, byte);
            if self.dfa.is_special_state(state) {
                last = self.read(state, last, found);
                if self.dfa.is_dead_state(state) {
                    return;
                }
            }
        }
        self.read(self.dfa.next_eoi_state(state), last, found);
    }

    /// Adds the parts that end in a state, unless it is the last one that was read.
    fn read(&self, state: StateID, last: Option<StateID>, found: &mut PatternSet) -> Option<StateID> {
        if last == Some(state) || !self.dfa.is_match_state(state) {
            return last;
        }
        for at in 0..self.dfa.match_len(state) {
            let part = self.first + self.dfa.match_pattern(state, at).as_usize();
            if let Ok(part) = PatternID::new(part) {
                found.insert(part);
            }
        }
        Some(state)
    }
}

/// Parts that occur in every value that the pattern matches; none if their automata are too large.
pub(super) fn parts(pattern: &Hir) -> Vec<Hir> {
    let pattern = widen(pattern, false);
    let mut parts = split(&pattern);
    if parts.is_empty() {
        parts.push(pattern);
    }
    let small = |part: Hir| {
        let counted = trim(&part);
        if dfa(&[&counted], MAX_COUNTED_BYTES).is_some() {
            return Some(counted);
        }
        let uncounted = trim(&widen(&part, true));
        dfa(&[&uncounted], MAX_BYTES).is_some().then_some(uncounted)
    };
    parts.into_iter().take(MAX_PARTS).filter_map(small).collect()
}

/// Removes word boundaries of Unicode, which need more than an automaton of bytes, and optionally
/// the bounds of counts.
fn widen(pattern: &Hir, uncount: bool) -> Hir {
    let widen = |inner: &Hir| widen(inner, uncount);
    match pattern.kind() {
        HirKind::Look(
            Look::WordUnicode
            | Look::WordUnicodeNegate
            | Look::WordStartUnicode
            | Look::WordEndUnicode
            | Look::WordStartHalfUnicode
            | Look::WordEndHalfUnicode,
        ) => Hir::empty(),
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => pattern.clone(),
        HirKind::Repetition(Repetition { min, max, greedy, sub }) => {
            let is_counted = uncount && (*min > 1 || max.is_some_and(|max| max > 1));
            let (min, max) = if is_counted { ((*min).min(1), None) } else { (*min, *max) };
            Hir::repetition(Repetition { min, max, greedy: *greedy, sub: Box::new(widen(sub)) })
        }
        HirKind::Capture(capture) => widen(&capture.sub),
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(widen).collect()),
        HirKind::Alternation(parts) => Hir::alternation(parts.iter().map(widen).collect()),
    }
}

/// The parts between gaps, without those that may be empty. An automaton would remember for each gap
/// whether the part before it has occurred, and double with each.
fn split(pattern: &Hir) -> Vec<Hir> {
    let HirKind::Concat(items) = pattern.kind() else { return Vec::new() };
    let parts = items.split(is_gap).map(|part| Hir::concat(part.to_vec()));
    parts.filter(|part| part.properties().minimum_len().is_some_and(|length| length > 0)).collect()
}

fn is_gap(item: &Hir) -> bool {
    let HirKind::Repetition(Repetition { max, sub, .. }) = item.kind() else { return false };
    let width: usize = match sub.kind() {
        HirKind::Class(Class::Unicode(class)) => class.ranges().iter().map(ClassUnicodeRange::len).sum(),
        HirKind::Class(Class::Bytes(class)) => class.ranges().iter().map(ClassBytesRange::len).sum(),
        _ => 0,
    };
    width >= BROAD && max.is_none_or(|max| max > 1)
}

/// Removes what a part may repeat at its start and its end: a match without it is inside.
fn trim(part: &Hir) -> Hir {
    let shorten = |item: &mut Hir| {
        if let HirKind::Repetition(Repetition { min, greedy, sub, .. }) = item.kind() {
            let (min, greedy, sub) = (*min, *greedy, sub.clone());
            *item = Hir::repetition(Repetition { min, max: Some(min), greedy, sub });
        }
    };
    match part.kind() {
        HirKind::Alternation(parts) => Hir::alternation(parts.iter().map(trim).collect()),
        HirKind::Concat(items) => {
            let mut items = items.clone();
            items.first_mut().into_iter().for_each(shorten);
            items.last_mut().into_iter().for_each(shorten);
            Hir::concat(items)
        }
        _ => {
            let mut item = part.clone();
            shorten(&mut item);
            item
        }
    }
}

fn dfa(parts: &[&Hir], max_bytes: usize) -> Option<dense::DFA<Vec<u32>>> {
    let config = dense::Config::new()
        .match_kind(MatchKind::All)
        .start_kind(StartKind::Unanchored)
        .accelerate(false)
        .dfa_size_limit(Some(max_bytes))
        .determinize_size_limit(Some(2 * max_bytes));
    dense::Builder::new().configure(config).build_from_nfa(&nfa(parts, None)?).ok()
}

/// The states of the automaton that a search simulates in the worst case; `None` if it exceeds this
/// many bytes.
pub(super) fn states(pattern: &Hir, max_bytes: usize) -> Option<usize> {
    nfa(&[pattern], Some(max_bytes)).map(|nfa| nfa.states().len())
}

fn nfa(parts: &[&Hir], max_bytes: Option<usize>) -> Option<NFA> {
    let config =
        thompson::Config::new().utf8(false).which_captures(WhichCaptures::None).nfa_size_limit(max_bytes);
    thompson::Compiler::new().configure(config).build_many_from_hir(parts).ok()
}

#[cfg(test)]
mod tests;
