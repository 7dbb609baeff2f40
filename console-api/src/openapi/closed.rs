//! Closed schemas: `additionalProperties: false` for every object of a response.

use super::objects;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Closes every object of responses, and the schemas they refer to. Parts of an `allOf` are merged
/// first, because a closed part would reject the other parts. Bodies of calls are as open as the
/// types that read them. Unreferenced schemas are removed.
pub(super) fn close(document: &mut Value) {
    let known = document["components"]["schemas"].clone();
    let mut responses = BTreeSet::new();
    collect(&document["components"]["responses"], &known, &mut responses);
    for (_, item) in objects(&mut document["paths"]) {
        for (_, operation) in objects(item) {
            collect(&operation["responses"], &known, &mut responses);
        }
    }
    let mut all = responses.clone();
    collect(&document["paths"], &known, &mut all);
    if let Some(schemas) = document["components"]["schemas"].as_object_mut() {
        schemas.retain(|name, _| all.contains(name));
    }
    for (name, schema) in objects(&mut document["components"]["schemas"]) {
        shut(schema, &known, responses.contains(name));
    }
    for (_, item) in objects(&mut document["paths"]) {
        for (_, operation) in objects(item) {
            shut(&mut operation["responses"], &known, true);
        }
    }
}

/// Collects the names of the schemas that a value refers to.
fn collect(value: &Value, known: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(name) = referred(value)
                && names.insert(name.to_owned())
            {
                collect(&known[name], known, names);
            }
            fields.values().for_each(|inner| collect(inner, known, names));
        }
        Value::Array(items) => items.iter().for_each(|inner| collect(inner, known, names)),
        _ => {}
    }
}

fn referred(value: &Value) -> Option<&str> {
    value["$ref"].as_str()?.strip_prefix("#/components/schemas/")
}

fn shut(value: &mut Value, known: &Value, closed: bool) {
    if let Some(parts) = value.get("allOf").and_then(Value::as_array) {
        let merged = parts.iter().try_fold(Map::new(), |merged, part| merge(merged, part, known));
        if let (Some(merged), Some(schema)) = (merged, value.as_object_mut()) {
            schema.remove("allOf");
            schema.extend(merged);
        }
    }
    let is_object = value["type"] == "object" && value["properties"].is_object();
    match value {
        Value::Object(fields) => {
            if is_object && closed {
                fields.entry("additionalProperties").or_insert(json!(false));
            }
            fields.values_mut().for_each(|inner| shut(inner, known, closed));
        }
        Value::Array(items) => items.iter_mut().for_each(|inner| shut(inner, known, closed)),
        _ => {}
    }
}

/// Merges a part into an object; `None` if the part is not an object.
fn merge(mut merged: Map<String, Value>, part: &Value, known: &Value) -> Option<Map<String, Value>> {
    if let Some(name) = referred(part) {
        return merge(merged, &known[name], known);
    }
    if let Some(parts) = part["allOf"].as_array() {
        return parts.iter().try_fold(merged, |merged, part| merge(merged, part, known));
    }
    let properties = part["properties"].as_object()?.clone();
    merged.insert("type".to_owned(), json!("object"));
    merged.entry("properties").or_insert(json!({})).as_object_mut()?.extend(properties);
    let required = part["required"].as_array().cloned().unwrap_or_default();
    merged.entry("required").or_insert(json!([])).as_array_mut()?.extend(required);
    Some(merged)
}
