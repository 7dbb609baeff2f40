//! What a custom detector looks for.

use regex::bytes::{Regex, RegexBuilder};
use shared::ruleset::Pattern;
use std::ops::Range;

/// Longer patterns are refused.
const MAX_CHARS: usize = 4_000;
/// What a compiled pattern may take.
const MAX_BYTES: usize = 1 << 20;

/// A pattern, ready to be looked for.
#[derive(Debug)]
pub(super) enum Compiled {
    /// Every value.
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
            return Err("is empty".to_owned());
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
                regex::Error::CompiledTooBig(limit) => format!("takes more than {limit} bytes compiled"),
                cause => cause.to_string(),
            })?;
        if regex.is_match(b"") {
            return Err("finds something in an empty value, so it would in every value".to_owned());
        }
        Ok(Self::Regex(regex))
    }

    /// Where it first occurs.
    pub(super) fn find(&self, value: &[u8]) -> Option<Range<usize>> {
        match self {
            Self::Any => Some(0..0),
            Self::Regex(regex) => regex.find(value).map(|found| found.range()),
        }
    }
}
