//! Patterns of custom detectors.

use regex::bytes::{Regex, RegexBuilder};
use shared::ruleset::Pattern;
use std::ops::Range;

/// The most characters of a pattern.
const MAX_CHARS: usize = 4_000;
/// The most bytes of a compiled pattern.
const MAX_BYTES: usize = 1 << 20;

/// A compiled pattern.
#[derive(Debug)]
pub(super) enum Compiled {
    /// Matches every value.
    Any,
    Regex(Regex),
}

impl Compiled {
    pub(super) fn new(pattern: &Pattern) -> Result<Self, String> {
        let (text, is_literal) = match pattern {
            Pattern::Regex(text) => (text.clone(), false),
            Pattern::Literal(text) => (regex::escape(text), true),
        };
        if text.is_empty() {
            return Err("must not be empty".to_owned());
        }
        if text.chars().count() > MAX_CHARS {
            return Err(format!("is longer than {MAX_CHARS} characters"));
        }
        let regex = RegexBuilder::new(&text)
            .case_insensitive(is_literal)
            .size_limit(MAX_BYTES)
            .dfa_size_limit(MAX_BYTES)
            .build()
            .map_err(|cause| match cause {
                regex::Error::CompiledTooBig(limit) => format!("compiles to more than {limit} bytes"),
                cause => cause.to_string(),
            })?;
        if regex.is_match(b"") {
            return Err("matches an empty value, and so every value".to_owned());
        }
        Ok(Self::Regex(regex))
    }

    /// The first match.
    pub(super) fn find(&self, value: &[u8]) -> Option<Range<usize>> {
        match self {
            Self::Any => Some(0..0),
            Self::Regex(regex) => regex.find(value).map(|matched| matched.range()),
        }
    }
}
