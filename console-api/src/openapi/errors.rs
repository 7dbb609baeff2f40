//! What can go wrong with every call of a kind.

use serde_json::{Value, json};
use shared::Problem;

/// Status, title, when, and a detail such as callers read.
const ERRORS: [(u16, &str, &str, &str); 13] = [
    (
        400,
        "Bad Request",
        "A parameter, a header or the body is wrong.",
        "`limit` must be a number from 1 to 200",
    ),
    (
        401,
        "Unauthorized",
        "No token, or none that is known.",
        "send `Authorization: Bearer` with a token this console knows",
    ),
    (403, "Forbidden", "The token is of a role that may not do this.", "this needs a token of role admin"),
    (404, "Not Found", "There is no such thing.", "there is no such attack"),
    (
        405,
        "Method Not Allowed",
        "The address does not take that method.",
        "this address does not take that method",
    ),
    (409, "Conflict", "It does not fit what is there.", "there are 1000 rules, and that is the limit"),
    (
        412,
        "Precondition Failed",
        "Somebody changed it in between.",
        "somebody changed it in between: its revision is 2 now",
    ),
    (413, "Payload Too Large", "The body is too large.", "the body is larger than 65536 bytes"),
    (415, "Unsupported Media Type", "The body is not JSON.", "the body must be application/json"),
    (
        428,
        "Precondition Required",
        "`If-Match` is missing.",
        "send `If-Match` with the `ETag` of what is to be changed",
    ),
    (
        429,
        "Too Many Requests",
        "Too many tries, or records; `Retry-After` says when to come back.",
        "too many tries; come back in 60 s",
    ),
    (500, "Internal Server Error", "The console failed.", "the console failed; its log says why"),
    (
        503,
        "Service Unavailable",
        "Too much to do; `Retry-After` says when to come back.",
        "the console has more to take in than it can; send it again in 1 s",
    ),
];

/// Describes each error once.
pub(super) fn describe(components: &mut Value) {
    for (status, title, when, detail) in ERRORS {
        let example = json!({"type": "about:blank", "title": title, "status": status, "detail": detail});
        let mut response = json!({
            "description": when,
            "content": {Problem::CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}},
        });
        if matches!(status, 429 | 503) {
            response["headers"]["Retry-After"] =
                json!({"schema": {"type": "integer"}, "description": "Seconds."});
        }
        components["responses"][name(title)] = response;
    }
}

/// Adds the errors of the operation's extractors, and completes those it names itself.
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
    for (status, title, ..) in ERRORS {
        let common = match status {
            400 | 500 => true,
            401 | 403 => secured,
            404 => path.contains('{'),
            412 | 428 => if_match,
            413 | 415 => body,
            _ => own.contains(&status),
        };
        if common {
            let reference = json!({"$ref": format!("#/components/responses/{}", name(title))});
            operation["responses"][status.to_string()] = reference;
        }
    }
}

fn name(title: &str) -> String {
    title.replace(' ', "")
}
