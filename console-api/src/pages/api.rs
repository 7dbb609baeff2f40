//! The API reference: the OpenAPI document as a page.

use askama::Template;
use axum::response::Html;
use serde_json::{Map, Value};

#[derive(Template)]
#[template(path = "api.html")]
struct ApiPage {
    operations: Vec<Operation>,
    schemas: Vec<Schema>,
}

struct Operation {
    id: String,
    method: String,
    path: String,
    about: String,
    roles: String,
    parameters: Vec<Field>,
    body: Option<String>,
    example: Option<String>,
    responses: Vec<Field>,
}

struct Schema {
    name: String,
    about: String,
    fields: Vec<Field>,
}

/// A parameter, a field, or a response with its body.
struct Field {
    name: String,
    kind: String,
    about: String,
}

/// Rendered once: the document does not change at run time.
pub(super) fn page(document: &Value) -> Html<String> {
    let operations = object(&document["paths"]).flat_map(|(path, item)| {
        object(item).map(move |(method, operation)| Operation::read(path, method, operation, document))
    });
    let schemas = object(&document["components"]["schemas"]).map(|(name, schema)| Schema::read(name, schema));
    let page = ApiPage { operations: operations.collect(), schemas: schemas.collect() };
    Html(page.render().expect("rendering to memory does not fail"))
}

impl Operation {
    fn read(path: &str, method: &str, operation: &Value, document: &Value) -> Self {
        let roles =
            list(&operation["security"]).flat_map(|one| list(&one["token"])).filter_map(Value::as_str);
        let parameters = list(&operation["parameters"]).map(|one| Field {
            name: text(&one["name"]),
            kind: kind(&one["schema"]),
            about: text(&one["description"]),
        });
        let responses = object(&operation["responses"]).map(|(status, response)| {
            let response = resolved(response, document);
            Field { name: status.clone(), kind: content(response), about: text(&response["description"]) }
        });
        let body = &operation["requestBody"];
        let example = &body["content"]["application/json"]["example"];
        Self {
            id: text(&operation["operationId"]),
            method: method.to_uppercase(),
            path: path.to_owned(),
            about: format!("{} {}", text(&operation["summary"]), text(&operation["description"])),
            roles: roles.collect::<Vec<_>>().join(", "),
            parameters: parameters.collect(),
            body: body.is_object().then(|| content(body)),
            example: example.is_object().then(|| format!("{example:#}")),
            responses: responses.collect(),
        }
    }
}

impl Schema {
    fn read(name: &str, schema: &Value) -> Self {
        let fields = object(&schema["properties"]).map(|(name, field)| Field {
            name: name.clone(),
            kind: kind(field),
            about: text(&field["description"]),
        });
        let (about, shape) = (text(&schema["description"]), kind(schema));
        let about = if shape == "object" { about } else { format!("{about} {shape}") };
        Self { name: name.to_owned(), about, fields: fields.collect() }
    }
}

/// A readable type name of a schema.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str() {
        return name.rsplit('/').next().unwrap_or_default().to_owned();
    }
    if let Some(values) = schema["enum"].as_array() {
        return values.iter().map(text).collect::<Vec<_>>().join(" | ");
    }
    if let Some(any) = schema["oneOf"].as_array().or(schema["anyOf"].as_array()) {
        return any.iter().map(kind).collect::<Vec<_>>().join(" | ");
    }
    let name = match &schema["type"] {
        Value::Array(types) => types.iter().map(text).collect::<Vec<_>>().join(" | "),
        one => text(one),
    };
    match name.as_str() {
        "array" if schema["items"].is_object() => format!("list of {}", kind(&schema["items"])),
        // The variant of an enum.
        "object" => match object(&schema["properties"]).next() {
            Some((variant, field)) if schema["properties"].as_object().is_some_and(|all| all.len() == 1) => {
                format!("{{{variant}: {}}}", kind(field))
            }
            _ => name,
        },
        _ => name,
    }
}

fn content(message: &Value) -> String {
    let first = object(&message["content"]).next();
    first.map(|(media, body)| format!("{media} {}", kind(&body["schema"]))).unwrap_or_default()
}

fn resolved<'a>(value: &'a Value, document: &'a Value) -> &'a Value {
    let target = value["$ref"].as_str().and_then(|reference| document.pointer(reference.strip_prefix('#')?));
    target.unwrap_or(value)
}

fn object(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
