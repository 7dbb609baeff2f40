//! What one request may cost. Every loop over hostile input spends from here.

/// Nested encodings deeper than this are not unfolded: nobody sends them but to tire us.
pub(crate) const MAX_DEPTH: usize = 12;
/// JSON may nest this deep, as deep as common parsers accept.
pub(crate) const MAX_JSON_DEPTH: usize = 128;

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
}

impl Limit {
    /// The signature under which it is reported.
    pub(crate) fn signature(self) -> &'static str {
        match self {
            Self::Bytes => "overlimit-bytes",
            Self::Depth => "overlimit-depth",
            Self::Fields => "overlimit-fields",
            Self::Steps => "overlimit-decode-steps",
        }
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

    /// May another layer be peeled?
    pub(crate) fn spend_step(&mut self) -> bool {
        let paid = take(&mut self.steps, 1);
        self.note(paid, Limit::Steps)
    }

    /// Something nests too deep to be followed.
    pub(crate) fn too_deep(&mut self) {
        self.note(false, Limit::Depth);
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
