//! Elements of markup whose content is a secret: `<password>x</password>`,
//! `<property name="pin">x</property>`, `<name>pin</name><value>x</value>`.

use super::{assignments, names};
use std::ops::Range;

/// Elements of HTML without content.
const VOID: &[&str] = &["add", "br", "hr", "img", "input", "link", "meta", "param"];
/// Sections that may contain anything that looks like a tag.
const SECTIONS: [(&str, &str); 2] = [("<![CDATA[", "]]>"), ("<!--", "-->")];
/// The longest content that may name a secret.
const MAX_NAME: usize = 200;
/// The most levels of documents in sections.
const MAX_SECTIONS: usize = 3;

/// Adds the places of contents that are secrets. An element without an end ends with the text.
pub(super) fn find(text: &str, places: &mut Vec<Range<usize>>) {
    find_at_depth(text, 0, MAX_SECTIONS, places);
}

fn find_at_depth(text: &str, offset: usize, depth: usize, places: &mut Vec<Range<usize>>) {
    let push = |place: Range<usize>, places: &mut Vec<Range<usize>>| {
        places.push(offset + place.start..offset + place.end);
    };
    let (mut at, mut is_named) = (0, false);
    // The last element of a value, and the element before it that named the value.
    let (mut value, mut owner): (Option<(Tag<'_>, Option<&str>)>, Option<&str>) = (None, None);
    while let Some(found) = text.get(at..).and_then(|rest| rest.find('<')) {
        let start = at + found;
        let Some(tag) = Tag::at(text, start) else {
            let section = section(text, start);
            if let Some(Section { inside, .. }) = section.as_ref().filter(|_| depth > 0) {
                let inner = text.get(inside.clone()).unwrap_or_default();
                find_at_depth(inner, offset + inside.start, depth - 1, places);
            }
            at = section.map_or(start + 1, |section| section.end);
            continue;
        };
        at = tag.end;
        let is_name = names::is_of_name(tag.local);
        let is_secret = names::is_secret(tag.local) || is_named && !is_name;
        if tag.is_empty {
            continue;
        }
        if is_secret {
            let end = end_of_element(text, tag.end, tag.name).unwrap_or(text.len());
            push(tag.end..end, places);
            (at, is_named) = (end, false);
        } else if assignments::has_secret_name(tag.attributes) {
            at = end_of_text(text, tag.end);
            // An element inside holds the value.
            is_named = text.get(tag.end..at).is_some_and(|content| content.trim().is_empty());
            push(tag.end..at, places);
        } else if is_name {
            let limit = text.floor_char_boundary(at + MAX_NAME);
            is_named = text.get(at..limit).is_some_and(|content| names::is_secret(name_in(content)));
            let before = value.take().filter(|(_, owner)| *owner != Some(tag.local));
            let place = before.and_then(|(value, _)| value.content_before(text, start));
            owner = place.is_none().then_some(tag.local);
            if let Some(place) = place.filter(|_| is_named) {
                push(place, places);
                is_named = false;
            }
        } else if names::is_of_value(tag.local) {
            value = Some((tag, owner.take()));
        }
    }
}

/// The text of an element that may be a name.
fn name_in(content: &str) -> &str {
    let content = content.trim_start();
    let (content, end) = content.strip_prefix("<![CDATA[").map_or((content, '<'), |inside| (inside, ']'));
    content.split(end).next().unwrap_or_default().trim()
}

struct Tag<'t> {
    name: &'t str,
    /// The name without its namespace.
    local: &'t str,
    attributes: &'t str,
    /// Whether it has no content.
    is_empty: bool,
    /// Where its content begins.
    end: usize,
}

impl<'t> Tag<'t> {
    /// The tag that opens an element; a tag without an end reaches to the next one.
    fn at(text: &'t str, start: usize) -> Option<Self> {
        let inside = text.get(start + 1..)?;
        inside.chars().next().filter(|first| first.is_alphabetic() || *first == '_')?;
        let length = inside.find(['<', '>']).unwrap_or(inside.len());
        let head = inside.get(..length)?;
        let name = head.split(|it: char| it.is_whitespace() || it == '/').next()?;
        let local = name.rsplit(':').next()?;
        let is_closed = inside.get(length..)?.starts_with('>');
        Some(Self {
            name,
            local,
            attributes: head.get(name.len()..)?,
            is_empty: head.trim_end().ends_with('/') || VOID.iter().any(|it| it.eq_ignore_ascii_case(local)),
            end: start + 1 + length + usize::from(is_closed),
        })
    }
}

impl Tag<'_> {
    /// The content, if this element is the last one before a place.
    fn content_before(&self, text: &str, place: usize) -> Option<Range<usize>> {
        let window = text.get(..place)?;
        let end = end_of_element(window, self.end, self.name)?;
        let after = window.get(end..)?.split_once('>')?.1;
        after.trim().is_empty().then_some(self.end..end)
    }
}

/// The start of the next tag.
fn end_of_text(text: &str, from: usize) -> usize {
    let mut at = from;
    while let Some(found) = text.get(at..).and_then(|rest| rest.find('<')) {
        match section_end(text, at + found) {
            Some(end) => at = end,
            None => return at + found,
        }
    }
    text.len()
}

/// The start of the end tag.
fn end_of_element(text: &str, from: usize, name: &str) -> Option<usize> {
    let mut at = from;
    loop {
        let start = at + text.get(at..)?.find('<')?;
        if let Some(end) = section_end(text, start) {
            at = end;
            continue;
        }
        let found = text.get(start + 2..).and_then(|rest| rest.get(..name.len()));
        let is_end =
            text.get(start..)?.starts_with("</") && found.is_some_and(|it| it.eq_ignore_ascii_case(name));
        let after = text.get(start + 2 + name.len()..).and_then(|rest| rest.chars().next());
        if is_end && after.is_none_or(|it| it.is_whitespace() || it == '>') {
            return Some(start);
        }
        at = start + 1;
    }
}

/// A section of anything.
struct Section {
    inside: Range<usize>,
    end: usize,
}

/// The section that starts here; without an end, it ends with the text.
fn section(text: &str, start: usize) -> Option<Section> {
    let rest = text.get(start..)?;
    let (open, close) = SECTIONS.iter().find(|(open, _)| rest.starts_with(open))?;
    let first = start + open.len();
    let length = text.get(first..)?.find(close);
    let last = length.map_or(text.len(), |length| first + length);
    Some(Section { inside: first..last, end: length.map_or(last, |_| last + close.len()) })
}

fn section_end(text: &str, start: usize) -> Option<usize> {
    section(text, start).map(|section| section.end)
}
