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

/// Adds the places of contents that are secrets. An element without an end ends with the text.
pub(super) fn find(text: &str, places: &mut Vec<Range<usize>>) {
    let (mut at, mut is_named) = (0, false);
    while let Some(found) = text.get(at..).and_then(|rest| rest.find('<')) {
        let start = at + found;
        let Some(tag) = Tag::at(text, start) else {
            at = section_end(text, start).unwrap_or(start + 1);
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
            places.push(tag.end..end);
            (at, is_named) = (end, false);
        } else if assignments::has_secret_name(tag.attributes) {
            at = end_of_text(text, tag.end);
            // An element inside holds the value.
            is_named = text.get(tag.end..at).is_some_and(|content| content.trim().is_empty());
            places.push(tag.end..at);
        } else if is_name {
            let limit = text.floor_char_boundary(at + MAX_NAME);
            let content = text.get(at..limit).and_then(|rest| rest.split('<').next());
            is_named = content.is_some_and(|name| names::is_secret(name.trim()));
        }
    }
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

/// The end of a section that starts here, or of the text.
fn section_end(text: &str, start: usize) -> Option<usize> {
    let rest = text.get(start..)?;
    let (open, close) = SECTIONS.iter().find(|(open, _)| rest.starts_with(open))?;
    let end = rest.get(open.len()..)?.find(close).map(|at| start + open.len() + at + close.len());
    Some(end.unwrap_or(text.len()))
}
