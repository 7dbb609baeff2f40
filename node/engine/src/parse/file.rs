//! Files by their magic number: the texts of their metadata, and what is active in office documents.
//!
//! Pixels, pages and cells are no values: people write anything there.

mod image;
mod office;
mod pdf;
mod tiff;

use super::Sink;
use crate::{
    file_type,
    point_path::PointPath,
    token::xml::{self, XmlTokenKind},
};
use memchr::memmem;
use shared::point::Tag;

/// Further texts of a file are not inspected.
const MAX_TEXTS: usize = 64;
/// Longer texts are documents that programs embed: drawings of editors, the history of a picture.
const MAX_TEXT: usize = 4 << 10;
/// The longest XMP packet that is read.
const MAX_PACKET: usize = 256 << 10;

/// A text of the metadata, with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Text {
    name: Vec<u8>,
    value: Vec<u8>,
}

impl Text {
    fn new(name: &[u8], value: &[u8]) -> Self {
        Self { name: name.to_vec(), value: value.trim_ascii().to_vec() }
    }
}

/// Whether these are the first bytes of a file that has texts.
pub(super) fn is_supported(value: &[u8]) -> bool {
    file_type::is_zip(value) || image::is_supported(value) || pdf::is_supported(value)
}

/// Adds the texts of the file.
pub(super) fn parse(value: &[u8], point: PointPath, sink: &mut Sink<'_, '_>) {
    if file_type::is_zip(value) {
        office::parse(value, point, sink);
        return;
    }
    let mut texts = if pdf::is_supported(value) { pdf::texts(value) } else { image::texts(value) };
    texts.extend(packet(value));
    push(texts, point, sink);
}

/// `false` when the budget is exhausted.
fn push(texts: Vec<Text>, point: PointPath, sink: &mut Sink<'_, '_>) -> bool {
    texts.into_iter().filter(|text| text.value.len() <= MAX_TEXT).take(MAX_TEXTS).all(|text| {
        sink.item(|sink| {
            let point = sink.arena.named(point, Tag::Metadata, &text.name);
            sink.push_value(point, text.value)
        })
    })
}

/// The texts of an XMP packet, which any format can embed.
fn packet(value: &[u8]) -> Vec<Text> {
    let Some(start) = memmem::find(value, b"<x:xmpmeta") else { return Vec::new() };
    let rest = &value[start..(start + MAX_PACKET).min(value.len())];
    element_texts(&rest[..memmem::find(rest, b"</x:xmpmeta").unwrap_or(rest.len())])
}

/// The texts of the elements of an XML document, with their names, without addresses. Attributes hold
/// addresses and paths of the author's computer.
fn element_texts(document: &[u8]) -> Vec<Text> {
    let mut name: &[u8] = b"";
    let mut texts = Vec::new();
    for token in xml::tokens(document) {
        let inner = &document[token.inner];
        match token.kind {
            // `<dc:title><rdf:Alt><rdf:li>`: a list has the name of its property.
            XmlTokenKind::Start { .. } if !inner.starts_with(b"rdf:") => {
                name = xml::name(inner).rsplit(|&byte| byte == b':').next().unwrap_or_default();
            }
            XmlTokenKind::Text | XmlTokenKind::Data if !is_address(inner.trim_ascii()) => {
                texts.push(Text::new(name, inner));
            }
            _ => {}
        }
    }
    texts
}

/// A URL, or nothing.
fn is_address(text: &[u8]) -> bool {
    text.is_empty() || memmem::find(text, b"://").is_some() && !text.iter().any(u8::is_ascii_whitespace)
}

#[cfg(test)]
mod tests;
