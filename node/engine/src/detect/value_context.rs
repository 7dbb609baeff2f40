//! Context of a value: its point, its name, and the host, path and headers of the request.

use crate::{
    point_path::{PointArena, PointPath},
    words::{WORDS, WordSet},
};
use shared::{InspectRequest, Point, point::Tag};

/// The context of a value.
pub(crate) struct ValueContext<'f> {
    pub point_path: PointPath,
    pub arena: &'f PointArena,
    /// The host of the request.
    pub host: &'f str,
    pub path: &'f str,
    headers: &'f [(String, String)],
    body_bytes: usize,
    /// The value before any layer was decoded.
    raw: &'f [u8],
}

/// What people write in a field, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writing {
    /// A few sentences.
    Message,
    /// A message, or a post where it is long.
    Text,
    /// A post or a page.
    Document,
    /// Source code or a query.
    Code,
    /// A cell of a notebook: code or Markdown of any length.
    Cell,
}

/// Larger bodies in JSON or XML may be reports of a program; smaller ones are like forms.
const FORM_BYTES: usize = 160;

impl<'f> ValueContext<'f> {
    pub(crate) fn of(
        request: &'f InspectRequest,
        arena: &'f PointArena,
        point_path: PointPath,
        raw: &'f [u8],
    ) -> Self {
        let body_bytes = request.body.as_ref().map_or(0, |body| body.0.len());
        let InspectRequest { host, path, headers, .. } = request;
        Self { point_path, arena, host, path, headers, body_bytes, raw }
    }

    #[cfg(test)]
    pub(crate) fn at(point: &Point, path: &'f str, headers: &'f [(String, String)]) -> Self {
        let (arena, point_path) = PointArena::of(point);
        // The process of a test is short, so a leak is harmless.
        let arena = Box::leak(Box::new(arena));
        let (host, body_bytes) = ("shop.example.com", 2 * FORM_BYTES);
        Self { point_path, arena, host, path, headers, body_bytes, raw: b"\n" }
    }

    /// The values of a header of the request, by its name in lower case.
    pub(crate) fn headers(&self, name: &'static str) -> impl Iterator<Item = &'f str> {
        let named = self.headers.iter().filter(move |(it, _)| it.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str())
    }

    /// The name of the header, if the value is a whole header.
    pub(crate) fn header_name(&self) -> Option<&'f str> {
        let is_header = self.is_only(&Tag::Header);
        is_header.then(|| self.arena.last_name(self.point_path)).flatten()
    }

    /// Whether the value is this whole part of the request.
    pub(crate) fn is_only(&self, part: &Tag) -> bool {
        let mut tags = self.arena.tags(self.point_path);
        tags.next() == Some(part) && tags.next().is_none()
    }

    pub(crate) fn last_tag(&self) -> Option<&Tag> {
        self.arena.last_tag(self.point_path)
    }

    /// Whether no layer of the value was decoded.
    pub(crate) fn is_raw(&self, value: &[u8]) -> bool {
        value.as_ptr() == self.raw.as_ptr()
    }

    /// Whether the value is the content of an uploaded file.
    pub(crate) fn is_file(&self) -> bool {
        self.last_tag() == Some(&Tag::File)
    }

    /// Whether the value is the whole body, decompressed or not.
    pub(crate) fn is_whole_body(&self) -> bool {
        let is_body = |tag: &Tag| matches!(tag, Tag::Post | Tag::Gzip | Tag::Brotli | Tag::Charset);
        self.arena.tags(self.point_path).all(is_body)
    }

    /// Whether the content type of the request is that of a text that programs read.
    pub(crate) fn claims_text(&self) -> bool {
        const TEXTS: [&str; 5] = ["json", "xml", "graphql", "urlencoded", "html"];
        self.headers("content-type").any(|it| {
            let it = it.to_ascii_lowercase();
            TEXTS.iter().any(|text| it.contains(text))
        })
    }

    /// Whether a browser opens a page with the request: it follows a link, or sends a form. Scripts
    /// and pictures of other sites send neither (Fetch Metadata, Fetch standard).
    pub(crate) fn is_navigation(&self) -> bool {
        const FORMS: [&str; 2] = ["application/x-www-form-urlencoded", "multipart/form-data"];
        let is_form = |it: &str| {
            FORMS.iter().any(|form| it.get(..form.len()).is_some_and(|it| it.eq_ignore_ascii_case(form)))
        };
        self.headers("sec-fetch-mode").all(|it| it.eq_ignore_ascii_case("navigate"))
            && self.headers("content-type").all(is_form)
    }

    /// Whether the value is a part of a batch: a part of `multipart/mixed` without a name.
    pub(crate) fn is_unnamed_part(&self) -> bool {
        self.last_tag() == Some(&Tag::Multipart) && self.name().is_none_or(str::is_empty)
    }

    /// Whether it is the name of an uploaded file.
    pub(crate) fn is_file_name(&self) -> bool {
        let mut tags = self.arena.tags(self.point_path);
        tags.next() == Some(&Tag::Name) && tags.next() == Some(&Tag::File)
    }

    /// Whether the value is in the query.
    pub(crate) fn is_in_query(&self) -> bool {
        self.first_tag() == Some(&Tag::Get)
    }

    /// Whether the value is the name of a parameter or key in this part of the request.
    pub(crate) fn is_name_in(&self, part: &Tag) -> bool {
        self.last_tag() == Some(&Tag::Name) && self.first_tag() == Some(part)
    }

    /// Whether this host belongs to the site: the same host, a subdomain or a sibling.
    pub(crate) fn is_own(&self, host: &str) -> bool {
        let site = |host: &'_ str| {
            let mut labels = host.rsplit('.').take(2).map(str::to_ascii_lowercase);
            (labels.next(), labels.next())
        };
        host.eq_ignore_ascii_case(self.host_name())
            || host.contains('.') && site(host) == site(self.host_name())
    }

    /// The name of the value: its parameter, key, cookie or tag.
    pub(crate) fn name(&self) -> Option<&str> {
        self.arena.last_name(self.point_path)
    }

    /// The name of each step, from the last to the first.
    pub(crate) fn names(&self) -> impl Iterator<Item = Option<&str>> {
        self.arena.names(self.point_path)
    }

    /// The whole point; building it costs more than the methods below.
    pub(crate) fn point(&self) -> Point {
        self.arena.point(self.point_path)
    }

    /// The number of steps of the point.
    pub(crate) fn depth(&self) -> usize {
        self.arena.tags(self.point_path).count()
    }

    fn first_tag(&self) -> Option<&Tag> {
        self.arena.tags(self.point_path).last()
    }

    pub(crate) fn is_named(&self, names: &[&str]) -> bool {
        self.name().is_some_and(|name| names.iter().any(|it| name.eq_ignore_ascii_case(it)))
    }

    pub(crate) fn is_one_of(&self, words: &WordSet) -> bool {
        self.name().is_some_and(|name| words.contains(name))
    }

    /// What people write in the field. Values outside the body are no texts.
    pub(crate) fn writing(&self) -> Option<Writing> {
        if !self.is_in_body() {
            return None;
        }
        if self.is_file() {
            return Some(Writing::Document);
        }
        if self.names().flatten().any(|name| name == "cells") {
            return Some(Writing::Cell);
        }
        by_name(self.last_name()?).or_else(|| by_name(self.markup_name()?))
    }

    /// Whether people write documents in the field.
    pub(crate) fn is_for_documents(&self) -> bool {
        self.writing().is_some_and(|writing| writing != Writing::Message)
    }

    /// Whether the value is in the query or the body.
    pub(crate) fn is_parameter(&self) -> bool {
        matches!(self.first_tag(), Some(Tag::Get | Tag::Post))
    }

    /// The name of the field whose markup the value is a part of.
    fn markup_name(&self) -> Option<&str> {
        let steps = || self.arena.tags(self.point_path).zip(self.names());
        let is_markup = |tag: &Tag| matches!(tag, Tag::Xml | Tag::XmlTag | Tag::XmlAttr | Tag::Array);
        steps().find(|(tag, _)| !is_markup(tag)).and_then(|(_, name)| name)
    }

    /// Whether the value belongs to a report of a program, by the names of its parts.
    pub(crate) fn is_in_report_field(&self) -> bool {
        let is_report = |name: &str| WORDS.field.reports.contains(last_word(name));
        self.is_in_body() && (self.names().flatten().any(is_report) || self.is_in_chat())
    }

    /// Whether the value is code that a browser refused to run, in its report of that (Reporting API,
    /// Content Security Policy 3).
    pub(crate) fn is_blocked_code(&self) -> bool {
        let is_report = |kind: &str| {
            let kind = kind.split(';').next().unwrap_or_default().trim();
            ["application/csp-report", "application/reports+json"]
                .iter()
                .any(|it| kind.eq_ignore_ascii_case(it))
        };
        let mut kinds = self.headers("content-type").peekable();
        self.is_named(&["sample", "script-sample"]) && kinds.peek().is_some() && kinds.all(is_report)
    }

    /// Whether the value is part of a conversation with a language model, tool calls included.
    fn is_in_chat(&self) -> bool {
        let has = |wanted: &[&str]| self.names().flatten().any(|name| wanted.contains(&name));
        has(&["messages"]) && has(&["content", "tool_calls"])
    }

    /// Whether the parameter is for files, by its name.
    pub(crate) fn is_for_file(&self) -> bool {
        self.name().is_some_and(names_file)
    }

    /// Whether the parameter holds addresses in benign requests, by its name. Values without a name
    /// may be anything.
    pub(crate) fn is_for_address(&self) -> bool {
        let Some(name) = self.name().map(str::to_ascii_lowercase) else { return true };
        let words = &WORDS.ptrav;
        words.letter_parameters.contains(&name) || words.address_parameters.iter().any(|it| name.contains(it))
    }

    /// Whether the field is for SQL, by its name.
    pub(crate) fn is_for_sql(&self) -> bool {
        self.last_name()
            .is_some_and(|name| ["sql", "soql"].iter().any(|it| last_word(name).eq_ignore_ascii_case(it)))
    }

    /// Whether the field is for queries of a search or a log, by its name.
    pub(crate) fn is_for_queries(&self) -> bool {
        self.last_name().is_some_and(|name| last_word(name).eq_ignore_ascii_case("query"))
    }

    /// Whether the value is part of a condition in the query language of an API.
    pub(crate) fn is_in_condition(&self) -> bool {
        self.names().flatten().any(|name| WORDS.field.conditions.contains(last_word(name)))
    }

    /// Whether the value is a leaf of a document in the body and does not name a file.
    pub(crate) fn is_data_in_document(&self) -> bool {
        let is_inventory = |name: &str| WORDS.field.inventories.contains(name);
        let is_listed = || self.is_in_document_format() && self.names().flatten().any(is_inventory);
        self.is_in_body()
            && (is_listed()
                || self.is_in_report() && self.depth() > 3 && !self.last_name().is_some_and(names_file))
    }

    /// Whether the value is a key of a document in the body.
    pub(crate) fn is_key_of_document(&self) -> bool {
        self.is_in_body() && self.is_in_document_format() && self.last_tag() == Some(&Tag::Name)
    }

    /// Whether the value is a script of a package: `{"scripts": {"build": …}}`.
    pub(crate) fn is_script_of_package(&self) -> bool {
        let group = self.names().flatten().nth(1);
        self.is_in_document_format() && group.is_some_and(|name| WORDS.field.scripts.contains(name))
    }

    /// Whether the value is the address of a page, also in the report on a request.
    pub(crate) fn is_page_address(&self) -> bool {
        self.last_name().is_some_and(|name| {
            WORDS.field.pages.contains(name) || WORDS.field.pages.contains(last_word(name))
        }) || self.names().flatten().any(|name| name == "request")
    }

    /// Whether the value is in the query of a referring page of another site.
    pub(crate) fn is_in_foreign_page(&self) -> bool {
        self.arena.tags(self.point_path).last() == Some(&Tag::Header)
            && self.arena.tags(self.point_path).any(|tag| *tag == Tag::FormUrlencoded)
            && self.headers("referer").next().is_some_and(|page| {
                let host = crate::token::url::with_scheme(page.as_bytes()).map(|url| url.host);
                host.is_some_and(|host| !self.is_own(&host))
            })
    }

    /// The last name, that of an array for its items.
    fn last_name(&self) -> Option<&str> {
        self.names().flatten().next()
    }

    pub(crate) fn is_return_target(&self) -> bool {
        self.is_one_of(&WORDS.redir.return_parameters)
    }

    /// Whether the name says that the value is the next page; `url` and `link` do not.
    pub(crate) fn is_return_parameter(&self) -> bool {
        const STARTS: [&str; 11] = [
            "back", "callback", "cancel", "continue", "forward", "goto", "jump", "login", "next", "redir",
            "return",
        ];
        let name = self.name().unwrap_or_default().to_ascii_lowercase();
        STARTS.iter().any(|start| name.starts_with(start))
            || matches!(&*name, "dest" | "destination" | "go" | "logout")
    }

    /// Whether the parameter may name an application on the visitor's own computer as the next page
    /// (RFC 8252).
    pub(crate) fn is_return_of_application(&self) -> bool {
        let parts = &WORDS.redir.application_return_parts;
        self.is_return_target()
            && self.name().is_some_and(|name| {
                let name = name.to_ascii_lowercase();
                parts.iter().any(|part| name.contains(part))
            })
    }

    /// Headers in which browsers send the address of the current page, which may be at `localhost`.
    pub(crate) fn is_page_header(&self) -> bool {
        self.is_only(&Tag::Header)
            && self.is_named(&["referer", "origin", "host", "access-control-request-headers"])
    }

    /// Headers that hold the address of a site, which may be that of a vendor of scanners.
    pub(crate) fn is_address_header(&self) -> bool {
        self.is_only(&Tag::Header) && self.is_named(&["host", "link", "via", "forwarded"])
    }

    /// Whether the value is the path itself.
    pub(crate) fn is_path(&self) -> bool {
        self.is_only(&Tag::Uri)
    }

    /// Whether the value is part of a report of a program.
    pub(crate) fn is_in_report(&self) -> bool {
        self.body_bytes > FORM_BYTES && self.is_in_body() && self.is_in_document_format()
    }

    /// Whether the value is a leaf of a JSON or XML document.
    pub(crate) fn is_in_document_format(&self) -> bool {
        self.arena.tags(self.point_path).any(|tag| matches!(tag, Tag::JsonDoc | Tag::Xml))
    }

    /// Whether all line breaks of the value were escaped.
    pub(crate) fn hides_breaks(&self) -> bool {
        memchr::memchr2(b'\r', b'\n', self.raw).is_none()
    }

    /// Whether the value is in the body, where texts have many lines.
    pub(crate) fn is_in_body(&self) -> bool {
        self.first_tag() == Some(&Tag::Post)
    }

    /// The host without its port.
    pub(crate) fn host_name(&self) -> &str {
        self.host.rsplit_once(':').map_or(self.host, |(name, _)| name)
    }
}

/// Whether a name says that the value is a file.
fn names_file(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    WORDS.ptrav.file_parameters.iter().any(|it| name.contains(it.as_str()))
}

fn by_name(name: &str) -> Option<Writing> {
    let words = &WORDS.field;
    let lists = [
        (&words.messages, Writing::Message),
        (&words.texts, Writing::Text),
        (&words.documents, Writing::Document),
        (&words.code, Writing::Code),
    ];
    let name = last_word(name);
    lists.into_iter().find_map(|(list, writing)| list.contains(name).then_some(writing))
}

/// `html` of `body_html`, `bodyHtml` and `body[html]`.
fn last_word(name: &str) -> &str {
    let name = name.trim_end_matches(|it: char| !it.is_ascii_alphanumeric());
    let is_start = |(at, it): (usize, char)| {
        if !it.is_alphanumeric() {
            return Some(at + it.len_utf8());
        }
        let follows_small = name[..at].ends_with(|before: char| before.is_ascii_lowercase());
        (it.is_ascii_uppercase() && follows_small).then_some(at)
    };
    let start = name.char_indices().rev().find_map(is_start).unwrap_or_default();
    &name[start..]
}
