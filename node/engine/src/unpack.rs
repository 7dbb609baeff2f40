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

use crate::{budget::Budget, field::Field};
use shared::InspectRequest;

pub(crate) use nested::unfold;

/// Where unpacked fields go. Refuses more than the budget allows, so parsers can stop.
pub(crate) struct Sink<'a, 'b> {
    pub fields: Vec<Field<'a>>,
    pub budget: &'b mut Budget,
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
}

/// Every field the request openly carries, in the order a reader would look.
pub(crate) fn unpack<'a>(request: &'a InspectRequest, budget: &mut Budget) -> Vec<Field<'a>> {
    let mut sink = Sink { fields: Vec::new(), budget };
    path::unpack(request, &mut sink);
    query::unpack(request, &mut sink);
    header::unpack(request, &mut sink);
    body::unpack(request, &mut sink);
    sink.fields
}

#[cfg(test)]
mod tests;
