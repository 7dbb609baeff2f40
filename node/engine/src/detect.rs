//! A value → what is wrong with it. One file per attack type; the catalogue adds what a regular expression can say.
//!
//! What has no type of its own is reported under the nearest; `shared::classification` tells them apart by signature.

mod crlf;
mod graphql;
mod mass_assignment;
mod protocol;
mod ptrav;
mod rce;
mod redir;
mod scanner;
mod session;
mod site;
mod sqli;
mod ssrf;
mod ssti;
mod upload;
mod xss;
mod xxe;

use crate::{
    field::Place,
    signature::{self, Catalogue},
};
use shared::{AttackType, Severity};
use std::ops::Range;

pub(crate) use site::Site;
pub(crate) use sqli::is_document;

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
    scanner: scanner::Detector,
}

impl Detectors {
    pub(crate) fn built_in() -> Self {
        Self {
            catalogue: Catalogue::built_in(),
            sqli: sqli::Detector::new(),
            scanner: scanner::Detector::new(),
        }
    }

    /// All matches in a value; each signature at most once.
    pub(crate) fn detect(&self, value: &[u8], place: Place) -> Vec<Match<'_>> {
        let scanner = self.scanner.detect(value, place);
        if is_plain(value) {
            return scanner.into_iter().collect();
        }
        let mut matches = self.catalogued(value);
        matches.extend(scanner);
        matches.extend(rce::detect(value, place));
        matches.extend(ssti::detect(value));
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

/// Matches in values that may be spoken for by their parts, and in values of one plain word.
pub(crate) fn detect_whole(value: &[u8], place: Place, site: &Site<'_>) -> Vec<Match<'static>> {
    let mut matches = graphql::detect(value, place, site);
    matches.extend(session::detect(value, place, site));
    matches.extend(mass_assignment::detect(value, place, site));
    matches.extend(rce::detect_parameter(value, place, site));
    matches
}

/// Matches that depend on where the value sits.
pub(crate) fn detect_at(value: &[u8], place: Place, site: &Site<'_>) -> Vec<Match<'static>> {
    let mut matches = Vec::new();
    if is_plain(value) && !site.is_named(ssrf::ADDRESS_NAMES) {
        return matches;
    }
    matches.extend(ssrf::detect(value, place, site));
    matches.extend(crlf::detect(value, site));
    matches.extend(redir::detect(value, site));
    matches.extend(xxe::detect(value));
    matches.extend(protocol::detect(value, place, site));
    matches.extend(ptrav::detect_at(value, place, site));
    matches.extend(upload::detect(value, site));
    matches
}

/// One word of letters, digits, dashes: most values of most requests. Few attacks are one word.
fn is_plain(value: &[u8]) -> bool {
    value.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
        && !has_comment(value)
        && !sqli::is_telling_word(value)
        && !signature::is_serialized(value)
}

fn has_comment(value: &[u8]) -> bool {
    memchr::memmem::find(value, b"--").is_some()
}

#[cfg(test)]
mod tests;
