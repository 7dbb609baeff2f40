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
    prefilter::{Bytes, Prefilter, Suspects},
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
    prefilter: Prefilter,
    catalogue: Catalogue,
    scanner: scanner::Detector,
}

/// Detectors that wait for literals; the signatures before them wait, too.
#[derive(Debug, Clone, Copy)]
enum Waiting {
    Sqli,
    SqliInHeaders,
    PathTraversal,
    Scanner,
}

impl Waiting {
    const LITERALS: &[(Self, &[&str])] = &[
        (Self::Sqli, sqli::LITERALS),
        (Self::SqliInHeaders, sqli::LITERALS_IN_HEADERS),
        (Self::PathTraversal, ptrav::LITERALS),
        (Self::Scanner, scanner::LITERALS[0]),
        (Self::Scanner, scanner::LITERALS[1]),
    ];
}

impl Detectors {
    pub(crate) fn built_in() -> Self {
        let catalogue = Catalogue::built_in();
        let first = catalogue.suspects();
        let waiting = Waiting::LITERALS.iter();
        let waiting =
            waiting.flat_map(|&(who, words)| words.iter().map(move |word| (first + who as usize, *word)));
        let prefilter = Prefilter::new(catalogue.literals().chain(waiting));
        Self { prefilter, catalogue, scanner: scanner::Detector::new() }
    }

    /// All matches in a value made of these bytes; each signature at most once.
    ///
    /// Most values are clean and must cost next to nothing: a detector is asked only when the bytes or the literals occur
    /// that all of its rules need, and it names them here.
    pub(crate) fn detect(&self, value: &[u8], bytes: Bytes, place: Place) -> Vec<Match<'_>> {
        let is_plain = is_plain(value, bytes);
        if is_plain && matches!(place, Place::Value | Place::Name) {
            return Vec::new();
        }
        let suspects = self.prefilter.suspects(value);
        let awaited = |who: Waiting| suspects.contains(self.catalogue.suspects() + who as usize);
        let mut matches = Vec::new();
        if awaited(Waiting::Scanner) {
            matches.extend(self.scanner.detect(value, place));
        }
        if is_plain {
            return matches;
        }
        matches.extend(self.catalogued(value, &suspects));
        matches.extend(rce::detect(value, bytes, place));
        if bytes.has(Bytes::OPEN_BRACE.or(Bytes::OPEN_TAG).or(Bytes::HASH).or(Bytes::AT)) {
            matches.extend(ssti::detect(value));
        }
        if awaited(Waiting::PathTraversal) {
            matches.extend(ptrav::detect(value, place));
        }
        if awaited(if place == Place::ShapedHeader { Waiting::SqliInHeaders } else { Waiting::Sqli }) {
            matches.extend(sqli::detect(value));
        }
        let markup = Bytes::OPEN_TAG.or(Bytes::COLON).or(Bytes::EQUALS).or(Bytes::BACKSLASH).or(Bytes::HIGH);
        if bytes.has(markup) || place == Place::Name {
            matches.extend(xss::detect(value, place));
        }
        matches
    }

    fn catalogued(&self, value: &[u8], suspects: &Suspects) -> Vec<Match<'_>> {
        let found = self.catalogue.matches(value, suspects).into_iter();
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
pub(crate) fn detect_at(value: &[u8], bytes: Bytes, place: Place, site: &Site<'_>) -> Vec<Match<'static>> {
    let mut matches = Vec::new();
    matches.extend(rce::detect_pollution(value, site));
    if bytes.has(Bytes::COLON) || site.is_one_of(&ssrf::ADDRESS_NAMES) {
        matches.extend(ssrf::detect(value, place, site));
    }
    if is_plain(value, bytes) {
        return matches;
    }
    if bytes.has(Bytes::BREAK.or(Bytes::BACKSLASH).or(Bytes::HIGH)) {
        matches.extend(crlf::detect(value, site));
    }
    if bytes.has(Bytes::SLASH.or(Bytes::BACKSLASH).or(Bytes::COLON)) {
        matches.extend(redir::detect(value, site));
    }
    if bytes.has(Bytes::OPEN_TAG) {
        matches.extend(xxe::detect(value));
    }
    if bytes.has(Bytes::PERCENT) {
        matches.extend(xxe::detect_reference(value));
    }
    matches.extend(protocol::detect(value, place, site));
    matches.extend(ptrav::detect_at(value, place, site));
    matches.extend(upload::detect(value, site));
    matches
}

/// One word of letters, digits, dashes: most values of most requests. Few attacks are one word.
fn is_plain(value: &[u8], bytes: Bytes) -> bool {
    bytes.is_word_with(Bytes::DASH)
        && !(bytes.has(Bytes::DASH) && has_comment(value)
            || sqli::is_telling_word(value)
            || signature::is_serialized(value))
}

fn has_comment(value: &[u8]) -> bool {
    value.windows(2).any(|pair| pair == b"--")
}

#[cfg(test)]
mod tests;
