//! Budget: the resource limits of one request. Every loop over untrusted input spends from it.

use crate::digest::DigestSet;
use shared::AttackType;
use std::hash::RandomState;

/// The most levels of nested values; only attacks on the engine have more.
pub(crate) const MAX_DEPTH: usize = 12;
/// The most levels in a JSON or XML document, as in common parsers.
pub(crate) const MAX_DOCUMENT_DEPTH: usize = 128;
/// The most values and names.
const MAX_FIELDS: usize = 200_000;
/// The most quotes in long values: each costs the detector of SQL injections up to 700 ns. A table of
/// 1 MB with every cell quoted has fewer.
const MAX_QUOTES: usize = 600_000;
/// The most bytes of all decompressions.
const MAX_INFLATION: usize = 32 << 20;
/// Quotes of shorter values are not counted.
const LONG: usize = 64 << 10;
/// Up to this many fields are not compared: hashing them would cost more than it saves.
const FEW: usize = 4_096;

/// Counters of what is left. An exhausted limit is remembered, because the rest is not inspected.
#[derive(Debug)]
pub(crate) struct Budget {
    bytes: usize,
    fields: usize,
    steps: usize,
    quotes: usize,
    inflation: usize,
    exhausted: Option<Limit>,
    /// Whether equal values at different positions of an array are different: a rule names one.
    has_positions: bool,
    /// The key of the digests.
    key: RandomState,
    /// Digests of the fields beyond a few.
    seen: DigestSet,
}

/// Whether a field is inspected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grant {
    Granted,
    /// The same value was granted at the same kind of point before; it costs nothing.
    Repeated,
    Exhausted,
}

/// A limit that can be exhausted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    Bytes,
    Depth,
    Fields,
    Steps,
    Quotes,
    /// A declared character set that is not decoded here.
    Charset,
    /// A declared content coding or transfer encoding that is not decoded here.
    Coding,
    /// A decompression bomb.
    Inflation,
    /// An XML entity expansion bomb.
    Expansion,
}

impl Limit {
    /// The signature under which it is reported.
    pub(crate) fn signature(self) -> &'static str {
        match self {
            Self::Bytes => "overlimit-bytes",
            Self::Depth => "overlimit-depth",
            Self::Fields => "overlimit-fields",
            Self::Steps => "overlimit-decode-steps",
            Self::Quotes => "overlimit-quotes",
            Self::Charset => "overlimit-charset",
            Self::Coding => "overlimit-coding",
            Self::Inflation => "data_bomb-compressed",
            Self::Expansion => "data_bomb-xml-entities",
        }
    }

    /// A large request exceeds limits; a bomb is an attack.
    pub(crate) fn attack_type(self) -> AttackType {
        if self.is_bomb() { AttackType::DataBomb } else { AttackType::Overlimit }
    }

    fn is_bomb(self) -> bool {
        matches!(self, Self::Inflation | Self::Expansion)
    }
}

impl Budget {
    /// The limits for all stages of all fields together; generous for CloudFront, whose bodies end
    /// at 1 MB.
    pub(crate) fn for_request() -> Self {
        Self {
            bytes: 16 << 20,
            fields: MAX_FIELDS,
            steps: 200_000,
            quotes: MAX_QUOTES,
            inflation: MAX_INFLATION,
            exhausted: None,
            has_positions: false,
            key: RandomState::new(),
            seen: DigestSet::default(),
        }
    }

    /// Equal values at different positions of an array are different.
    #[must_use]
    pub(crate) fn with_positions(self, has_positions: bool) -> Self {
        Self { has_positions, ..self }
    }

    /// Whether a value may be inspected.
    pub(crate) fn spend_value(&mut self, value: &[u8]) -> bool {
        self.spend_bytes(value.len()) && self.spend_quotes(value)
    }

    fn spend_quotes(&mut self, value: &[u8]) -> bool {
        if value.len() < LONG {
            return true;
        }
        let quotes = memchr::memchr3_iter(b'\'', b'"', b'`', value).count();
        let is_granted = subtract(&mut self.quotes, quotes);
        self.record(is_granted, Limit::Quotes)
    }

    /// Whether this many bytes may be inspected.
    pub(crate) fn spend_bytes(&mut self, count: usize) -> bool {
        let is_granted = subtract(&mut self.bytes, count);
        self.record(is_granted, Limit::Bytes)
    }

    /// Spends a field. `digest` is called to compare it with others: it returns the digest by a key of
    /// what makes the field different, with or without its positions in arrays.
    #[inline]
    pub(crate) fn spend_field(&mut self, digest: impl FnOnce(&RandomState, bool) -> u64) -> Grant {
        let is_one_of_few = self.fields > MAX_FIELDS - FEW;
        if !is_one_of_few && self.is_repeated(digest(&self.key, self.has_positions)) {
            return Grant::Repeated;
        }
        let is_granted = subtract(&mut self.fields, 1);
        if self.record(is_granted, Limit::Fields) { Grant::Granted } else { Grant::Exhausted }
    }

    /// Remembers at most as many fields as the budget has.
    fn is_repeated(&mut self, digest: u64) -> bool {
        if self.fields == 0 { self.seen.contains(&digest) } else { !self.seen.insert(digest) }
    }

    /// Whether another layer may be decoded.
    pub(crate) fn spend_step(&mut self) -> bool {
        let is_granted = subtract(&mut self.steps, 1);
        self.record(is_granted, Limit::Steps)
    }

    /// Records values nested beyond the limit.
    pub(crate) fn too_deep(&mut self) {
        self.record(false, Limit::Depth);
    }

    /// Records a value in an encoding that is not decoded here.
    pub(crate) fn undecodable(&mut self, limit: Limit) {
        self.record(false, limit);
    }

    /// Records a bomb, which takes precedence over any limit exhausted before.
    pub(crate) fn bomb(&mut self, limit: Limit) {
        if !self.exhausted.is_some_and(Limit::is_bomb) {
            self.exhausted = Some(limit);
        }
    }

    /// The most bytes that the next decompression may give.
    pub(crate) fn inflation_left(&self) -> usize {
        self.inflation.min(self.bytes / 2)
    }

    /// Spends the time of a decompression: values that repeat cost no bytes.
    pub(crate) fn spend_inflation(&mut self, count: usize) {
        self.inflation = self.inflation.saturating_sub(count);
    }

    /// The number of further fields allowed.
    pub(crate) fn fields_left(&self) -> usize {
        self.fields
    }

    pub(crate) fn exhausted(&self) -> Option<Limit> {
        self.exhausted
    }

    fn record(&mut self, is_granted: bool, limit: Limit) -> bool {
        if !is_granted && self.exhausted.is_none() {
            self.exhausted = Some(limit);
        }
        is_granted
    }
}

/// Subtracts `count` if that much is left.
fn subtract(left: &mut usize, count: usize) -> bool {
    let rest = left.checked_sub(count);
    *left = rest.unwrap_or(*left);
    rest.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exhausted_limit_is_remembered() {
        let mut budget = Budget { bytes: 10, ..Budget::for_request() };
        assert!(budget.spend_bytes(10));
        assert!(!budget.spend_bytes(1));
        assert!(budget.spend_bytes(0));
        assert_eq!(budget.exhausted(), Some(Limit::Bytes));
    }

    #[test]
    fn a_repeated_field_costs_nothing_beyond_a_few() {
        let mut budget = Budget::for_request();
        let mut spend = |digest: usize| budget.spend_field(|_, _| u64::try_from(digest).unwrap_or_default());
        assert!((0..FEW).all(|_| spend(1) == Grant::Granted));
        assert_eq!([spend(1), spend(1), spend(2)], [Grant::Granted, Grant::Repeated, Grant::Granted]);
        assert!((3..=MAX_FIELDS - FEW).all(|number| spend(number) == Grant::Granted));
        assert_eq!([spend(0), spend(0), spend(2)], [Grant::Exhausted, Grant::Exhausted, Grant::Repeated]);
        assert_eq!(budget.exhausted(), Some(Limit::Fields));
        assert_eq!(budget.seen.len(), MAX_FIELDS - FEW);
    }

    #[test]
    fn the_first_exhausted_limit_is_reported() {
        let mut budget = Budget { fields: 0, ..Budget::for_request() };
        budget.spend_field(|_, _| 0);
        budget.too_deep();
        assert_eq!(budget.exhausted(), Some(Limit::Fields));
    }
}
