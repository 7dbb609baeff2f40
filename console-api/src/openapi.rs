//! The OpenAPI 3.1 document, generated from the handlers' annotations and types.
//!
//! A handler declares its parameters, bodies, success responses, and specific errors such as 409.
//! The errors of its extractors (400, 401, 403, 404, 412, 413, 415, 428, 500) are added here, and
//! every object is closed.

mod closed;
mod errors;
mod parameters;

pub(crate) use parameters::query_parameter;

use crate::actor::Role;
use serde_json::{Map, Value, json};
use shared::{Problem, Record};
use utoipa::OpenApi;

/// The base path of the API.
pub(crate) const BASE: &str = "/api/v1";

/// Schemas that no handler declares: the bodies of errors, and the records of a batch, which are
/// parsed one by one.
#[derive(OpenApi)]
#[openapi(components(schemas(Problem, Record)))]
pub(crate) struct Beginning;

/// The complete document, from the operations collected with the routes.
pub(crate) fn document(collected: &utoipa::openapi::OpenApi) -> Value {
    let mut document = serde_json::to_value(collected).expect("the document has text keys");
    document["openapi"] = json!("3.1.0");
    document["info"] = json!({
        "title": "Wallarm console",
        "version": env!("CARGO_PKG_VERSION"),
        "description": "Recorded attacks, and the rules of the nodes. Every call needs `Authorization: Bearer TOKEN`; \
            the security of an operation lists the allowed roles. Errors are RFC 9457 problems.",
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    });
    document["servers"] = json!([{"url": BASE}]);
    document["components"]["securitySchemes"]["token"] = json!({"type": "http", "scheme": "bearer", "description": "Issued by `wallarm-console token create`."});
    errors::describe(&mut document["components"]);
    for (path, item) in objects(&mut document["paths"]) {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            name(operation, method, path);
            errors::add_common(operation, path);
            for parameter in list(operation, "parameters") {
                if parameter["in"] == "query" {
                    parameter["allowEmptyValue"] = json!(true);
                }
            }
            for roles in list(operation, "security") {
                name_roles(&mut roles["token"]);
            }
        }
    }
    closed::close(&mut document);
    name_formats(&mut document);
    document
}

/// Prefixes the name of the handler with its resource, so that it is unique: `attacks_list`.
fn name(operation: &mut Value, method: &str, path: &str) {
    let resource = path.split('/').find(|part| !part.is_empty()).unwrap_or_default();
    let function = operation["operationId"].as_str().unwrap_or(method);
    operation["operationId"] = json!(format!("{}_{function}", resource.replace('-', "_")));
    operation["tags"] = json!([resource]);
}

/// Replaces the extractor by the roles that it accepts: `reader` means every role that may read.
fn name_roles(roles: &mut Value) {
    let all: &[Role] = match roles[0].as_str() {
        Some("reader") => &[Role::Admin, Role::Analyst, Role::ReadOnly],
        Some("analyst") => &[Role::Admin, Role::Analyst],
        Some("admin") => &[Role::Admin],
        Some("node") => &[Role::Node],
        _ => &[],
    };
    *roles = all.iter().map(|role| role.as_str()).collect();
}

/// The format registry defines `uint64`; the library writes `u-int64`.
fn name_formats(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(format)) = fields.get_mut("format") {
                *format = format.replace("u-int", "uint");
            }
            fields.values_mut().for_each(name_formats);
        }
        Value::Array(items) => items.iter_mut().for_each(name_formats),
        _ => {}
    }
}

fn list<'a>(value: &'a mut Value, name: &str) -> impl Iterator<Item = &'a mut Value> {
    value.get_mut(name).and_then(Value::as_array_mut).into_iter().flatten()
}

fn objects(value: &mut Value) -> impl Iterator<Item = (&String, &mut Value)> {
    value.as_object_mut().into_iter().flat_map(Map::iter_mut)
}
