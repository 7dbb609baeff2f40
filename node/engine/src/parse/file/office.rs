//! Office documents (OOXML, `OpenDocument`): what a program that reads their XML would resolve, and the
//! texts of their properties. Texts and cells are no values: people write anything there.

use super::{element_texts, push};
use crate::{
    decode::{charset, inflate},
    file_type::FileType,
    parse::{Sink, xml},
    point_path::PointPath,
    token::{
        html::attributes,
        xml::{self as token, XmlTokenKind},
        zip::{self, Content},
    },
};
use memchr::memmem;
use shared::point::Tag;

/// The types whose parts are read. The pages of an e-book have document types of their own.
const TYPES: [&str; 7] = ["docm", "docx", "odp", "ods", "odt", "pptx", "xlsx"];
/// Further parts are not read.
const MAX_PARTS: usize = 512;
/// The first bytes of a part, where its document type is.
const HEAD: usize = 2 << 10;
/// The most bytes of a part.
const MAX_PART: usize = 64 << 10;

pub(super) fn parse(value: &[u8], point: PointPath, sink: &mut Sink<'_, '_>) {
    if !TYPES.contains(&FileType::of(value).name) {
        return;
    }
    let parts = zip::entries(value).filter_map(|entry| Some((entry.name, entry.content?)));
    for (name, content) in parts.filter(|(name, _)| is_xml(name)).take(MAX_PARTS) {
        let fits = sink.item(|sink| {
            let part = sink.arena.named(point, Tag::Zip, name);
            parse_part(name, content, part, sink)
        });
        if !fits {
            return;
        }
    }
}

fn is_xml(name: &[u8]) -> bool {
    name.ends_with(b".xml") || is_relationships(name)
}

fn is_relationships(name: &[u8]) -> bool {
    name.ends_with(b".rels")
}

fn has_properties(name: &[u8]) -> bool {
    name.starts_with(b"docProps/") || name == b"meta.xml"
}

/// `false` when the budget is exhausted.
fn parse_part(name: &[u8], content: Content<'_>, part: PointPath, sink: &mut Sink<'_, '_>) -> bool {
    let mut text = read(content, HEAD);
    if is_relationships(name) || has_properties(name) || root(&text).is_none() {
        text = read(content, MAX_PART);
    }
    if !sink.budget.spend_bytes(text.len()) {
        return false;
    }
    let prolog = &text[..root(&text).unwrap_or(text.len())];
    if declares(prolog) {
        xml::parse(prolog, part, sink);
    }
    if is_relationships(name) {
        return push_targets(&text, part, sink);
    }
    !has_properties(name) || push(element_texts(&text), part, sink)
}

/// Whether a document type has entities or an address. The old `manifest.xml` names `Manifest.dtd`.
fn declares(prolog: &[u8]) -> bool {
    let has = |text: &[u8]| memmem::find(prolog, text).is_some();
    has(b"<!") && [&b"<!ENTITY"[..], b"://", b"file:", b"\\\\"].iter().any(|it| has(it))
}

/// The first bytes of a part, as UTF-8.
fn read(content: Content<'_>, limit: usize) -> Vec<u8> {
    let bytes = content.bytes;
    let text = if content.is_deflated {
        inflate::inflate_start(bytes, limit)
    } else {
        bytes[..bytes.len().min(limit)].to_vec()
    };
    charset::read_detected(&text).unwrap_or(text)
}

/// The position of the first element.
fn root(text: &[u8]) -> Option<usize> {
    let is_element = |token: &token::Token| matches!(token.kind, XmlTokenKind::Start { .. });
    token::tokens(text).find(is_element).map(|token| token.span.start)
}

/// Adds the addresses that a program fetches when it opens the document. Links are followed by
/// people, and paths of files are those of the author's computer.
fn push_targets(text: &[u8], part: PointPath, sink: &mut Sink<'_, '_>) -> bool {
    token::tokens(text).all(|token| {
        let inner = &text[token.inner];
        if !matches!(token.kind, XmlTokenKind::Start { .. }) || token::name(inner) != b"Relationship" {
            return true;
        }
        let attributes = attributes(&inner[b"Relationship".len()..]);
        let value = |name| attributes.iter().find(|it| it.name == name).and_then(|it| it.value);
        let is_link = value("type").is_some_and(|it| it.ends_with(b"/hyperlink"));
        let target = value("target").filter(|it| !is_link && !it.starts_with(b"file:"));
        match target.filter(|_| value("targetmode") == Some(b"External")) {
            Some(target) => {
                let point = sink.arena.then(part, Tag::XmlAttr);
                sink.push_value(point, target.to_vec())
            }
            None => true,
        }
    })
}
