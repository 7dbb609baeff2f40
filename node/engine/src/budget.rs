//! What one request may cost. Every loop over hostile input spends from here.

use shared::AttackType;

/// Nested encodings deeper than this are not parsed: nobody sends them but to tire us.
pub(crate) const MAX_DEPTH: usize = 12;
/// JSON and XML may nest this deep, as deep as common parsers accept.
pub(crate) const MAX_DOCUMENT_DEPTH: usize = 128;

/// Counts down; once something ran out it stays known, because the rest went uninspected.
#[derive(Debug)]
pub(crate) struct Budget {
    bytes: usize,
    fields: usize,
    steps: usize,
    exhausted: Option<Limit>,
}

/// What ran out first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    Bytes,
    Depth,
    Fields,
    Steps,
    /// Compressed data that grows out of all proportion.
    Inflation,
    /// XML entities that would grow out of all proportion.
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

    /// Running out may be size; a bomb is intent.
    pub(crate) fn attack_type(self) -> AttackType {
        if self.is_bomb() { AttackType::DataBomb } else { AttackType::Overlimit }
    }

    fn is_bomb(self) -> bool {
        matches!(self, Self::Inflation | Self::Expansion)
    }
}

impl Budget {
    /// Generous for CloudFront, whose bodies end at 1 MB: all layers of all fields together.
    pub(crate) fn for_request() -> Self {
        Self { bytes: 16 << 20, fields: 20_000, steps: 60_000, exhausted: None }
    }

    /// May a value of this length be looked at?
    pub(crate) fn spend_bytes(&mut self, count: usize) -> bool {
        let paid = take(&mut self.bytes, count);
        self.note(paid, Limit::Bytes)
    }

    pub(crate) fn spend_field(&mut self) -> bool {
        let paid = take(&mut self.fields, 1);
        self.note(paid, Limit::Fields)
    }

    /// Whether another layer may be decoded.
    pub(crate) fn spend_step(&mut self) -> bool {
        let paid = take(&mut self.steps, 1);
        self.note(paid, Limit::Steps)
    }

    /// Something nests too deep to be followed.
    pub(crate) fn too_deep(&mut self) {
        self.note(false, Limit::Depth);
    }

    /// Something would grow without end where it is read. Says more than any limit that ran out before.
    pub(crate) fn bomb(&mut self, kind: Limit) {
        if !self.exhausted.is_some_and(Limit::is_bomb) {
            self.exhausted = Some(kind);
        }
    }

    /// How many more fields there may be.
    pub(crate) fn fields_left(&self) -> usize {
        self.fields
    }

    /// How many bytes may still be looked at.
    pub(crate) fn bytes_left(&self) -> usize {
        self.bytes
    }

    pub(crate) fn exhausted(&self) -> Option<Limit> {
        self.exhausted
    }

    fn note(&mut self, paid: bool, limit: Limit) -> bool {
        if !paid && self.exhausted.is_none() {
            self.exhausted = Some(limit);
        }
        paid
    }
}

fn take(purse: &mut usize, count: usize) -> bool {
    match purse.checked_sub(count) {
        Some(rest) => {
            *purse = rest;
            true
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn running_out_is_remembered() {
        let mut budget = Budget { bytes: 10, ..Budget::for_request() };
        assert!(budget.spend_bytes(10));
        assert!(!budget.spend_bytes(1));
        assert!(budget.spend_bytes(0));
        assert_eq!(budget.exhausted(), Some(Limit::Bytes));
    }

    #[test]
    fn the_first_limit_is_the_one_reported() {
        let mut budget = Budget { fields: 0, ..Budget::for_request() };
        budget.spend_field();
        budget.too_deep();
        assert_eq!(budget.exhausted(), Some(Limit::Fields));
    }
}
