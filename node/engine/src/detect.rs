//! Detectors: a value in, matches out. One file per attack type; the catalogue of signatures adds
//! regular expressions.
//!
//! A weakness without a type of its own is reported under the nearest type;
//! `shared::classification` distinguishes them by signature.

mod crlf;
mod document;
mod graphql;
mod mass_assignment;
mod protocol;
mod ptrav;
mod rce;
mod redir;
mod scanner;
mod session;
mod sqli;
mod ssrf;
mod ssti;
mod upload;
mod value_context;
mod xss;
mod xxe;

use crate::{
    field::FieldKind,
    prefilter::{Bytes, CandidateSet, Prefilter},
    signature::{self, Catalogue},
    words::{WORDS, Words},
};
use shared::{AttackType, Severity};
use std::ops::Range;

pub(crate) use document::{is_document, is_document_at};
pub(crate) use rce::is_development;
pub(crate) use value_context::{ValueContext, Writing};

/// The signature that finds an event handler without its tag.
const EVENT_ATTRIBUTE: &str = "xss-event-attribute";

/// Evidence in one value.
#[derive(Debug, Clone)]
pub(crate) struct Match<'d> {
    pub attack_type: AttackType,
    pub signature: &'d str,
    pub severity: Severity,
    pub span: Range<usize>,
}

/// All compiled detectors.
pub(crate) struct Detectors {
    prefilter: Prefilter,
    catalogue: Catalogue,
    scanner: scanner::Detector,
}

/// Prefilter slots of detectors, numbered after those of signatures.
#[derive(Debug, Clone, Copy)]
enum DetectorSlot {
    Sqli,
    SqliInHeaders,
    PathTraversal,
    Scanner,
}

impl DetectorSlot {
    /// The literals of each slot; a detector runs only where one of its literals occurs.
    fn literals() -> impl Iterator<Item = (Self, &'static str)> {
        let Words { sqli, scanner, .. } = &*WORDS;
        let lists = [
            (Self::Sqli, &sqli.literals),
            (Self::SqliInHeaders, &sqli.header_literals),
            (Self::Scanner, &scanner.agents),
            (Self::Scanner, &scanner.canaries),
        ];
        let words = lists.into_iter().flat_map(|(slot, list)| list.iter().map(move |it| (slot, it.as_str())));
        words.chain(ptrav::LITERALS.iter().map(|literal| (Self::PathTraversal, *literal)))
    }
}

impl Detectors {
    pub(crate) fn built_in() -> Self {
        let catalogue = Catalogue::built_in();
        let first = catalogue.slot_count();
        let slots = DetectorSlot::literals().map(|(slot, literal)| (first + slot as usize, literal));
        let prefilter = Prefilter::new(catalogue.literals().chain(slots));
        Self { prefilter, catalogue, scanner: scanner::Detector::new() }
    }

    /// All matches in a value made of these bytes; each signature at most once.
    ///
    /// Most values are clean and must cost little: a detector runs only when the value has
    /// the bytes or literals that all of its rules require. In a document, rules of low confidence
    /// are off.
    pub(crate) fn detect(
        &self,
        value: &[u8],
        bytes: Bytes,
        kind: FieldKind,
        is_document: bool,
    ) -> Vec<Match<'_>> {
        let is_plain = is_plain(value, bytes);
        if is_plain && matches!(kind, FieldKind::Value | FieldKind::Name) {
            return Vec::new();
        }
        let candidates = self.prefilter.candidates(value);
        let is_candidate =
            |slot: DetectorSlot| candidates.contains(self.catalogue.slot_count() + slot as usize);
        let mut matches = Vec::new();
        if is_candidate(DetectorSlot::Scanner) {
            matches.extend(self.scanner.detect(value, kind));
        }
        if is_plain {
            return matches;
        }
        matches.extend(self.catalogued(value, &candidates, is_document));
        matches.extend(rce::detect(value, bytes, kind, is_document));
        if bytes.has(Bytes::OPEN_BRACE.or(Bytes::OPEN_TAG).or(Bytes::HASH).or(Bytes::AT)) {
            matches.extend(ssti::detect(value, is_document));
        }
        if is_candidate(DetectorSlot::PathTraversal) {
            matches.extend(ptrav::detect(value, kind, is_document));
        }
        if is_candidate(if kind == FieldKind::ShapedHeader {
            DetectorSlot::SqliInHeaders
        } else {
            DetectorSlot::Sqli
        }) {
            matches.extend(sqli::detect(value, is_document));
        }
        let markup = Bytes::OPEN_TAG.or(Bytes::COLON).or(Bytes::EQUALS).or(Bytes::BACKSLASH).or(Bytes::HIGH);
        if bytes.has(markup) || kind == FieldKind::Name {
            let markup = xss::detect(value, kind, is_document);
            if let Some(rest) = markup.without_idle_handlers(value) {
                let candidates = self.prefilter.candidates(&rest);
                let is_handler = |it: &Match<'_>| it.signature == EVENT_ATTRIBUTE;
                if !self.catalogued(&rest, &candidates, is_document).iter().any(is_handler) {
                    matches.retain(|it| !is_handler(it));
                }
            }
            matches.extend(markup.matches);
        }
        matches
    }

    fn catalogued(&self, value: &[u8], candidates: &CandidateSet, is_document: bool) -> Vec<Match<'_>> {
        let catalogue_matches = self.catalogue.matches(value, candidates, is_document).into_iter();
        catalogue_matches
            .map(|(signature, span)| Match {
                attack_type: signature.attack_type.clone(),
                signature: &signature.id,
                severity: signature.severity,
                span,
            })
            .collect()
    }
}

/// Matches in whole values, also in those whose parts are inspected as fields of their own, and in
/// plain words.
pub(crate) fn detect_whole(value: &[u8], kind: FieldKind, context: &ValueContext<'_>) -> Vec<Match<'static>> {
    let mut matches = graphql::detect(value, kind, context);
    matches.extend(session::detect(value, kind, context));
    matches.extend(mass_assignment::detect(value, kind, context));
    matches.extend(rce::detect_parameter(value, kind, context));
    matches
}

/// Matches that depend on the context of the value.
pub(crate) fn detect_at(
    value: &[u8],
    bytes: Bytes,
    kind: FieldKind,
    context: &ValueContext<'_>,
) -> Vec<Match<'static>> {
    let mut matches = Vec::new();
    matches.extend(rce::detect_pollution(value, context));
    if bytes.has(Bytes::COLON) || context.is_one_of(&WORDS.ssrf.address_parameters) {
        matches.extend(ssrf::detect(value, kind, context));
    }
    if is_plain(value, bytes) {
        return matches;
    }
    if bytes.has(Bytes::BREAK.or(Bytes::BACKSLASH).or(Bytes::HIGH)) {
        matches.extend(crlf::detect(value, context));
    }
    if bytes.has(Bytes::SLASH.or(Bytes::BACKSLASH).or(Bytes::COLON)) {
        matches.extend(redir::detect(value, context));
    }
    if bytes.has(Bytes::OPEN_TAG) {
        matches.extend(xxe::detect(value));
    }
    if bytes.has(Bytes::PERCENT) {
        matches.extend(xxe::detect_reference(value));
    }
    matches.extend(protocol::detect(value, kind, context));
    matches.extend(ptrav::detect_at(value, kind, context));
    matches.extend(upload::detect(value, context));
    matches
}

/// One word of letters, digits and dashes, as most values are. Few attacks are one word.
fn is_plain(value: &[u8], bytes: Bytes) -> bool {
    bytes.is_word_with(Bytes::DASH)
        && !(bytes.has(Bytes::DASH) && has_comment(value)
            || sqli::is_distinctive_word(value)
            || signature::is_serialized(value))
}

fn has_comment(value: &[u8]) -> bool {
    value.windows(2).any(|pair| pair == b"--")
}

#[cfg(test)]
mod tests;
