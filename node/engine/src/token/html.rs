//! HTML tags with their attributes, tokenized leniently, as browsers do, without errors.

use std::ops::Range;

/// A tag somewhere in a value.
#[derive(Debug)]
pub(crate) struct Tag<'v> {
    /// Lower-case, without a namespace prefix.
    pub name: String,
    /// Whether it has a namespace prefix.
    pub is_prefixed: bool,
    pub is_end: bool,
    pub attributes: Vec<Attribute<'v>>,
    pub span: Range<usize>,
}

#[derive(Debug)]
pub(crate) struct Attribute<'v> {
    /// Lower-case.
    pub name: String,
    /// `None` when there is no equals sign.
    pub value: Option<&'v [u8]>,
    /// The name and the value, with its quotes.
    pub span: Range<usize>,
}

/// Every tag of a value. A tag that is cut off at the end counts.
pub(crate) fn tags(value: &[u8]) -> Vec<Tag<'_>> {
    let mut reader = Reader { value, at: 0, unclosed: [false; 3] };
    let mut tags = Vec::new();
    while let Some(open) = memchr::memchr(b'<', &value[reader.at..]) {
        reader.at += open;
        tags.extend(reader.tag());
    }
    tags
}

/// The attributes a value would add if it stood inside a tag.
pub(crate) fn attributes(value: &[u8]) -> Vec<Attribute<'_>> {
    Reader { value, at: 0, unclosed: [false; 3] }.attributes()
}

/// The same as an iterator: names in their original case, and values.
pub(crate) fn spelled_attributes(value: &[u8]) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
    let mut reader = Reader { value, at: 0, unclosed: [false; 3] };
    std::iter::from_fn(move || reader.attribute())
}

struct Reader<'v> {
    value: &'v [u8],
    at: usize,
    /// Quotes that do not occur again, which keeps the search for closing quotes linear.
    unclosed: [bool; 3],
}

impl<'v> Reader<'v> {
    fn tag(&mut self) -> Option<Tag<'v>> {
        let start = self.at;
        self.at += 1;
        let is_end = self.peek() == Some(b'/');
        self.at += usize::from(is_end);
        if !self.peek().is_some_and(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'!' | b'?')) {
            return None;
        }
        let name = self.take_while(|byte| !is_blank(byte) && !matches!(byte, b'/' | b'>' | b'<'));
        let is_prefixed = memchr::memchr(b':', name).is_some();
        let name = local_name(name);
        let attributes = self.attributes();
        self.at += usize::from(self.peek() == Some(b'>'));
        Some(Tag { name, is_prefixed, is_end, attributes, span: start..self.at })
    }

    fn attributes(&mut self) -> Vec<Attribute<'v>> {
        let mut attributes = Vec::new();
        while let Some((name, value)) = self.attribute() {
            let start = name.as_ptr().addr() - self.value.as_ptr().addr();
            let name = String::from_utf8_lossy(name).to_ascii_lowercase();
            attributes.push(Attribute { name, value, span: start..self.at });
        }
        attributes
    }

    /// The next attribute of the tag.
    fn attribute(&mut self) -> Option<(&'v [u8], Option<&'v [u8]>)> {
        self.take_while(|byte| is_blank(byte) || matches!(byte, b'/' | b'"' | b'\'' | b'`'));
        // A tag inside a tag: browsers continue, but the inner tag is inspected as a new one.
        self.peek().filter(|byte| !matches!(byte, b'>' | b'<'))?;
        let start = self.at;
        self.at += 1;
        self.take_while(|byte| !is_blank(byte) && !matches!(byte, b'/' | b'>' | b'=' | b'<' | b'"' | b'\''));
        let name = &self.value[start..self.at];
        let after_name = self.at;
        self.take_while(is_blank);
        if self.peek() != Some(b'=') {
            self.at = after_name;
            return Some((name, None));
        }
        self.at += 1;
        self.take_while(is_blank);
        Some((name, Some(self.attribute_value())))
    }

    fn attribute_value(&mut self) -> &'v [u8] {
        if let Some(end) = self.closing_quote() {
            let value = &self.value[self.at + 1..end];
            self.at = end + 1;
            return value;
        }
        self.take_while(|byte| !is_blank(byte) && byte != b'>')
    }

    /// The position of the closing quote.
    fn closing_quote(&mut self) -> Option<usize> {
        let quote = self.peek()?;
        let known = b"\"'`".iter().position(|&it| it == quote).filter(|&known| !self.unclosed[known])?;
        let offset = memchr::memchr(quote, &self.value[self.at + 1..]);
        self.unclosed[known] = offset.is_none();
        offset.map(|offset| self.at + 1 + offset)
    }

    fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'v [u8] {
        let rest = &self.value[self.at..];
        let length = rest.iter().position(|&byte| !wanted(byte)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    fn peek(&self) -> Option<u8> {
        self.value.get(self.at).copied()
    }
}

/// Control bytes separate attributes in some browsers.
fn is_blank(byte: u8) -> bool {
    byte <= b' '
}

/// Lower-case, and `script` for `svg:script`.
fn local_name(name: &[u8]) -> String {
    let local = name.rsplit(|&byte| byte == b':').next().unwrap_or(name);
    let local = local.strip_suffix(b"#").unwrap_or(local);
    String::from_utf8_lossy(local).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_snapshot;

    fn spell(value: &str) -> String {
        let spelled = tags(value.as_bytes()).iter().map(spell_tag).collect::<Vec<_>>();
        spelled.join(" | ")
    }

    fn spell_tag(tag: &Tag<'_>) -> String {
        let attribute = |it: &Attribute<'_>| match it.value {
            Some(value) => format!(" {}={}", it.name, String::from_utf8_lossy(value)),
            None => format!(" {}", it.name),
        };
        let end = if tag.is_end { "/" } else { "" };
        format!("{end}{}{}", tag.name, tag.attributes.iter().map(attribute).collect::<String>())
    }

    #[test]
    fn treats_slashes_as_spaces() {
        assert_snapshot!(spell("<svg/onload=alert(1)//x>"), @"svg onload=alert(1)//x");
    }

    #[test]
    fn accepts_any_value_with_or_without_quotes() {
        assert_snapshot!(spell("<a title='x > y' href=z checked>t</a>"), @"a title=x > y href=z checked | /a");
    }

    #[test]
    fn continues_after_an_unclosed_quote() {
        assert_snapshot!(spell("<a title=\"x <img src=x onerror=y>"), @r#"a title="x | img src=x onerror=y"#);
    }

    #[test]
    fn ends_a_tag_at_the_end_of_the_value() {
        assert_snapshot!(spell("a <script src=x"), @"script src=x");
    }

    #[test]
    fn ignores_comparisons() {
        assert_snapshot!(spell("a < b, x<3, <-, <>"), @"");
    }
}
