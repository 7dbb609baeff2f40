//! TOML parser: the keys and scalars of a document that is valid to its end. Points are those of
//! JSON, as for YAML.

use super::Sink;
use crate::point_path::PointPath;
use shared::point::Tag;
use toml::{Table, Value};

/// Whether a content type, in lower case, declares TOML.
pub(super) fn is_declared(content_type: &str) -> bool {
    content_type.contains("toml")
}

pub(super) fn parse(body: &[u8], root: PointPath, sink: &mut Sink<'_, '_>) {
    let Some(table) = std::str::from_utf8(body).ok().and_then(|text| text.parse::<Table>().ok()) else {
        return;
    };
    let document = sink.arena.then(root, Tag::JsonDoc);
    let names = sink.arena.then(document, Tag::Name);
    walk(Value::Table(table), document, names, sink);
}

/// `false` when the budget is exhausted. The parser bounds the depth.
fn walk(value: Value, point: PointPath, names: PointPath, sink: &mut Sink<'_, '_>) -> bool {
    match value {
        Value::String(text) => sink.push_value(point, text.into_bytes()),
        Value::Array(items) => items.into_iter().enumerate().all(|(at, item)| {
            sink.item(|sink| {
                let point = sink.arena.indexed(point, Tag::Array, u64::try_from(at).unwrap_or(u64::MAX));
                walk(item, point, names, sink)
            })
        }),
        Value::Table(table) => table.into_iter().all(|(key, value)| {
            sink.item(|sink| {
                let point = sink.arena.named(point, Tag::Hash, key.as_bytes());
                sink.push_name(names, key.into_bytes()) && walk(value, point, names, sink)
            })
        }),
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{budget::Budget, point_path::PointArena};

    fn values(body: &str) -> Vec<String> {
        let (mut budget, mut arena) = (Budget::for_request(), PointArena::default());
        let root = arena.then(None, Tag::Post);
        let mut sink = Sink::new(0, &mut budget, &mut arena);
        parse(body.as_bytes(), root, &mut sink);
        let fields = sink.fields.iter();
        fields
            .map(|it| format!("{} = {}", sink.arena.point(it.point), String::from_utf8_lossy(&it.value)))
            .collect()
    }

    #[test]
    fn adds_keys_and_scalars() {
        assert_eq!(
            values("a = \"\\u003Cb>\"\n[[c]]\n'd e' = ['''x\ny''', 1]\n"),
            [
                "post > json_doc > name = a",
                "post > json_doc > hash:a = <b>",
                "post > json_doc > name = c",
                "post > json_doc > name = d e",
                "post > json_doc > hash:c > array:0 > hash:d e > array:0 = x\ny",
            ]
        );
    }

    #[test]
    fn another_format_and_deep_nesting_add_nothing() {
        assert_eq!(values("a: b"), Vec::<String>::new());
        assert_eq!(values(&format!("a = {}", "[".repeat(100_000))), Vec::<String>::new());
    }
}
