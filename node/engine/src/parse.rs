//! Request → fields. What a field holds inside (JSON in a parameter, base64 in a header) is parsed by [`parse_nested`].

mod body;
mod cookie;
mod form;
mod gql;
mod header;
mod json;
mod jwt;
mod multipart;
mod nested;
mod path;
mod protobuf;
mod query;
mod xml;

use crate::{budget::Budget, field::Field, point_path::PointArena};
use shared::InspectRequest;

pub(crate) use nested::{Nested, parse_nested};

/// Where parsed fields go. Refuses more than the budget allows, so parsers can stop.
pub(crate) struct Sink<'a, 'b> {
    pub fields: Vec<Field<'a>>,
    pub budget: &'b mut Budget,
    pub arena: &'b mut PointArena,
}

impl<'a> Sink<'a, '_> {
    /// Adds a field; `false` when the request has used up its fields.
    pub(crate) fn push(&mut self, field: Field<'a>) -> bool {
        if field.value.is_empty() {
            return true;
        }
        let affordable = self.budget.spend_field();
        if affordable {
            self.fields.push(field);
        }
        affordable
    }

    /// Unpacks a buffer that goes away: the fields found in it get values of their own.
    pub(crate) fn parse_buffer<'v, T>(
        &mut self,
        parse: impl FnOnce(&mut Sink<'v, '_>) -> T,
    ) -> (T, std::ops::Range<usize>) {
        let mut inner = Sink { fields: Vec::new(), budget: self.budget, arena: self.arena };
        let outcome = parse(&mut inner);
        let first = self.fields.len();
        self.fields.extend(inner.fields.into_iter().map(Field::into_owned));
        (outcome, first..self.fields.len())
    }
}

/// Every field the request openly carries, in the order a reader would look.
pub(crate) fn parse<'a>(
    request: &'a InspectRequest,
    budget: &mut Budget,
    arena: &mut PointArena,
) -> Vec<Field<'a>> {
    // The path, a few parameters and cookies, their names.
    let room = request.headers.len() + 24;
    let mut sink = Sink { fields: Vec::with_capacity(room), budget, arena };
    path::parse(request, &mut sink);
    query::parse(request, &mut sink);
    header::parse(request, &mut sink);
    body::parse(request, &mut sink);
    sink.fields
}

#[cfg(test)]
mod tests;
