//! OpenAPI schemas of types with custom serialization.

use crate::{body::Body, ids::RequestId, point::Step, ruleset::Network};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        ObjectBuilder, RefOr, Schema, SchemaFormat, Type,
        schema::{ArrayBuilder, ArrayItems, KnownFormat, OneOfBuilder},
    },
};

impl PartialSchema for RequestId {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[0-9a-f]{32}$"));
        text.examples(["0f3c2d9a8b7e6f5a4c3b2a1908f7e6d5"]).into()
    }
}

impl PartialSchema for Body {
    fn schema() -> RefOr<Schema> {
        let base64 = SchemaFormat::KnownFormat(KnownFormat::Byte);
        ObjectBuilder::new().schema_type(Type::String).format(Some(base64)).examples(["dXNlcj1hbm4="]).into()
    }
}

impl PartialSchema for Network {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new().schema_type(Type::String).examples(["203.0.113.7", "2001:db8::/32"]);
        text.description(Some("An address or a network.")).into()
    }
}

impl PartialSchema for Step {
    fn schema() -> RefOr<Schema> {
        let key = OneOfBuilder::new().item(text()).item(ObjectBuilder::new().schema_type(Type::Integer));
        let step = ArrayBuilder::new().prefix_items([text().into(), Schema::from(key)]);
        step.items(ArrayItems::False).min_items(Some(1)).max_items(Some(2)).into()
    }
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

impl ToSchema for RequestId {}
impl ToSchema for Body {}
impl ToSchema for Network {}
impl ToSchema for Step {}
