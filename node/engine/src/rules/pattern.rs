//! Patterns of custom detectors.

use super::filter;
use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::{ParserBuilder, hir::Hir};
use shared::ruleset::Pattern;
use std::ops::Range;

/// The most characters of a pattern.
const MAX_CHARS: usize = 4_000;
/// The most bytes of a compiled pattern.
const MAX_BYTES: usize = 1 << 20;
/// The most steps of a new detector for each byte of a value in which it may match. Then it can run
/// on a body of 64 KB.
pub const MAX_STEPS_PER_BYTE: u64 = 512;
/// A byte takes far fewer steps than there are states: few of them are active at the same time.
const STATES_PER_STEP: usize = 4;

/// A compiled pattern.
#[derive(Debug)]
pub(super) enum Compiled {
    /// Matches every value.
    Any,
    Regex(Expression),
}

/// A regular expression and its cost.
#[derive(Debug)]
pub(super) struct Expression {
    regex: Regex,
    /// The parts for the filter. Without any, every value is a candidate.
    parts: Vec<Hir>,
    steps_per_byte: u64,
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
        let mut parser = ParserBuilder::new();
        let parsed = parser.case_insensitive(is_literal).utf8(false).build().parse(&text);
        let parsed = parsed.map_err(|cause| cause.to_string())?;
        let states = filter::states(&parsed, MAX_BYTES)
            .ok_or_else(|| format!("compiles to more than {MAX_BYTES} bytes"))?;
        let steps_per_byte = u64::try_from(states.div_ceil(STATES_PER_STEP)).unwrap_or(u64::MAX);
        Ok(Self::Regex(Expression { regex, parts: filter::parts(&parsed), steps_per_byte }))
    }

    /// Whether one run costs more than a new rule may.
    pub(super) fn validate_cost(&self) -> Result<(), String> {
        let Self::Regex(Expression { parts, steps_per_byte, .. }) = self else { return Ok(()) };
        if parts.is_empty() {
            return Err("is too complex: every value would be searched; use shorter classes".to_owned());
        }
        if *steps_per_byte > MAX_STEPS_PER_BYTE {
            return Err(format!(
                "costs {steps_per_byte} steps per byte; the limit is {MAX_STEPS_PER_BYTE}. \
                 Repeat less, or use ASCII classes such as [0-9A-Za-z_] or (?-u:\\w)"
            ));
        }
        Ok(())
    }

    /// The parts for the filter.
    pub(super) fn parts(&self) -> &[Hir] {
        match self {
            Self::Any => &[],
            Self::Regex(expression) => &expression.parts,
        }
    }

    pub(super) fn steps_per_byte(&self) -> u64 {
        match self {
            Self::Any => 0,
            Self::Regex(expression) => expression.steps_per_byte,
        }
    }

    /// The first match.
    pub(super) fn find(&self, value: &[u8]) -> Option<Range<usize>> {
        match self {
            Self::Any => Some(0..0),
            Self::Regex(expression) => expression.regex.find(value).map(|matched| matched.range()),
        }
    }
}
