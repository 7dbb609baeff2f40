//! Budget: the resource limits of one request. Every loop over untrusted input spends from it.

use shared::AttackType;

/// The most levels of nested values; only attacks on the engine have more.
pub(crate) const MAX_DEPTH: usize = 12;
/// The most levels in a JSON or XML document, as in common parsers.
pub(crate) const MAX_DOCUMENT_DEPTH: usize = 128;

/// Counters of what is left. An exhausted limit is remembered, because the rest is not inspected.
#[derive(Debug)]
pub(crate) struct Budget {
    bytes: usize,
    fields: usize,
    steps: usize,
    exhausted: Option<Limit>,
}

/// A limit that can be exhausted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    Bytes,
    Depth,
    Fields,
    Steps,
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
        Self { bytes: 16 << 20, fields: 200_000, steps: 200_000, exhausted: None }
    }

    /// Whether a value of this length may be inspected.
    pub(crate) fn spend_bytes(&mut self, count: usize) -> bool {
        let is_granted = subtract(&mut self.bytes, count);
        self.record(is_granted, Limit::Bytes)
    }

    pub(crate) fn spend_field(&mut self) -> bool {
        let is_granted = subtract(&mut self.fields, 1);
        self.record(is_granted, Limit::Fields)
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

    /// Records a bomb, which takes precedence over any limit exhausted before.
    pub(crate) fn bomb(&mut self, limit: Limit) {
        if !self.exhausted.is_some_and(Limit::is_bomb) {
            self.exhausted = Some(limit);
        }
    }

    /// The number of further fields allowed.
    pub(crate) fn fields_left(&self) -> usize {
        self.fields
    }

    /// The number of further bytes allowed.
    pub(crate) fn bytes_left(&self) -> usize {
        self.bytes
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
    fn the_first_exhausted_limit_is_reported() {
        let mut budget = Budget { fields: 0, ..Budget::for_request() };
        budget.spend_field();
        budget.too_deep();
        assert_eq!(budget.exhausted(), Some(Limit::Fields));
    }
}
