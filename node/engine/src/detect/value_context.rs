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
    query: &'f str,
    headers: &'f [(String, String)],
    body_bytes: usize,
    /// The value before any layer was decoded.
    raw: &'f [u8],
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
        let InspectRequest { host, path, query, headers, .. } = request;
        Self { point_path, arena, host, path, query, headers, body_bytes, raw }
    }

    #[cfg(test)]
    pub(crate) fn at(point: &Point, path: &'f str, headers: &'f [(String, String)]) -> Self {
        let (arena, point_path) = PointArena::of(point);
        // The process of a test is short, so a leak is harmless.
        let arena = Box::leak(Box::new(arena));
        let (host, body_bytes) = ("shop.example.com", 2 * FORM_BYTES);
        Self { point_path, arena, host, path, query: "", headers, body_bytes, raw: b"\n" }
    }

    #[cfg(test)]
    pub(crate) fn with_query(self, query: &'f str) -> Self {
        Self { query, ..self }
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

    pub(crate) fn is_return_target(&self) -> bool {
        self.is_one_of(&WORDS.redir.return_parameters)
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

    /// Whether the value is the path itself.
    pub(crate) fn is_path(&self) -> bool {
        self.is_only(&Tag::Uri)
    }

    /// The number of parameters in the query, minus one.
    pub(crate) fn other_parameters(&self) -> usize {
        memchr::memchr_iter(b'&', self.query.as_bytes()).count()
    }

    /// Whether the value is part of a report of a program.
    pub(crate) fn is_in_report(&self) -> bool {
        self.body_bytes > FORM_BYTES
            && self.is_in_body()
            && self.arena.tags(self.point_path).any(|tag| matches!(tag, Tag::JsonDoc | Tag::Xml))
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
