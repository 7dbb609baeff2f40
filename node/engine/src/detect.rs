//! A value → what is wrong with it. One file per attack type; the catalogue adds what a regular expression can say.

mod ptrav;
mod sqli;
mod xss;

use crate::{field::Place, signature::Catalogue};
use shared::{AttackType, Severity};
use std::ops::Range;

/// Evidence in one value.
#[derive(Debug, Clone)]
pub(crate) struct Match<'d> {
    pub attack_type: AttackType,
    pub signature: &'d str,
    pub severity: Severity,
    pub span: Range<usize>,
}

/// Everything compiled.
pub(crate) struct Detectors {
    catalogue: Catalogue,
    sqli: sqli::Detector,
}

impl Detectors {
    pub(crate) fn built_in() -> Self {
        Self { catalogue: Catalogue::built_in(), sqli: sqli::Detector::new() }
    }

    /// All matches in a value; each signature at most once.
    pub(crate) fn detect(&self, value: &[u8], place: Place) -> Vec<Match<'_>> {
        if is_plain(value) {
            return Vec::new();
        }
        let mut matches = self.catalogued(value);
        matches.extend(ptrav::detect(value, place));
        matches.extend(self.sqli.detect(value, place));
        matches.extend(xss::detect(value));
        matches
    }

    fn catalogued(&self, value: &[u8]) -> Vec<Match<'_>> {
        let found = self.catalogue.matches(value).into_iter();
        found
            .map(|(signature, span)| Match {
                attack_type: signature.attack_type.clone(),
                signature: &signature.id,
                severity: signature.severity,
                span,
            })
            .collect()
    }
}

/// One word of letters, digits, dashes: most values of most requests. No attack here is one word.
fn is_plain(value: &[u8]) -> bool {
    value.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-') && !has_comment(value)
}

fn has_comment(value: &[u8]) -> bool {
    memchr::memmem::find(value, b"--").is_some()
}

#[cfg(test)]
mod tests;
