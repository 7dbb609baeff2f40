//! XML, read leniently and without recursion. Nothing external is ever fetched; entities are fields, not instructions.

mod entities;

use super::Sink;
use crate::{
    budget::{Limit, MAX_DOCUMENT_DEPTH},
    field::{Field, FieldKind},
    point_path::{Mark, PointPath},
    token::{
        html::{Attribute, attributes},
        xml::{self, Kind, Token, tokens},
    },
};
use entities::Entities;
use shared::point::Tag;

/// Whether these bytes open like an XML document. HTML does not count.
pub(super) fn looks_like_xml(value: &[u8]) -> bool {
    let start = &value[..value.len().min(300)];
    let lower = start.trim_ascii_start().to_ascii_lowercase();
    let is_html = lower.starts_with(b"<!doctype html") || lower.starts_with(b"<html");
    !is_html && (opens_document(&lower) || opens_namespace(&lower) && !is_one_tag(value))
}

/// One tag alone was taken from a document already.
fn is_one_tag(value: &[u8]) -> bool {
    tokens(value).next().is_some_and(|token| token.span.len() == value.len())
}

fn opens_document(lower: &[u8]) -> bool {
    [b"<?xml".as_slice(), b"<!doctype", b"<!entity"].iter().any(|start| lower.starts_with(start))
}

/// An element with a namespace, or the prefix of one.
fn opens_namespace(lower: &[u8]) -> bool {
    let is_element = matches!(lower, [b'<', first, ..] if first.is_ascii_alphabetic());
    is_element && memchr::memmem::find(lower, b"xmlns").is_some()
}

/// Adds every text, attribute, comment, instruction and declaration. `false` when the text is not XML to its end.
pub(super) fn parse(bytes: &[u8], root: PointPath, depth: usize, sink: &mut Sink<'_, '_>) -> bool {
    let mut walk = Walk {
        bytes,
        point_path: root,
        root,
        open: Vec::new(),
        entities: Entities::default(),
        depth,
        elements: 0,
        broken: false,
        sink,
    };
    let affordable = tokens(bytes).all(|token| {
        walk.broken |= !token.closed;
        walk.token(&token)
    });
    affordable && !walk.broken && walk.open.is_empty() && walk.elements > 0
}

struct Walk<'w, 'a, 'b, 's> {
    bytes: &'w [u8],
    /// The trail of the innermost open element.
    point_path: PointPath,
    root: PointPath,
    open: Vec<Open<'w>>,
    entities: Entities,
    depth: usize,
    elements: usize,
    /// What makes no sense is read on from, but the whole is looked at, too.
    broken: bool,
    sink: &'s mut Sink<'a, 'b>,
}

/// An open element.
struct Open<'w> {
    name: &'w [u8],
    /// Where it stands.
    before: PointPath,
    /// What there was when it opened: the trails of an element without any field are forgotten.
    mark: Mark,
    fields: usize,
}

impl<'w> Walk<'w, '_, '_, '_> {
    /// `false` when the budget is gone.
    fn token(&mut self, token: &Token) -> bool {
        let inner = &self.bytes[token.inner.clone()];
        match token.kind {
            Kind::Text => self.text(inner),
            Kind::Data => self.push(self.point_path, inner),
            Kind::Comment => self.push_at(Tag::XmlComment, inner),
            Kind::Instruction => self.instruction(inner),
            Kind::Declaration => self.declaration(token),
            Kind::Start { is_empty } => self.start(token, inner, is_empty),
            Kind::End => {
                self.end(inner);
                true
            }
        }
    }

    fn text(&mut self, text: &[u8]) -> bool {
        let text = text.trim_ascii();
        if self.entities.burst(text) {
            self.sink.budget.bomb(Limit::Expansion);
        }
        let expanded = self.entities.expand(text);
        text.is_empty() || self.push(self.point_path, expanded.as_deref().unwrap_or(text))
    }

    /// `<?xml …?>` says nothing; other instructions name style sheets or are code.
    fn instruction(&mut self, inner: &[u8]) -> bool {
        xml::name(inner).eq_ignore_ascii_case(b"xml") || self.push_at(Tag::XmlPi, inner)
    }

    fn start(&mut self, token: &Token, inner: &'w [u8], is_empty: bool) -> bool {
        if self.open.len() == MAX_DOCUMENT_DEPTH {
            self.sink.budget.too_deep();
            return false;
        }
        let name = xml::name(inner);
        self.elements += 1;
        let (mark, fields) = (self.sink.arena.mark(), self.sink.fields.len());
        self.open.push(Open { name, before: self.point_path, mark, fields });
        self.point_path = self.sink.arena.named(self.point_path, Tag::XmlTag, name);
        let fits = self.attributes(token, name, inner);
        if is_empty {
            self.end(name);
        }
        fits
    }

    fn attributes(&mut self, token: &Token, name: &[u8], inner: &[u8]) -> bool {
        let attributes = attributes(&inner[name.len()..]);
        let has_handler = attributes.iter().any(|it| it.name.starts_with("on"));
        // Where the document is shown by a browser, these run, whatever else is harmless as XML.
        if acts_alone(name) || has_handler && is_markup(name) || attributes.iter().any(names_schema) {
            let tag = &self.bytes[token.span.clone()];
            if !self.push(self.point_path, tag) {
                return false;
            }
        }
        attributes.iter().all(|attribute| {
            let Some(value) = attribute.value else { return true };
            let point_path = self.sink.arena.named(self.point_path, Tag::XmlAttr, attribute.name.as_bytes());
            self.push(point_path, value)
        })
    }

    fn end(&mut self, inner: &[u8]) {
        let name = xml::name(inner);
        let Some(at) = self.open.iter().rposition(|open| open.name == name) else {
            self.broken = true;
            return;
        };
        self.broken |= at + 1 < self.open.len();
        let Open { before, mark, fields, .. } = self.open[at];
        self.point_path = before;
        if fields == self.sink.fields.len() {
            self.sink.arena.forget_since(mark);
        }
        self.open.truncate(at);
    }

    /// The document type without what it declares, then each declaration.
    fn declaration(&mut self, token: &Token) -> bool {
        let whole = &self.bytes[token.span.clone()];
        let Some(at) = memchr::memchr(b'[', whole) else {
            return self.declared(whole);
        };
        let fits = self.push_at(Tag::XmlDtd, &whole[..at]);
        let inside = &whole[at + 1..];
        fits && tokens(inside)
            .all(|token| token.kind != Kind::Declaration || self.declared(&inside[token.span]))
    }

    fn declared(&mut self, declaration: &[u8]) -> bool {
        if !declaration.get(..8).is_some_and(|start| start.eq_ignore_ascii_case(b"<!entity")) {
            return self.push_at(Tag::XmlDtd, declaration);
        }
        if self.entities.declare(declaration).is_err() {
            self.sink.budget.bomb(Limit::Expansion);
        }
        self.push_at(Tag::XmlDtdEntity, declaration)
    }

    /// Adds what belongs to the document and to no element.
    fn push_at(&mut self, tag: Tag, value: &[u8]) -> bool {
        let point_path = self.sink.arena.then(self.root, tag);
        self.push(point_path, value)
    }

    fn push(&mut self, point_path: PointPath, value: &[u8]) -> bool {
        let mut field = Field::new(point_path, FieldKind::Value, value.to_vec());
        field.depth = self.depth;
        self.sink.push(field)
    }
}

fn local(name: &[u8]) -> Vec<u8> {
    name.rsplit(|&byte| byte == b':').next().unwrap_or(name).to_ascii_lowercase()
}

/// Elements that run or fetch something by themselves, in any namespace.
fn acts_alone(name: &[u8]) -> bool {
    let fetches =
        matches!(local(name).as_slice(), b"script" | b"iframe" | b"include" | b"import" | b"redefine");
    fetches || name.starts_with(b"xsl:")
}

/// `xsi:schemaLocation` holds pairs; parsers that fetch schemas take one address, too.
fn names_schema(attribute: &Attribute<'_>) -> bool {
    let is_single = |value: &[u8]| !value.iter().any(u8::is_ascii_whitespace);
    attribute.name.ends_with(":schemalocation") && attribute.value.is_some_and(is_single)
}

fn is_markup(name: &[u8]) -> bool {
    matches!(
        local(name).as_slice(),
        b"a" | b"animate"
            | b"audio"
            | b"body"
            | b"button"
            | b"details"
            | b"div"
            | b"form"
            | b"g"
            | b"html"
            | b"image"
            | b"img"
            | b"input"
            | b"marquee"
            | b"math"
            | b"object"
            | b"p"
            | b"path"
            | b"rect"
            | b"select"
            | b"set"
            | b"span"
            | b"style"
            | b"svg"
            | b"text"
            | b"textarea"
            | b"video"
            | b"x"
    )
}
