//! Error responses that calls share.

use axum::http::StatusCode;
use serde_json::{Value, json};
use shared::Problem;

/// Status, description, and an example of the detail, empty for a response without a body.
const ERRORS: [(u16, &str, &str); 14] = [
    (400, "A parameter, a header or the body is invalid.", "`limit` must be a number from 1 to 200"),
    (401, "The token is missing or unknown.", "send `Authorization: Bearer` with a valid token"),
    (403, "The role of the token does not allow the call.", "this call needs a token of role admin"),
    (404, "The object does not exist.", "there is no attack 0198d1f5-9a7b-7c3e-8f10-2b4c6d8e0a12"),
    (405, "The address does not support the method.", "this address does not support the method"),
    (
        409,
        "The change conflicts with the current state.",
        "the limit of 10000 rules is reached; delete some first",
    ),
    (412, "The revision of the object changed.", "revision conflict: the current revision is 2"),
    (413, "The body is too large.", "the body is larger than 65536 bytes"),
    (415, "The body is not JSON.", "the body must be application/json"),
    (428, "`If-Match` is missing.", "send `If-Match` with the `ETag` of the object to change"),
    (
        429,
        "Too many sign-in attempts, records or long polls; retry after `Retry-After`.",
        "too many sign-in attempts; retry in 60 s",
    ),
    (431, "The head of the request is larger than 32 KiB; no body.", ""),
    (500, "The console failed.", "the console failed; see its log"),
    (
        503,
        "Overloaded, or the limit of a caller or of a search; `detail` names it. Retry after `Retry-After`.",
        "this user or token already runs 2 searches at a time; wait for their end, or narrow them",
    ),
];

/// The title of a problem with this status.
fn title(status: u16) -> &'static str {
    StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or_default()
}

/// Describes each error once.
pub(super) fn describe(components: &mut Value) {
    for (status, when, detail) in ERRORS {
        let example =
            json!({"type": "about:blank", "title": title(status), "status": status, "detail": detail});
        let mut response = json!({"description": when});
        if !detail.is_empty() {
            response["content"][Problem::CONTENT_TYPE] =
                json!({"schema": {"$ref": "#/components/schemas/Problem"}, "example": example});
        }
        if matches!(status, 429 | 503) {
            response["headers"]["Retry-After"] =
                json!({"schema": {"type": "integer"}, "description": "Seconds."});
        }
        components["responses"][name(status)] = response;
    }
}

/// Adds the errors of the operation's extractors, and completes its own ones.
pub(super) fn add_common(operation: &mut Value, path: &str) {
    let has = |pointer: &str| operation.pointer(pointer).is_some();
    let if_match =
        operation["parameters"].as_array().is_some_and(|all| all.iter().any(|one| one["name"] == "If-Match"));
    let (secured, body) = (has("/security"), has("/requestBody"));
    let own: Vec<u16> = operation["responses"]
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(status, _)| status.parse().ok())
        .collect();
    for (status, ..) in ERRORS {
        let common = match status {
            400 | 431 | 500 => true,
            401 | 403 => secured,
            404 => path.contains('{'),
            412 | 428 => if_match,
            413 | 415 => body,
            _ => own.contains(&status),
        };
        if common {
            let reference = json!({"$ref": format!("#/components/responses/{}", name(status))});
            operation["responses"][status.to_string()] = reference;
        }
    }
}

/// The name of the response of a status.
fn name(status: u16) -> String {
    title(status).replace(' ', "")
}
