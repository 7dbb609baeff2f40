//! Parser of `application/x-www-form-urlencoded`, the syntax of queries and form bodies: `a=1&b=2`.

mod structure;

use super::Sink;
use crate::{
    decode::percent,
    field::{Field, FieldKind},
    point_path::{PointArena, PointPath},
};
use shared::point::Tag;
use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

pub(super) use structure::Parameter;

type Decoded<'a> = (Cow<'a, [u8]>, Option<&'static str>);

/// Adds each name and value. All names share one point, so that a client cannot create points at
/// will.
pub(super) fn parse<'a>(text: &'a [u8], names: PointPath, parameter: &Parameter, sink: &mut Sink<'a, '_>) {
    let mut seen: HashSet<&[u8]> = HashSet::new();
    let pairs: Vec<Pair<'a>> = text
        .split(|&byte| byte == b'&')
        .filter(|pair| !pair.is_empty())
        .enumerate()
        // Beyond a few, a repeated pair is padding: it is inspected once.
        .filter(|(at, pair)| *at < FEW || seen.insert(pair))
        .map(|(_, pair)| pair)
        // One pair beyond the budget suffices to exhaust it.
        .take(sink.budget.fields_left() + 1)
        .map(Pair::of)
        .collect();
    let mut repeated = Repeated::of(&pairs);
    for Pair { name, value: (value, value_layer), whole } in pairs {
        let point = parameter.named(sink.arena, &name.0);
        let point = repeated.indexed(sink.arena, point, &name.0, &value);
        let is_known = whole.is_none() && repeated.is_repeat(&name.0);
        let (name, name_layer) = whole.unwrap_or(name);
        let fits = is_known || sink.push(Field::new(names, FieldKind::Name, name).decoded(name_layer));
        if !fits || !sink.push(Field::new(point, FieldKind::Value, value).decoded(value_layer)) {
            return;
        }
    }
    for (name, joined) in repeated.joined() {
        let point = parameter.named(sink.arena, &name);
        let point = sink.arena.then(point, Tag::Pollution);
        if !sink.push_value(point, joined) {
            return;
        }
    }
}

/// Parameters that occur more than once (HTTP parameter pollution): some servers read an array,
/// others one value, joined with commas.
struct Repeated {
    seen: HashMap<Vec<u8>, Vec<Vec<u8>>>,
}

impl Repeated {
    fn of(pairs: &[Pair<'_>]) -> Self {
        if pairs.len() <= FEW && !repeats(pairs) {
            return Self { seen: HashMap::new() };
        }
        let mut counts: HashMap<&[u8], usize> = HashMap::new();
        for pair in pairs {
            *counts.entry(&pair.name.0).or_default() += 1;
        }
        let repeated = counts.into_iter().filter(|(_, count)| *count > 1);
        Self { seen: repeated.map(|(name, _)| (name.to_vec(), Vec::new())).collect() }
    }

    /// The point of one occurrence of a parameter.
    fn indexed(&mut self, arena: &mut PointArena, point: PointPath, name: &[u8], value: &[u8]) -> PointPath {
        let Some(values) = self.seen.get_mut(name) else { return point };
        let index = u64::try_from(values.len()).unwrap_or(u64::MAX);
        values.push(value.to_vec());
        match arena.last_tag(point) {
            // `p[]` is an array already.
            Some(Tag::Array) => arena.at_index(point, index),
            _ => arena.indexed(point, Tag::Array, index),
        }
    }

    /// Whether this is a further occurrence of a name.
    fn is_repeat(&self, name: &[u8]) -> bool {
        self.seen.get(name).is_some_and(|values| values.len() > 1)
    }

    /// The joined values of each name, sorted by name.
    fn joined(self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut joined: Vec<_> =
            self.seen.into_iter().map(|(name, values)| (name, values.join(&b','))).collect();
        joined.sort_unstable();
        joined
    }
}

/// Up to this many parameters are compared pairwise, without a hash map.
const FEW: usize = 16;

fn repeats(pairs: &[Pair<'_>]) -> bool {
    pairs.iter().enumerate().any(|(at, pair)| pairs[..at].iter().any(|it| it.name.0 == pair.name.0))
}

/// Whether a body without a content type has the syntax of a form.
pub(super) fn looks_like_form(body: &[u8]) -> bool {
    let name = body.split(|&byte| byte == b'=').next().unwrap_or_default();
    let word = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.[]%+$".contains(byte);
    name.len() < body.len() && !name.is_empty() && name.len() <= 256 && name.iter().all(word)
}

fn split_pair(pair: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memchr(b'=', pair) {
        Some(at) => (&pair[..at], &pair[at + 1..]),
        None => (pair, &[]),
    }
}

struct Pair<'a> {
    name: Decoded<'a>,
    value: Decoded<'a>,
    /// Markup and SQL conditions contain `=` as well: a pair that may be one payload is added
    /// whole, as a name.
    whole: Option<Decoded<'a>>,
}

impl<'a> Pair<'a> {
    /// A pair whose `=` is percent-encoded is split, too.
    fn of(pair: &'a [u8]) -> Self {
        let (raw_name, raw_value) = split_pair(pair);
        let (name, value) = (decoded(raw_name), decoded(raw_value));
        match memchr::memchr(b'=', &name.0) {
            Some(at) if raw_value.is_empty() => {
                let tail = (Cow::Owned(name.0[at + 1..].to_vec()), name.1);
                Self { name, value: tail, whole: None }
            }
            _ => {
                let is_odd = !raw_value.is_empty() && name.0.iter().any(|byte| b"<'\" ".contains(byte));
                Self { name, value, whole: is_odd.then(|| decoded(pair)) }
            }
        }
    }
}

fn decoded(raw: &[u8]) -> Decoded<'_> {
    match percent::decode_form(raw) {
        Some(value) => (Cow::Owned(value), Some(percent::NAME)),
        None => (Cow::Borrowed(raw), None),
    }
}
