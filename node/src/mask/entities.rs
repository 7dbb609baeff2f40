//! Texts with character references, such as markup in markup: `&lt;password&gt;x`.

use std::ops::Range;

/// The longest reference: `&#x10ffff;`.
const MAX_REFERENCE: usize = 10;
const NAMED: [(&str, char); 6] =
    [("lt", '<'), ("gt", '>'), ("quot", '"'), ("apos", '\''), ("amp", '&'), ("nbsp", '\u{a0}')];

/// A text without its references, and where its parts were.
pub(super) struct Unescaped {
    pub text: String,
    /// The ends of the characters that were references: in this text, and in the other.
    ends: Vec<(usize, usize)>,
}

impl Unescaped {
    /// `None` without a reference.
    pub(super) fn of(text: &str) -> Option<Self> {
        let mut unescaped = Self { text: String::new(), ends: Vec::new() };
        let mut copied = 0;
        for (at, _) in text.match_indices('&') {
            let Some((letter, length)) = text.get(at..).and_then(reference).filter(|_| at >= copied) else {
                continue;
            };
            unescaped.text.push_str(text.get(copied..at).unwrap_or_default());
            unescaped.text.push(letter);
            copied = at + length;
            unescaped.ends.push((unescaped.text.len(), copied));
        }
        unescaped.text.push_str(text.get(copied..).unwrap_or_default());
        (copied > 0).then_some(unescaped)
    }

    /// The place in the text with references.
    pub(super) fn original(&self, place: &Range<usize>) -> Range<usize> {
        self.at(place.start)..self.at(place.end)
    }

    fn at(&self, at: usize) -> usize {
        let before = self.ends.partition_point(|(end, _)| *end <= at);
        let known = before.checked_sub(1).and_then(|last| self.ends.get(last));
        known.map_or(at, |(end, original)| original + (at - end))
    }
}

/// The character of a reference at the start of a text, and the length of the reference.
fn reference(text: &str) -> Option<(char, usize)> {
    let window = text.as_bytes().get(..text.len().min(MAX_REFERENCE))?;
    let end = window.iter().position(|byte| *byte == b';')?;
    let name = text.get(1..end)?;
    let letter = match name.strip_prefix('#') {
        Some(number) => {
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)?
        }
        None => NAMED.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?.1,
    };
    Some((letter, end + 1))
}
