//! Chips of invisible characters: the text of every page shows `U+202E` in place of the character,
//! which stays in the text, so that a copy of it is exact.

use crate::invisible::is_invisible;
use std::fmt::Write as _;

/// Elements whose content is text without elements.
const TEXT_ONLY: [&str; 3] = ["title", "option", "textarea"];
/// Of these, the ones whose content is edited.
const EDITED: &str = "textarea";

/// A rendered page with chips. Attributes keep their values: templates escape `<` and `>` in them.
pub(super) fn with_chips(html: String) -> String {
    if !html.contains(is_invisible) {
        return html;
    }
    let mut marked = String::with_capacity(html.len() + 1024);
    let mut rest = html.as_str();
    let mut text_only = None;
    while let Some(start) = rest.find('<') {
        push(&mut marked, &rest[..start], text_only);
        let end = rest[start..].find('>').map_or(rest.len(), |end| start + end + 1);
        let tag = &rest[start..end];
        marked.push_str(tag);
        let name = tag[1..].split(|byte: char| !byte.is_ascii_alphanumeric()).next().unwrap_or_default();
        text_only = TEXT_ONLY.into_iter().find(|known| *known == name);
        rest = &rest[end..];
    }
    push(&mut marked, rest, text_only);
    marked
}

fn push(marked: &mut String, text: &str, text_only: Option<&str>) {
    for character in text.chars() {
        let code = u32::from(character);
        // Writing to text does not fail.
        let _ = match text_only {
            Some(EDITED) => marked.write_char(character),
            _ if !is_invisible(character) => marked.write_char(character),
            Some(_) => write!(marked, "[U+{code:04X}]"),
            // The parser of HTML replaces NUL.
            None if character == '\0' => write!(marked, "<span class=\"chip\" data-code=\"U+0000\"></span>"),
            None => write!(marked, "<span class=\"chip\" data-code=\"U+{code:04X}\">{character}</span>"),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_get_chips_and_attributes_stay() {
        let html = "<p title=\"a\u{202e}b\">a\u{202e}b</p>";
        let expected =
            "<p title=\"a\u{202e}b\">a<span class=\"chip\" data-code=\"U+202E\">\u{202e}</span>b</p>";
        assert_eq!(with_chips(html.to_owned()), expected);
        assert_eq!(with_chips("<p>é</p>".to_owned()), "<p>é</p>");
    }

    #[test]
    fn elements_of_text_get_no_elements() {
        let html = "<title>\u{200b}</title><option>\u{feff}</option><textarea>\u{ad}</textarea>\0";
        let expected = "<title>[U+200B]</title><option>[U+FEFF]</option><textarea>\u{ad}</textarea>\
                        <span class=\"chip\" data-code=\"U+0000\"></span>";
        assert_eq!(with_chips(html.to_owned()), expected);
    }
}
