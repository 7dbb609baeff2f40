//! Parsers: a request into fields, and fields into nested fields.
//!
//! [`parse`] reads the parts of a request; [`parse_nested`] reads what a value contains (JSON in a
//! parameter, base64 in a header).

mod body;
mod cookie;
mod csv;
mod declared;
mod file;
mod form;
mod gql;
mod header;
mod json;
mod jwt;
mod malformed;
pub mod multipart;
mod nested;
mod path;
mod protobuf;
mod query;
mod saml;
mod toml;
mod xml;
mod yaml;

use crate::{
    budget::{Budget, Grant},
    digest,
    field::{Field, FieldKind},
    point_path::{PointArena, PointPath},
};
use shared::InspectRequest;
use std::{borrow::Cow, hash::RandomState, ops::Range};

pub use declared::is_no_coding;
pub use json::prefix as json_prefix;
pub(crate) use malformed::Malformed;
pub(crate) use nested::{Nested, parse_nested};

/// The output of parsers. Refuses fields beyond the budget, so that parsers stop.
pub(crate) struct Sink<'a, 'b> {
    pub fields: Vec<Field<'a>>,
    pub malformed: Vec<(PointPath, Malformed)>,
    pub budget: &'b mut Budget,
    pub arena: &'b mut PointArena,
    /// Whether the end of the body is missing.
    pub is_truncated: bool,
    /// The nesting depth of the fields that are added.
    depth: usize,
}

impl<'a, 'b> Sink<'a, 'b> {
    pub(crate) fn new(depth: usize, budget: &'b mut Budget, arena: &'b mut PointArena) -> Self {
        Self { fields: Vec::new(), malformed: Vec::new(), budget, arena, is_truncated: false, depth }
    }

    /// Adds a field unless its value is empty or repeated; `false` when the field budget is
    /// exhausted.
    #[inline]
    pub(crate) fn push(&mut self, mut field: Field<'a>) -> bool {
        if field.value.is_empty() {
            return true;
        }
        let arena = &*self.arena;
        let grant = self.budget.spend_field(|key, has_positions| digest(&field, arena, key, has_positions));
        if grant == Grant::Granted {
            field.depth = self.depth;
            self.fields.push(field);
        }
        grant != Grant::Exhausted
    }

    /// Runs the parser of one of many items. The points of an item without new fields are removed
    /// again, so that padding takes no memory.
    pub(crate) fn item<T>(&mut self, parse: impl FnOnce(&mut Self) -> T) -> T {
        let (mark, fields) = (self.arena.mark(), self.fields.len());
        let outcome = parse(self);
        if fields == self.fields.len() {
            self.arena.truncate(mark);
        }
        outcome
    }

    pub(crate) fn push_value(&mut self, point: PointPath, value: impl Into<Cow<'a, [u8]>>) -> bool {
        self.push(Field::new(point, FieldKind::Value, value))
    }

    pub(crate) fn push_name(&mut self, point: PointPath, name: impl Into<Cow<'a, [u8]>>) -> bool {
        self.push(Field::new(point, FieldKind::Name, name))
    }

    /// Parses a temporary buffer: the fields found in it own their values. Returns their range.
    pub(crate) fn parse_buffer<'v, T>(
        &mut self,
        parse: impl FnOnce(&mut Sink<'v, '_>) -> T,
    ) -> (T, Range<usize>) {
        let mut inner = Sink::new(self.depth, self.budget, self.arena);
        let outcome = parse(&mut inner);
        let first = self.fields.len();
        self.fields.extend(inner.fields.into_iter().map(Field::into_owned));
        self.malformed.extend(inner.malformed);
        (outcome, first..self.fields.len())
    }
}

/// The digest of what distinguishes a field from one that is inspected already: detectors see its
/// value, its kind, and the tags and names of its point.
fn digest(field: &Field<'_>, arena: &PointArena, key: &RandomState, has_positions: bool) -> u64 {
    let value = digest::mix(digest::of_bytes(key, &field.value), field.kind as u64);
    digest::mix(value, arena.digest(field.point, key, has_positions))
}

/// The fields of a request.
pub(crate) struct Parsed<'a> {
    pub fields: Vec<Field<'a>>,
    /// What cannot be decoded, with its point.
    pub malformed: Vec<(PointPath, Malformed)>,
}

/// The fields of path, query, headers and body, in this order.
pub(crate) fn parse<'a>(
    request: &'a InspectRequest,
    budget: &mut Budget,
    arena: &mut PointArena,
) -> Parsed<'a> {
    let mut sink = Sink::new(0, budget, arena);
    // The headers, the path, a few parameters and cookies with their names.
    sink.fields.reserve(request.headers.len() + 24);
    path::parse(request, &mut sink);
    query::parse(request, &mut sink);
    header::parse(request, &mut sink);
    body::parse(request, &mut sink);
    let Sink { fields, malformed, .. } = sink;
    Parsed { fields, malformed }
}

/// The fields of the body.
pub(crate) fn parse_body<'a>(
    request: &'a InspectRequest,
    budget: &mut Budget,
    arena: &mut PointArena,
) -> Vec<Field<'a>> {
    let mut sink = Sink::new(0, budget, arena);
    body::parse(request, &mut sink);
    sink.fields
}

#[cfg(test)]
mod tests;
