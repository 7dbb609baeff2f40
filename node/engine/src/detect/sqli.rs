//! SQL injection: a value is tokenized as SQL in each position it may land in (bare, or inside a
//! string) and its grammar is inspected.
//!
//! Words alone are no evidence, as prose has the same words: each rule requires the grammar of SQL
//! around them.

mod administration;
mod breakout;
mod condition;
mod fragment;
mod function;
mod prose;
mod select_list;
mod stacked;
mod statement;

use super::Match;
use crate::{
    token::sql::{LowerText, Opening, TokenKind, TokenStream},
    words::WORDS,
};
use shared::{AttackType, Severity};
use std::{ops::Range, rc::Rc};

/// A match of a rule: its signature and its tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
struct RuleMatch {
    signature: &'static str,
    severity: Severity,
    tokens: Range<usize>,
}

/// The tokens of a value, and the position in the statement where the value lands.
struct ParseContext {
    stream: TokenStream,
    opening: Opening,
    /// Posts about SQL quote whole queries; injections are no whole queries.
    is_document: bool,
}

/// A rule for the whole value.
type Rule = fn(&ParseContext) -> Option<RuleMatch>;

/// A rule for a position in the value.
type RuleAt = fn(&ParseContext, usize) -> Option<RuleMatch>;

/// Whether a rule may match at a token of this kind and, if it is a word, of this spelling.
type Begins = fn(TokenKind, &[u8]) -> bool;

/// Rules that run at each trigger at which they may match, and at the first token.
const RULES: &[(Begins, RuleAt)] = &[
    (|_, word| matches!(word, b"union" | b"intersect" | b"except" | b"minus"), statement::union_select),
    (|kind, _| kind == TokenKind::Open, statement::subselect),
    (|_, word| word == b"select", statement::select_from),
    (|kind, word| kind == TokenKind::Semicolon || WORDS.sqli.statements.contains(word), stacked::stacked),
    (is_clause, statement::probe),
    (is_condition, condition::tautology),
    (is_condition, condition::in_condition),
    (is_condition, condition::after_number),
    (|_, word| matches!(word, b"case" | b"when"), condition::case),
    (|_, word| word == b"waitfor" || WORDS.sqli.delay_functions.contains(word), function::delay),
    (|kind, _| kind == TokenKind::Variable, function::server_variable),
];

fn is_clause(_: TokenKind, word: &[u8]) -> bool {
    matches!(word, b"order" | b"group" | b"having" | b"procedure" | b"into" | b"limit" | b"as" | b"from")
}

fn is_condition(kind: TokenKind, word: &[u8]) -> bool {
    kind == TokenKind::Logic || matches!(word, b"or" | b"and" | b"xor" | b"where")
}

/// Rules for a bare value that match it as a whole.
const WHOLE_VALUE_RULES: &[Rule] = &[
    condition::bare_comparison,
    condition::bare_expression,
    function::whole_call,
    function::nested_call,
    fragment::leading_condition,
    fragment::operator,
    fragment::constant,
    fragment::open_call,
    fragment::semicolon,
    fragment::from_clause,
    fragment::values,
    fragment::open_pattern,
    fragment::open_end,
];

/// Rules for a value that leaves the string it landed in.
const BREAKOUT_RULES: &[Rule] = &[
    breakout::condition,
    breakout::reopened_condition,
    breakout::cut,
    breakout::comment,
    breakout::operator,
    breakout::joined_call,
    breakout::statement,
    fragment::quoted_verb,
];

/// Tokens before an injection into a number, even in a document.
const FIRST_TOKENS: usize = 6;

/// Longer values may be binary files.
const BINARY_BYTES: usize = 1_000;

/// The length of the shortest injection that is searched for in parts of a value.
const SHORTEST: usize = 6;

/// Inspects a value that contains one of the prefilter literals: as a text, or the texts between the
/// control bytes of a binary value, which may be those of a file or padding around an injection.
pub(super) fn detect(value: &[u8], is_document: bool) -> Vec<Match<'static>> {
    if !is_binary(value) {
        return read_text(value, is_document);
    }
    let texts = value.split(|&byte| is_odd(byte)).filter(|text| text.len() >= SHORTEST);
    let mut found = texts.map(|text| moved(value, text, read_text(text, is_document)));
    found.find(|matches| !matches.is_empty()).unwrap_or_default()
}

fn read_text(value: &[u8], is_document: bool) -> Vec<Match<'static>> {
    if prose::is_prose(value) {
        return Vec::new();
    }
    let mut matches = read_all(value, is_document);
    if matches.is_empty() && !is_document {
        matches = read_lines(value);
    }
    matches
}

/// The lines of a value, and its spans between backticks, that leave a string: prose around them is
/// no part of the injection.
fn read_lines(value: &[u8]) -> Vec<Match<'static>> {
    let has_quote =
        |part: &&[u8]| (SHORTEST..value.len()).contains(&part.len()) && memchr::memchr(b'\'', part).is_some();
    let lines = value.split(|&byte| byte == b'\n');
    let spans = value.split(|&byte| byte == b'`').skip(1).step_by(2);
    let mut found = lines
        .chain(spans)
        .filter(has_quote)
        .map(|part| moved(value, part, read(part, None, Opening::Quoted(b'\''), false)));
    found.find(|matches| !matches.is_empty()).unwrap_or_default()
}

/// The matches in a part of a value as matches in the value.
fn moved(value: &[u8], part: &[u8], matches: Vec<Match<'static>>) -> Vec<Match<'static>> {
    let start = part.as_ptr().addr() - value.as_ptr().addr();
    let moved = matches.into_iter();
    moved.map(|it| Match { span: start + it.span.start..start + it.span.end, ..it }).collect()
}

/// Each signature that matches, once.
fn read_all(value: &[u8], is_document: bool) -> Vec<Match<'static>> {
    let mut matches: Vec<Match<'static>> = Vec::new();
    let text = Rc::new(LowerText::of(value));
    for opening in [Opening::Bare, Opening::Quoted(b'\''), Opening::Quoted(b'"'), Opening::Quoted(b'`')] {
        for hit in read(value, Some(&text), opening, is_document) {
            if !matches.iter().any(|known| known.signature == hit.signature) {
                matches.push(hit);
            }
        }
    }
    matches
}

/// Binary files contain any token sequence by chance. Short values do not count as files: some
/// databases treat any control byte as a space.
fn is_binary(value: &[u8]) -> bool {
    let odd = || value.iter().filter(|&&byte| is_odd(byte)).count();
    value.len() > BINARY_BYTES && odd() * 20 > value.len()
}

/// Whether no text contains this byte.
fn is_odd(byte: u8) -> bool {
    byte < 9 || (14..32).contains(&byte)
}

/// The matches with one opening; `text` is the value in lower case, if it is known.
fn read(
    value: &[u8],
    text: Option<&Rc<LowerText>>,
    opening: Opening,
    is_document: bool,
) -> Vec<Match<'static>> {
    if matches!(opening, Opening::Quoted(quote) if memchr::memchr(quote, value).is_none()) {
        return Vec::new();
    }
    // Posts quote code with backticks.
    if is_document && opening == Opening::Quoted(b'`') {
        return Vec::new();
    }
    let text = text.map_or_else(|| Rc::new(LowerText::of(value)), Rc::clone);
    let stream = TokenStream::with_text(value, text, opening);
    let context = ParseContext { stream, opening, is_document };
    let once_rules = if opening == Opening::Bare { WHOLE_VALUE_RULES } else { BREAKOUT_RULES };
    let mut evidence: Vec<RuleMatch> = once_rules.iter().filter_map(|rule| rule(&context)).collect();
    evidence.extend(context.first_of_each());
    evidence.into_iter().map(|it| context.matched(&it)).collect()
}

/// Whether only an administrator of a database would use this word.
pub(super) fn is_distinctive_word(value: &[u8]) -> bool {
    WORDS.sqli.distinctive.contains(value)
}

impl ParseContext {
    /// The first match of each rule. All rules run at one position before the next position: long
    /// values exceed the caches.
    fn first_of_each(&self) -> impl Iterator<Item = RuleMatch> {
        let mut evidence = [const { None }; RULES.len()];
        for at in 0..self.stream.len() {
            let Some((kind, word)) = self.trigger(at) else { continue };
            for ((begins, rule), evidence) in RULES.iter().zip(&mut evidence) {
                if evidence.is_none() && (at == 0 || begins(kind, word)) {
                    *evidence = rule(self, at).filter(|it| self.is_injected(it));
                }
            }
        }
        evidence.into_iter().flatten()
    }

    /// The token here with its word, if a rule may match: at the start, at punctuation of SQL, and at
    /// trigger words.
    fn trigger(&self, at: usize) -> Option<(TokenKind, &[u8])> {
        let kind = self.stream.kind(at)?;
        let word = self.stream.word_bytes(at);
        let is_trigger = match kind {
            TokenKind::Logic | TokenKind::Open | TokenKind::Semicolon | TokenKind::Variable => true,
            TokenKind::Word => {
                WORDS.sqli.triggers.contains(word) || WORDS.sqli.delay_functions.contains(word)
            }
            _ => false,
        };
        (is_trigger || at == 0).then_some((kind, word))
    }

    fn matched(&self, evidence: &RuleMatch) -> Match<'static> {
        let mut span = self.stream.span(evidence.tokens.start, evidence.tokens.end);
        // Of the string before the breakout, only the closing quote belongs to the payload.
        if self.opening != Opening::Bare && evidence.tokens.start == 0 {
            span.start = self.stream.span(0, 1).end.saturating_sub(1);
        }
        Match {
            attack_type: AttackType::Sqli,
            signature: evidence.signature,
            severity: evidence.severity,
            span,
        }
    }

    /// Whether a match is more than a quotation. Posts quote whole statements; an injection follows
    /// the string or the number that it broke out of.
    fn is_injected(&self, evidence: &RuleMatch) -> bool {
        let at = evidence.tokens.start;
        let before = (0..at).rev().find(|&it| self.stream.kind(it) != Some(TokenKind::Close));
        let follows_text = before.is_some_and(|it| {
            matches!(self.stream.kind(it), Some(TokenKind::Text { .. }))
                && self.stream.is_same_line(it, at + 2)
        });
        let is_first = (1..=FIRST_TOKENS).contains(&at) || at == 0 && self.opening != Opening::Bare;
        !self.is_document
            || is_first
            || follows_text && !matches!(evidence.signature, "sqli-clause" | "sqli-condition")
    }

    /// The start of a match in mid-value: the quote, when the match follows the breakout directly.
    fn start(&self, at: usize) -> usize {
        let closing = (0..at).rev().take_while(|&it| self.stream.kind(it) == Some(TokenKind::Close));
        let first = closing.last().unwrap_or(at);
        if self.opening != Opening::Bare && first == 1 { 0 } else { at }
    }
}

#[cfg(test)]
mod tests;
