//! CDATA decoder: joins `<![CDATA[<]]>script` with the text around it.
//!
//! Joined are very short sections, which can hide markup, and sections without markup, which are
//! equivalent to text.

use super::replace;
use memchr::memmem;

/// Longer sections with markup are ordinary CDATA.
const MAX_SECTION: usize = 4;
const MAX_TEXT: usize = 200;

pub(super) fn decode(value: &[u8]) -> Option<Vec<u8>> {
    replace(value, memmem::find_iter(value, b"<![CDATA["), |section| {
        let inside = &section[9..];
        let end = memmem::find(&inside[..inside.len().min(MAX_TEXT + 3)], b"]]>")?;
        let is_joined = end <= MAX_SECTION || !inside[..end].contains(&b'<');
        is_joined.then(|| (inside[..end].iter().copied(), end + 12))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_sections_are_joined() {
        let split = b"<a><![CDATA[<]]>script<![CDATA[>]]>x</a>";
        assert_eq!(decode(split).as_deref(), Some(b"<a><script>x</a>".as_slice()));
    }

    #[test]
    fn sections_without_markup_are_joined() {
        assert_eq!(decode(b"<![CDATA[1 union select 2]]>").as_deref(), Some(b"1 union select 2".as_slice()));
    }

    #[test]
    fn sections_with_markup_are_unchanged() {
        assert_eq!(decode(b"<a><![CDATA[some <b>text</b>]]></a>"), None);
        assert_eq!(decode(b"<![CDATA[<"), None);
    }
}
