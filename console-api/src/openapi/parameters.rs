//! OpenAPI parameters of the extractors.

use crate::{
    attack::{Grouping, Order, SortKey},
    extract::{Id, IfMatch, Number},
    paging::Slice,
    query::{Field, Filter},
};
use utoipa::{
    IntoParams,
    openapi::{
        KnownFormat, ObjectBuilder, RefOr, Required, Schema, SchemaFormat, Type,
        path::{Parameter, ParameterBuilder, ParameterIn},
    },
};

/// An optional query parameter.
pub(crate) fn query_parameter(name: &str, about: &str, schema: impl Into<RefOr<Schema>>) -> Parameter {
    let parameter =
        ParameterBuilder::new().name(name).parameter_in(ParameterIn::Query).required(Required::False);
    parameter.description(Some(about)).schema(Some(schema.into())).build()
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

impl IntoParams for Slice {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let limit =
            ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(Self::MAX_LIMIT));
        vec![
            query_parameter(
                "limit",
                "Maximum number of items.",
                limit.default(Some(Self::DEFAULT_LIMIT.into())),
            ),
            query_parameter("cursor", "The `next_cursor` of the previous page.", text()),
        ]
    }
}

impl IntoParams for Filter {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let query = text().max_length(Some(Self::MAX_LENGTH)).examples(["type:sqli,xss -ip:10.0.0.0/8"]);
        let time = || text().examples(["-24h", "2026-01-31", "2026-01-31T09:00:00Z"]);
        let mut parameters = vec![
            query_parameter("q", "A query in the search language.", query),
            query_parameter("from", "Attacks active at or after this time.", time()),
            query_parameter("to", "Attacks that started before this time.", time()),
        ];
        parameters.extend(Field::ALL.map(|field| {
            let (_, value) = field.example().split_once(':').unwrap_or_default();
            query_parameter(
                field.name(),
                field.about(),
                text().examples(value.trim_matches('"').split(',').take(1)),
            )
        }));
        parameters
    }
}

impl IntoParams for Order {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let orders = SortKey::ALL
            .into_iter()
            .flat_map(|by| [false, true].map(|descending| Self { by, descending }.text()));
        let order = text().enum_values(Some(orders)).default(Some(Self::default().text().into()));
        vec![query_parameter("sort", "The order; a leading `-` means descending.", order)]
    }
}

impl IntoParams for Grouping {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![query_parameter("group_by", Self::EXPECTED, text().examples(["type,host"]))]
    }
}

impl IntoParams for Id {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let id = ParameterBuilder::new().name("id").parameter_in(ParameterIn::Path).required(Required::True);
        let uuid = SchemaFormat::KnownFormat(KnownFormat::Uuid);
        vec![id.schema(Some(text().format(Some(uuid)))).build()]
    }
}

impl IntoParams for Number {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let number =
            ParameterBuilder::new().name("version").parameter_in(ParameterIn::Path).required(Required::True);
        vec![number.schema(Some(ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)))).build()]
    }
}

impl IntoParams for IfMatch {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let tag = ParameterBuilder::new()
            .name("If-Match")
            .parameter_in(ParameterIn::Header)
            .required(Required::True);
        let about = "The `ETag` of the object to change.";
        vec![tag.description(Some(about)).schema(Some(text().pattern(Some("^\"[0-9]{1,9}\"$")))).build()]
    }
}
