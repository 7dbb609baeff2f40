//! The payload of a match: the span that a rule matched, extended to the whole part of the value that
//! attacks.
//!
//! Rules match the least that is evidence: `<script>`, `sleep(9)`. Analysts read the whole injection:
//! from the quote that leaves the string to the comment that hides the rest.

use crate::detect::Match;
use memchr::{memchr, memchr_iter, memmem};
use shared::AttackType;
use std::ops::Range;

/// Limit of the bytes that are added on each side.
const MAX_ADDED: usize = 500;
/// Limit of the part before a match that leaves a string or an attribute.
const MAX_BREAKOUT: usize = 40;
/// Words that join an injected expression to the statement.
const LINKS: [&[u8]; 9] = [b"and", b"case", b"if", b"not", b"or", b"select", b"when", b"where", b"xor"];
/// Limit of such words and of numbers before a match.
const MAX_LINKS: usize = 5;
/// Tags whose content is code, and their ends.
const CODE_TAGS: [(&[u8], &[u8]); 3] = [(b"<?", b"?>"), (b"<%", b"%>"), (b"<!--#", b"-->")];

/// The span of the payload.
pub(crate) fn of(hit: &Match<'_>, value: &[u8]) -> Range<usize> {
    let span = hit.span.start.min(value.len())..hit.span.end.min(value.len());
    let around = Around {
        before: &value[span.start.saturating_sub(MAX_ADDED)..span.start],
        matched: &value[span.clone()],
        after: &value[span.end..value.len().min(span.end + MAX_ADDED)],
    };
    let (before, after) = match hit.attack_type {
        AttackType::Sqli => (around.string_breakout(), around.end_of_statement()),
        AttackType::Xss => (around.attribute_breakout(), around.end_of_markup()),
        AttackType::Rce | AttackType::Ssti | AttackType::Ssi => (0, around.end_of_code()),
        AttackType::PathTraversal | AttackType::Ssrf => around.path(),
        AttackType::Ldapi => around.run(|byte| byte.is_ascii_alphanumeric() || b"()*|&=!".contains(&byte)),
        AttackType::Xxe => around.declaration(),
        _ => return span,
    };
    trimmed(value, span.start - before..span.end + after)
}

/// A match, and the bytes before and after it. The methods return how many of these belong to the
/// payload.
struct Around<'v> {
    before: &'v [u8],
    matched: &'v [u8],
    after: &'v [u8],
}

impl Around<'_> {
    /// `' and `, `7 and `: the quote or number that ends the value's own part, and the words that join
    /// the match to it. Of a number, only the words belong to the payload.
    fn string_breakout(&self) -> usize {
        let before = &self.before[self.before.len().saturating_sub(MAX_BREAKOUT)..];
        let quote = before.iter().position(|byte| b"'\"`".contains(byte));
        let start = quote.or_else(|| leading_number(before).filter(|_| before.len() == self.before.len()));
        start.filter(|&at| are_links(&before[at..])).map_or(0, |at| before.len() - at)
    }

    /// Brackets and quotes that close, and the rest of the line if it is a comment or ends with one.
    fn end_of_statement(&self) -> usize {
        let is_closing = |byte: &&u8| b" \t\r\n)'\"`;".contains(byte);
        let closing = self.after.iter().take_while(is_closing).count();
        let line = memchr(b'\n', self.after).unwrap_or(self.after.len());
        let is_comment = [&b"--"[..], b"#", b"/*"].iter().any(|it| self.after[closing..].starts_with(it));
        // A dash in a sentence is no comment.
        let ends_with_comment =
            memmem::find(&self.after[..line], b"--").is_some() && memchr(b'.', &self.after[..line]).is_none();
        if is_comment || ends_with_comment {
            line.max(closing)
        } else {
            self.after.iter().take_while(|byte| b")'\"`".contains(byte)).count()
        }
    }

    /// `" onfocus=`, `'>`: the attribute before the match with the quote before it, or marks.
    fn attribute_breakout(&self) -> usize {
        let before = &self.before[self.before.len().saturating_sub(MAX_BREAKOUT)..];
        let delimiter = before.iter().rposition(|byte| b"'\"`<>".contains(byte));
        match delimiter {
            Some(at) if before[at] != b'>' && memchr(b'=', &before[at..]).is_some() => before.len() - at,
            _ => before.iter().rev().take_while(|byte| b"'\"`>/;)-=".contains(byte)).count(),
        }
    }

    /// The end tag of the matched tag, or marks that close.
    fn end_of_markup(&self) -> usize {
        let name = |at: usize| {
            let name = &self.matched[at + 1..];
            let length = name.iter().take_while(|it| it.is_ascii_alphanumeric()).count();
            name[..length].to_ascii_lowercase()
        };
        let end_tag = |name: Vec<u8>| {
            let at = memmem::find(&self.after.to_ascii_lowercase(), &[b"</", &*name].concat())?;
            memchr(b'>', &self.after[at..]).map(|length| at + length + 1)
        };
        let name = memchr(b'<', self.matched).map(name).filter(|name| !name.is_empty());
        let marks = || self.after.iter().take_while(|byte| b"/'\"`>);".contains(byte)).count();
        name.and_then(end_tag).unwrap_or_else(marks)
    }

    /// The end of the tag, bracket or backtick that the match opens, and the commands joined after it.
    fn end_of_code(&self) -> usize {
        let tag = CODE_TAGS.iter().find(|(start, _)| self.matched.starts_with(start));
        let closed = match tag {
            Some((_, end)) if self.matched.ends_with(end) => 0,
            Some((_, end)) => memmem::find(self.after, end).map_or(self.after.len(), |at| at + end.len()),
            None => self.closing(),
        };
        let after = &self.after[closed..];
        let is_joined = matches!(after.trim_ascii_start(), [b'|' | b'&' | b';', ..]);
        let end = || after.iter().position(|byte| b"\r\n\"'`)".contains(byte)).unwrap_or(after.len());
        closed + if is_joined { end() } else { 0 }
    }

    /// The length until the brackets or the backtick that the match opens are closed.
    fn closing(&self) -> usize {
        let count = |wanted: u8| memchr_iter(wanted, self.matched).count();
        let braces = count(b'{').saturating_sub(count(b'}'));
        let brackets = count(b'(').saturating_sub(count(b')'));
        let (close, depth) = match (braces, brackets, count(b'`') % 2) {
            (1.., ..) => (b'}', braces),
            (_, 1.., _) => (b')', brackets),
            (.., 1) => (b'`', 1),
            _ => return 0,
        };
        memchr_iter(close, self.after).nth(depth - 1).map_or(0, |at| at + 1)
    }

    /// All of a URL, and of a path that climbs. Else the folders before the match are those of the
    /// site.
    fn path(&self) -> (usize, usize) {
        let is_of_path = |byte: u8| byte.is_ascii_alphanumeric() || b"./\\%~:-_+@$".contains(&byte);
        if memmem::find(self.matched, b"://").is_some() {
            return self.run(|byte| is_of_path(byte) || b"=?&#,|;".contains(&byte));
        }
        let (before, after) = self.run(is_of_path);
        let climbs = memmem::find(&self.before[self.before.len() - before..], b"..").is_some();
        (if climbs { before } else { 0 }, after)
    }

    /// The document type around the match, to the bracket that closes it.
    fn declaration(&self) -> (usize, usize) {
        let doctype = memmem::rfind(&self.before.to_ascii_lowercase(), b"<!doctype");
        let is_subset = doctype.is_some() || memchr(b'[', self.matched).is_some();
        let subset_end = || memmem::find(self.after, b"]>").map(|at| at + 2);
        let end = is_subset.then(subset_end).flatten();
        let end = end.or_else(|| {
            let is_open = !self.matched.ends_with(b">");
            is_open.then(|| memchr(b'>', self.after).map(|at| at + 1)).flatten()
        });
        (doctype.map_or(0, |at| self.before.len() - at), end.unwrap_or_default())
    }

    /// The bytes on both sides that belong to the same path or expression.
    fn run(&self, belongs: impl Fn(u8) -> bool) -> (usize, usize) {
        let before = self.before.iter().rev().take_while(|byte| belongs(**byte)).count();
        let after = self.after.iter().take_while(|byte| belongs(**byte)).count();
        (before, after)
    }
}

/// The end of the number that the text begins with, if more follows.
fn leading_number(text: &[u8]) -> Option<usize> {
    let sign = usize::from(text.first() == Some(&b'-'));
    let digits = text[sign..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    (digits > 0 && sign + digits < text.len()).then_some(sign + digits)
}

/// Whether a text joins two expressions of SQL.
fn are_links(text: &[u8]) -> bool {
    let is_link = |word: &[u8]| {
        word.iter().all(u8::is_ascii_digit) || LINKS.iter().any(|link| word.eq_ignore_ascii_case(link))
    };
    let mut words = text.split(|byte| !byte.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    text.iter().all(|byte| byte.is_ascii_alphanumeric() || b" ()=<>'\"`+-*/|&!;,".contains(byte))
        && words.by_ref().take(MAX_LINKS).all(is_link)
        && words.next().is_none()
}

/// Without blanks at the ends.
fn trimmed(value: &[u8], span: Range<usize>) -> Range<usize> {
    let text = &value[span.clone()];
    let start = text.len() - text.trim_ascii_start().len();
    let end = text.trim_ascii_end().len();
    if start >= end { span } else { span.start + start..span.start + end }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use shared::Severity;

    fn any_type() -> impl Strategy<Value = AttackType> {
        prop::sample::select(vec![
            AttackType::Sqli,
            AttackType::Xss,
            AttackType::Rce,
            AttackType::PathTraversal,
            AttackType::Ldapi,
            AttackType::Xxe,
            AttackType::Crlf,
        ])
    }

    proptest! {
        #[test]
        fn a_payload_is_inside_the_value(value in "[-a-z0-9 '\"`(){}<>/?;:#=.\\[\\]\n]{0,80}", a in 0_usize..90, b in 0_usize..90, attack_type in any_type()) {
            let (start, end) = (a.min(b), a.max(b));
            let hit = Match { attack_type, signature: "test", severity: Severity::Low, span: start..end };
            let payload = of(&hit, value.as_bytes());
            prop_assert!(payload.start <= payload.end && payload.end <= value.len(), "{payload:?}");
        }
    }
}
