//! Request → fields. What a field holds inside (JSON in a parameter, base64 in a header) is unfolded by [`unfold`].

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

use crate::{budget::Budget, field::Field, trail::Trails};
use shared::InspectRequest;

pub(crate) use nested::{Unfolded, unfold};

/// Where unpacked fields go. Refuses more than the budget allows, so parsers can stop.
pub(crate) struct Sink<'a, 'b> {
    pub fields: Vec<Field<'a>>,
    pub budget: &'b mut Budget,
    pub trails: &'b mut Trails,
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
    pub(crate) fn unpack_buffer<'v, T>(
        &mut self,
        unpack: impl FnOnce(&mut Sink<'v, '_>) -> T,
    ) -> (T, std::ops::Range<usize>) {
        let mut inner = Sink { fields: Vec::new(), budget: self.budget, trails: self.trails };
        let outcome = unpack(&mut inner);
        let first = self.fields.len();
        self.fields.extend(inner.fields.into_iter().map(Field::into_owned));
        (outcome, first..self.fields.len())
    }
}

/// Every field the request openly carries, in the order a reader would look.
pub(crate) fn unpack<'a>(
    request: &'a InspectRequest,
    budget: &mut Budget,
    trails: &mut Trails,
) -> Vec<Field<'a>> {
    // The path, a few parameters and cookies, their names.
    let room = request.headers.len() + 24;
    let mut sink = Sink { fields: Vec::with_capacity(room), budget, trails };
    path::unpack(request, &mut sink);
    query::unpack(request, &mut sink);
    header::unpack(request, &mut sink);
    body::unpack(request, &mut sink);
    sink.fields
}

#[cfg(test)]
mod tests;
