//! Texts of markup that comments, instructions or sections split. Whoever reads the markup joins them,
//! so that no part of the value shows what is read, whether or not it looks like an XML document.

use crate::token::xml::{XmlTokenKind, tokens};
use std::mem;

pub(in crate::parse) const NAME: &str = "xml";

/// The text between two tags.
#[derive(Default)]
struct Text {
    joined: Vec<u8>,
    /// The number of parts that are not blank.
    parts: usize,
    is_split: bool,
    has_whole_section: bool,
}

/// Each text between two tags that is split, joined. XML has no control bytes, but binary data has, and
/// split texts by chance.
pub(in crate::parse) fn split_texts(value: &[u8]) -> Vec<Vec<u8>> {
    let mut texts = Vec::new();
    if !has_split(value) || value.iter().any(|byte| matches!(byte, 0..9 | 11 | 12 | 14..32)) {
        return texts;
    }
    let mut text = Text::default();
    for token in tokens(value) {
        let inner = &value[token.inner];
        match token.kind {
            XmlTokenKind::Text => text.push(inner),
            XmlTokenKind::Data => {
                text.is_split = true;
                text.has_whole_section |= token.closed;
                text.push(inner);
            }
            XmlTokenKind::Comment | XmlTokenKind::Instruction => text.is_split = true,
            _ => texts.extend(mem::take(&mut text).read()),
        }
    }
    texts.extend(text.read());
    texts
}

impl Text {
    fn push(&mut self, part: &[u8]) {
        self.parts += usize::from(!part.trim_ascii().is_empty());
        self.joined.extend_from_slice(part);
    }

    /// A single section is a value of its own if its text is split in turn.
    fn read(self) -> Option<Vec<u8>> {
        let is_split_in_turn = || self.has_whole_section && has_split(&self.joined);
        let is_read = self.is_split && (self.parts > 1 || self.parts == 1 && is_split_in_turn());
        is_read.then(|| self.joined.trim_ascii().to_vec())
    }
}

/// `<!--`, `<![`, `<?`.
fn has_split(value: &[u8]) -> bool {
    memchr::memchr_iter(b'<', value).any(|at| matches!(value[at + 1..], [b'?', ..] | [b'!', b'-' | b'[', ..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(value: &str) -> Vec<String> {
        split_texts(value.as_bytes())
            .into_iter()
            .map(|it| String::from_utf8_lossy(&it).into_owned())
            .collect()
    }

    #[test]
    fn joins_texts_between_tags() {
        assert_eq!(joined("<a>b<!--c-->d<e/>f<?g?>h</a>i<![CDATA[j<k>]]>"), ["bd", "fh", "ij<k>"]);
        assert_eq!(joined("b<!--c-->d"), ["bd"]);
        assert_eq!(joined("<a>\n b<!--c-->d \n</a>"), ["bd"]);
        assert_eq!(joined("<a><![CDATA[<b>c<!--d-->e</b>]]></a>"), ["<b>c<!--d-->e</b>"]);
    }

    #[test]
    fn leaves_other_texts() {
        for value in [
            "<a>b</a>",
            "a < b < c",
            "<!--a--><b>c</b><!--d-->",
            "<a><![CDATA[b <i>c</i>]]></a>",
            "<?xml version='1.0'?>\n<a>b</a>",
            "a\x01<!--b-->c",
            "a<!-- b",
            "<![CDATA[<![CDATA[a",
        ] {
            assert_eq!(joined(value), [""; 0], "{value}");
        }
    }
}
