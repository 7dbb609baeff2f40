//! Lenient XML parser without recursion. Nothing external is fetched; entity declarations are
//! fields.

mod entities;
mod split;
mod texts;

use super::Sink;
use crate::{
    budget::{Limit, MAX_DOCUMENT_DEPTH},
    point_path::{Mark, PointPath},
    token::{
        html::{Attribute, attributes},
        xml::{self, Token, XmlTokenKind, tokens},
    },
    words::WORDS,
};
use entities::Entities;
use shared::point::Tag;
use texts::{Start, Texts};

pub(super) use split::{NAME as SPLIT, split_texts};

/// A namespace is declared within this many bytes, or by the first element.
const MAX_START: usize = 300;
/// A document with more declarations of entities is a bomb; benign ones declare a few words.
const MAX_DECLARATIONS: usize = 1_000;
/// A document whose texts expand beyond this is a bomb.
const MAX_EXPANDED: usize = 8 << 20;

/// Whether the value starts like an XML document other than HTML: with a prolog or a document type, or
/// with an element that declares a namespace. A single tag comes from an XML document parsed already.
pub(super) fn looks_like_xml(value: &[u8]) -> bool {
    let is_skipped = |token: &Token| match token.kind {
        XmlTokenKind::Comment => true,
        XmlTokenKind::Text => value[token.span.clone()].trim_ascii().is_empty(),
        _ => false,
    };
    let Some(first) = tokens(value).find(|token| !is_skipped(token)) else { return false };
    let inner = value[first.inner].to_ascii_lowercase();
    match first.kind {
        XmlTokenKind::Instruction => inner.starts_with(b"xml"),
        XmlTokenKind::Declaration => {
            let doctype = inner.strip_prefix(b"doctype").map(<[u8]>::trim_ascii_start);
            inner.starts_with(b"entity") || doctype.is_some_and(|it| !it.starts_with(b"html"))
        }
        XmlTokenKind::Start { .. } => {
            let start = &value[first.span.start..value.len().min(first.span.start + MAX_START)];
            first.span.len() < value.len()
                && xml::name(&inner) != b"html"
                && [&inner[..], start].iter().any(|it| memchr::memmem::find(it, b"xmlns").is_some())
        }
        _ => false,
    }
}

/// Adds every text, also joined with those of its element, every attribute, comment, instruction and declaration. `false` when the bytes are not
/// well-formed to their end.
pub(super) fn parse(bytes: &[u8], root: PointPath, sink: &mut Sink<'_, '_>) -> bool {
    let mut walk = XmlParser {
        bytes,
        point: root,
        root,
        open: Vec::new(),
        entities: Entities::default(),
        expanded: 0,
        declarations: 0,
        elements: 0,
        broken: false,
        texts: Texts::default(),
        sink,
    };
    let is_within_budget = tokens(bytes).all(|token| {
        walk.broken |= !token.closed;
        walk.token(&token)
    });
    walk.broken |= !walk.open.is_empty();
    is_within_budget && walk.join(0) && !walk.broken && walk.elements > 0
}

struct XmlParser<'w, 'a, 'b, 's> {
    bytes: &'w [u8],
    /// The point of the innermost open element.
    point: PointPath,
    root: PointPath,
    open: Vec<Open<'w>>,
    entities: Entities,
    /// The bytes of all texts with entities.
    expanded: usize,
    declarations: usize,
    elements: usize,
    /// Set by malformed markup: parsing continues, but the value is also inspected as a whole.
    broken: bool,
    texts: Texts,
    sink: &'s mut Sink<'a, 'b>,
}

/// An open element.
struct Open<'w> {
    name: &'w [u8],
    /// The point of its parent.
    parent: PointPath,
    text: Start,
    /// The state when it opened: the points of an element without fields are removed again.
    mark: Mark,
    fields: usize,
}

impl<'w> XmlParser<'w, '_, '_, '_> {
    /// `false` when the budget is exhausted.
    fn token(&mut self, token: &Token) -> bool {
        let inner = &self.bytes[token.inner.clone()];
        match token.kind {
            XmlTokenKind::Text => self.text(inner),
            XmlTokenKind::Data => {
                self.texts.push(inner);
                // `]]]]><![CDATA[>` is `]]>` in a section: what follows is no value of its own.
                let before = self.bytes.get(..token.span.start).unwrap_or_default();
                let is_continued = before.ends_with(b"]]]]>") && inner.starts_with(b">");
                is_continued || self.sink.push_value(self.point, inner.to_vec())
            }
            XmlTokenKind::Comment => self.push_at(Tag::XmlComment, inner),
            XmlTokenKind::Instruction => self.instruction(inner),
            XmlTokenKind::Declaration => self.declaration(token),
            XmlTokenKind::Start { is_empty } => self.start(token, inner, is_empty),
            XmlTokenKind::End => self.end(inner),
        }
    }

    fn text(&mut self, text: &[u8]) -> bool {
        if self.entities.burst(text) {
            self.sink.budget.bomb(Limit::Expansion);
        }
        let expanded = self.entities.expand(text);
        self.expanded += expanded.as_ref().map_or(0, Vec::len);
        if self.expanded > MAX_EXPANDED {
            self.sink.budget.bomb(Limit::Expansion);
            return false;
        }
        let text = expanded.as_deref().unwrap_or(text);
        self.texts.push(text);
        let text = text.trim_ascii();
        text.is_empty() || self.sink.push_value(self.point, text.to_vec())
    }

    /// `<?xml …?>` is skipped; other instructions name style sheets or are code.
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
        self.open.push(Open { name, parent: self.point, text: self.texts.start(), mark, fields });
        self.point = self.sink.arena.named(self.point, Tag::XmlTag, name);
        self.attributes(token, name, inner) && (!is_empty || self.end(name))
    }

    fn attributes(&mut self, token: &Token, name: &[u8], inner: &[u8]) -> bool {
        let attributes = attributes(&inner[name.len()..]);
        let has_handler = attributes.iter().any(|it| it.name.starts_with("on"));
        // These run when a browser renders the document.
        let is_html = || WORDS.xml.html_elements.contains(local(name));
        if is_active(name) || has_handler && is_html() || attributes.iter().any(names_schema) {
            let tag = &self.bytes[token.span.clone()];
            if !self.sink.push_value(self.point, tag.to_vec()) {
                return false;
            }
        }
        attributes.iter().all(|attribute| {
            let Some(value) = attribute.value.filter(|_| !is_of_editor(&attribute.name)) else { return true };
            self.sink.item(|sink| {
                let point = sink.arena.named(self.point, Tag::XmlAttr, attribute.name.as_bytes());
                sink.push_value(point, value.to_vec())
            })
        })
    }

    /// `false` when the budget is exhausted.
    fn end(&mut self, inner: &[u8]) -> bool {
        let name = xml::name(inner);
        let Some(at) = self.open.iter().rposition(|open| open.name == name) else {
            self.broken = true;
            return true;
        };
        self.broken |= at + 1 < self.open.len();
        self.join(at)
    }

    /// Closes the elements from this one on, innermost first, and adds the texts that parsers join.
    fn join(&mut self, first: usize) -> bool {
        while self.open.len() > first
            && let Some(Open { name, parent, text, mark, fields }) = self.open.pop()
        {
            for joined in self.texts.joined(&text) {
                if self.texts.exceed(self.bytes.len()) {
                    self.sink.budget.spend_bytes(usize::MAX);
                    return false;
                }
                if !self.sink.push_value(self.point, joined) {
                    return false;
                }
            }
            let member = matches!((name, self.open.last()), (b"name", Some(Open { name: b"member", .. })))
                .then(|| self.texts.whole(&text).to_vec());
            self.texts.end(&text);
            self.point = parent;
            if fields == self.sink.fields.len() {
                self.sink.arena.truncate(mark);
            }
            // The values of an XML-RPC structure have the names of its members.
            if let Some(member) = member.filter(|it| !it.is_empty()) {
                self.point = self.sink.arena.named(self.point, Tag::Hash, &member);
            }
        }
        true
    }

    /// The document type without its internal subset, then each declaration in that.
    fn declaration(&mut self, token: &Token) -> bool {
        let whole = &self.bytes[token.span.clone()];
        let Some(at) = memchr::memchr(b'[', whole) else {
            return self.declared(whole);
        };
        let fits = self.push_at(Tag::XmlDtd, &whole[..at]);
        let inside = &whole[at + 1..];
        fits && tokens(inside)
            .all(|token| token.kind != XmlTokenKind::Declaration || self.declared(&inside[token.span]))
    }

    fn declared(&mut self, declaration: &[u8]) -> bool {
        if !declaration.get(..8).is_some_and(|start| start.eq_ignore_ascii_case(b"<!entity")) {
            return self.push_at(Tag::XmlDtd, declaration);
        }
        self.declarations += 1;
        if self.entities.declare(declaration).is_err() || self.declarations > MAX_DECLARATIONS {
            self.sink.budget.bomb(Limit::Expansion);
        }
        if self.declarations > MAX_DECLARATIONS {
            return false;
        }
        self.push_at(Tag::XmlDtdEntity, declaration)
    }

    /// Adds a value that belongs to the document, not to an element.
    fn push_at(&mut self, tag: Tag, value: &[u8]) -> bool {
        self.sink.item(|sink| {
            let point = sink.arena.then(self.root, tag);
            sink.push_value(point, value.to_vec())
        })
    }
}

/// The name of an element without its namespace prefix.
fn local(name: &[u8]) -> &[u8] {
    name.rsplit(|&byte| byte == b':').next().unwrap_or(name)
}

/// Elements that run or fetch something without user interaction, in any namespace.
fn is_active(name: &[u8]) -> bool {
    WORDS.xml.active.contains(local(name)) || name.starts_with(b"xsl:")
}

/// Attributes for the drawing program itself, such as the path of the last export.
fn is_of_editor(name: &str) -> bool {
    name.starts_with("inkscape:") || name.starts_with("sodipodi:")
}

/// `xsi:schemaLocation` holds pairs; parsers that fetch schemas also accept a single address.
fn names_schema(attribute: &Attribute<'_>) -> bool {
    let is_single = |value: &[u8]| !value.iter().any(u8::is_ascii_whitespace);
    attribute.name.ends_with(":schemalocation") && attribute.value.is_some_and(is_single)
}
