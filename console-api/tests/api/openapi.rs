//! The OpenAPI document.

use crate::harness::{Console, send};
use axum::{body::Body, http::Request};
use insta::assert_json_snapshot;
use serde_json::{Value, json};
use std::collections::BTreeSet;

async fn document() -> Value {
    let console = Console::empty().await;
    let request = Request::get("/api/v1/openapi.json").body(Body::empty()).unwrap();
    let answer = send(&console.router, request).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/json"));
    answer.json()
}

/// Visits every value of the document, parents first.
fn walk(value: &Value, visit: &mut impl FnMut(&Value)) {
    visit(value);
    match value {
        Value::Array(items) => items.iter().for_each(|item| walk(item, visit)),
        Value::Object(fields) => fields.values().for_each(|field| walk(field, visit)),
        _ => {}
    }
}

#[tokio::test]
async fn serves_the_document_without_a_token() {
    let mut document = document().await;
    document["info"]["version"] = json!("[version]");
    assert_json_snapshot!("document", document);
}

#[tokio::test]
async fn every_operation_has_a_unique_name_and_a_summary() {
    let document = document().await;
    let mut names = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name.to_owned()), "{name} is not unique");
            assert!(operation["summary"].is_string(), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn references_resolve_and_objects_are_closed() {
    let document = document().await;
    walk(&document, &mut |value| {
        if let Some(reference) = value["$ref"].as_str() {
            assert!(document.pointer(&reference[1..]).is_some(), "{reference}");
        }
        assert!(value.get("allOf").is_none(), "{value}");
    });
    // Newer nodes may send fields that this version does not have.
    let open = [
        "IngestBatch",
        "NodeInfo",
        "AttackRecord",
        "Location",
        "Hit",
        "NotInspected",
        "ResponseReport",
        "LoggedResponse",
        "CoverageRecord",
        "CoverageCount",
    ];
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        if schema["properties"].is_object() && !open.contains(&name.as_str()) {
            assert_eq!(schema["additionalProperties"], false, "{name}");
        }
    }
}

#[tokio::test]
async fn the_page_lists_every_operation_and_is_self_contained() {
    let document = document().await;
    let console = Console::empty().await;
    let page = send(&console.router, Request::get("/api/docs").body(Body::empty()).unwrap()).await;
    assert_eq!(page.status, 200);
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            assert!(
                page.text.contains(&format!("<code>{} {path}</code>", method.to_uppercase())),
                "{method} {path}"
            );
        }
    }
    let own = page.text.replace("src=\"/static/", "");
    assert!(!own.contains("src=") && !own.contains("href=\"http"), "{own}");
}
