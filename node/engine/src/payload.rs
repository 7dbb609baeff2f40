//! The payload of a match: the span that a rule matched, extended to the whole part of the value that
//! attacks.
//!
//! Rules match the least that is evidence: `<script>`, `sleep(9)`. Analysts read the whole injection:
//! from the quote that leaves the string to the comment that hides the rest.

use crate::detect::Match;
use shared::AttackType;
use std::ops::Range;

/// Limit of each extension.
const MAX_EXTENSION: usize = 500;
/// Limit of the part before a match that leaves a string.
const MAX_BREAKOUT: usize = 40;
/// Tags whose content is code, and their ends.
const CODE_TAGS: [(&[u8], &[u8]); 3] = [(b"<?", b"?>"), (b"<%", b"%>"), (b"<!--#", b"-->")];

/// The span of the payload.
pub(crate) fn of(hit: &Match<'_>, value: &[u8]) -> Range<usize> {
    let span = hit.span.start.min(value.len())..hit.span.end.min(value.len());
    let extended = match hit.attack_type {
        AttackType::Sqli => statement(value, span),
        AttackType::Xss => markup(value, span),
        AttackType::Rce | AttackType::Ssti | AttackType::Ssi => command(value, span),
        AttackType::PathTraversal | AttackType::Ssrf
            if memchr::memmem::find(&value[span.clone()], b"://").is_some() =>
        {
            run(value, span, |byte| is_of_path(byte) || b"=?&#,|;".contains(&byte))
        }
        AttackType::PathTraversal | AttackType::Ssrf => path(value, span),
        AttackType::Ldapi => {
            run(value, span, |byte| byte.is_ascii_alphanumeric() || b"()*|&=!".contains(&byte))
        }
        AttackType::Xxe => declaration(value, span),
        _ => return span,
    };
    trimmed(value, extended)
}

/// From the quote before the match to the comment after it.
fn statement(value: &[u8], span: Range<usize>) -> Range<usize> {
    let before = &value[span.start.saturating_sub(MAX_BREAKOUT)..span.start];
    let is_link = |text: &[u8]| {
        let words = text.split(|byte| !byte.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        words.clone().count() < 6
            && words.clone().all(|word| {
                [&b"and"[..], b"or", b"not", b"xor", b"select", b"where", b"if", b"case", b"when"]
                    .iter()
                    .any(|known| word.eq_ignore_ascii_case(known))
                    || word.iter().all(u8::is_ascii_digit)
            })
            && text.iter().all(|byte| byte.is_ascii_alphanumeric() || b" ()=<>'\"`+-*/|&!;,".contains(byte))
    };
    let quote = before.iter().position(|byte| b"'\"`".contains(byte)).filter(|&at| is_link(&before[at..]));
    let number = || {
        let sign = usize::from(before.first() == Some(&b'-'));
        let digits = sign + before[sign..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let is_number = before.len() < MAX_BREAKOUT && digits > sign && digits < before.len();
        (is_number && is_link(&before[digits..])).then_some(digits)
    };
    let start = quote.or_else(number).map_or(span.start, |at| span.start - before.len() + at);
    let rest = &value[span.end..];
    let closers = rest.iter().take_while(|byte| b" \t\r\n)'\"`;".contains(byte)).count();
    let line = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len()).min(MAX_EXTENSION);
    let has_comment =
        |text: &[u8]| text.starts_with(b"--") || text.starts_with(b"#") || text.starts_with(b"/*");
    let end = match memchr::memchr(b';', &rest[..closers.min(rest.len())]) {
        _ if has_comment(&rest[closers..]) => line.max(closers),
        _ if rest[..line].windows(2).any(|pair| pair == b"--") && !rest[..line].contains(&b'.') => line,
        _ => rest.iter().take_while(|byte| b")'\"`".contains(byte)).count(),
    };
    start..span.end + end
}

/// From the quote and bracket before the match to the end tag after it.
fn markup(value: &[u8], span: Range<usize>) -> Range<usize> {
    let before = &value[..span.start];
    let marks =
        before.iter().rev().take(MAX_BREAKOUT).take_while(|byte| b"'\"`>/;)-=".contains(byte)).count();
    let attribute = before
        .iter()
        .rev()
        .take(MAX_BREAKOUT)
        .position(|byte| b"'\"`<>".contains(byte))
        .filter(|&length| before[before.len() - length..].contains(&b'='));
    let start = match attribute {
        Some(length) if b"'\"`<".contains(&before[before.len() - length - 1]) => span.start - length - 1,
        _ => span.start - marks,
    };
    let matched = &value[start..span.end];
    let rest = &value[span.end..];
    let bounded = &rest[..rest.len().min(MAX_EXTENSION)];
    let name: Vec<u8> = memchr::memchr(b'<', matched)
        .map(|at| matched[at + 1..].iter().take_while(|it| it.is_ascii_alphanumeric()).copied().collect())
        .unwrap_or_default();
    let end_tag = (!name.is_empty())
        .then(|| {
            memchr::memmem::find(
                &bounded.to_ascii_lowercase(),
                &[b"</", &name.to_ascii_lowercase()[..]].concat(),
            )
        })
        .flatten()
        .and_then(|at| memchr::memchr(b'>', &bounded[at..]).map(|length| at + length + 1));
    let marks = || bounded.iter().take_while(|byte| b"/'\"`>);".contains(byte)).count();
    start..span.end + end_tag.unwrap_or_else(marks)
}

/// To the bracket, tag or backtick that closes what the match opens, and on to the commands after it.
fn command(value: &[u8], span: Range<usize>) -> Range<usize> {
    let matched = &value[span.clone()];
    let rest = &value[span.end..];
    let bounded = &rest[..rest.len().min(MAX_EXTENSION)];
    let closed = match CODE_TAGS.iter().find(|(start, _)| matched.starts_with(start)) {
        Some((_, end)) if matched.ends_with(end) => 0,
        Some((_, end)) => memchr::memmem::find(bounded, end).map_or(bounded.len(), |at| at + end.len()),
        None => closing(matched, bounded),
    };
    let after = &bounded[closed..];
    let next = after.iter().take_while(|byte| **byte == b' ').count();
    let continues = matches!(after.get(next), Some(b'|' | b'&' | b';'));
    let line = after.iter().position(|byte| b"\r\n\"'`)".contains(byte)).unwrap_or(after.len());
    span.start..span.end + closed + if continues { line } else { 0 }
}

/// The length until the brackets and backticks that a match opens are closed.
fn closing(matched: &[u8], rest: &[u8]) -> usize {
    let depth = |open: u8, close: u8| {
        let count = |wanted: u8| memchr::memchr_iter(wanted, matched).count();
        count(open).saturating_sub(count(close))
    };
    let braces = depth(b'{', b'}');
    let rounds = depth(b'(', b')');
    let ticks = memchr::memchr_iter(b'`', matched).count() % 2;
    let (close, mut open) = match (braces, rounds, ticks) {
        (1.., ..) => (b'}', braces),
        (_, 1.., _) => (b')', rounds),
        (.., 1) => (b'`', 1),
        _ => return 0,
    };
    for at in memchr::memchr_iter(close, rest) {
        open -= 1;
        if open == 0 {
            return at + 1;
        }
    }
    0
}

/// From the document type before the match to the bracket that closes it.
fn declaration(value: &[u8], span: Range<usize>) -> Range<usize> {
    let before = &value[..span.start].to_ascii_lowercase();
    let start = memchr::memmem::rfind(before, b"<!doctype").unwrap_or(span.start);
    let rest = &value[span.end..];
    let bounded = &rest[..rest.len().min(MAX_EXTENSION)];
    let end = if start < span.start || value[start..span.end].contains(&b'[') {
        memchr::memmem::find(bounded, b"]>").map(|at| at + 2)
    } else {
        None
    };
    let end = end.or_else(|| {
        memchr::memchr(b'>', bounded).filter(|_| !value[..span.end].ends_with(b">")).map(|at| at + 1)
    });
    start..span.end + end.unwrap_or_default()
}

/// The bytes around the match that belong to the same path or expression.
fn run(value: &[u8], span: Range<usize>, belongs: fn(u8) -> bool) -> Range<usize> {
    let before =
        value[..span.start].iter().rev().take(MAX_EXTENSION).take_while(|byte| belongs(**byte)).count();
    let after = value[span.end..].iter().take(MAX_EXTENSION).take_while(|byte| belongs(**byte)).count();
    span.start - before..span.end + after
}

/// The whole path if it climbs; else the folders before the match are those of the site.
fn path(value: &[u8], span: Range<usize>) -> Range<usize> {
    let whole = run(value, span.clone(), is_of_path);
    let climbs = memchr::memmem::find(&value[whole.start..span.start], b"..").is_some();
    if climbs { whole } else { span.start..whole.end }
}

fn is_of_path(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"./\\%~:-_+@$".contains(&byte)
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
