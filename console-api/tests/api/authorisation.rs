//! Authorisation: the roles that may call each operation.

use crate::harness::{Console, now, send, token_of, uuid};
use axum::{
    body::Body,
    http::{Request, header},
    response::Response,
};
use console_api::{actor::Role, token::Token};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tower::ServiceExt as _;

const READERS: &[Role] = &[Role::Admin, Role::Analyst, Role::ReadOnly];
const ANALYSTS: &[Role] = &[Role::Admin, Role::Analyst];
const ADMIN: &[Role] = &[Role::Admin];
const NODE: &[Role] = &[Role::Node];

/// Every operation of the API, and the roles that may call it.
const OPERATIONS: &[(&str, &str, &[Role])] = &[
    ("get", "/attacks", READERS),
    ("get", "/attacks/export.cef", READERS),
    ("get", "/attacks/export.csv", READERS),
    ("get", "/attacks/export.ndjson", READERS),
    ("get", "/attacks/export.ocsf", READERS),
    ("get", "/attacks/schema", READERS),
    ("get", "/attacks/stats", READERS),
    ("get", "/attacks/stream", READERS),
    ("get", "/attacks/{id}", READERS),
    ("get", "/attacks/{id}/hits", READERS),
    ("post", "/attacks/{id}/mark", ANALYSTS),
    ("get", "/audit", ADMIN),
    ("get", "/connectors", READERS),
    ("post", "/connectors/cloudfront/bundle", ADMIN),
    ("get", "/connectors/keys", ADMIN),
    ("post", "/connectors/keys", ADMIN),
    ("delete", "/connectors/keys/{id}", ADMIN),
    ("get", "/coverage", READERS),
    ("get", "/hits", READERS),
    ("get", "/hits/{id}", READERS),
    ("post", "/hits/{id}/content", ANALYSTS),
    ("post", "/hits/{id}/exclusion", ANALYSTS),
    ("post", "/ingest", NODE),
    ("get", "/ip-lists", READERS),
    ("post", "/ip-lists", ANALYSTS),
    ("get", "/ip-lists/{id}", READERS),
    ("get", "/ip-lists/{id}/activity", READERS),
    ("put", "/ip-lists/{id}", ANALYSTS),
    ("delete", "/ip-lists/{id}", ANALYSTS),
    ("get", "/node/config", NODE),
    ("get", "/nodes", READERS),
    ("get", "/not-inspected", READERS),
    ("get", "/replays", READERS),
    ("post", "/replays", ANALYSTS),
    ("get", "/replays/{id}", READERS),
    ("get", "/overview", READERS),
    ("get", "/requests", READERS),
    ("get", "/requests/export.csv", READERS),
    ("get", "/requests/export.ndjson", READERS),
    ("get", "/requests/stats", READERS),
    ("get", "/requests/stream", READERS),
    ("get", "/rules", READERS),
    ("post", "/rules", ANALYSTS),
    ("post", "/rules/test", ANALYSTS),
    ("get", "/rules/{id}", READERS),
    ("get", "/rules/{id}/activity", READERS),
    ("put", "/rules/{id}", ANALYSTS),
    ("delete", "/rules/{id}", ANALYSTS),
    ("get", "/account", READERS),
    ("put", "/account/password", READERS),
    ("delete", "/account/sessions/{id}", READERS),
    ("get", "/sessions", ADMIN),
    ("delete", "/sessions/{id}", ADMIN),
    ("get", "/tokens", ADMIN),
    ("post", "/tokens", ADMIN),
    ("delete", "/tokens/{id}", ADMIN),
    ("delete", "/nodes/{id}", ADMIN),
    ("delete", "/nodes/{id}/token", ADMIN),
    ("get", "/users", ADMIN),
    ("post", "/users", ADMIN),
    ("get", "/users/{id}", ADMIN),
    ("put", "/users/{id}", ADMIN),
    ("delete", "/users/{id}", ADMIN),
    ("get", "/rulesets", READERS),
    ("get", "/rulesets/{version}", READERS),
    ("post", "/rulesets/{version}/activate", ANALYSTS),
    ("get", "/rulesets/{version}/diff", READERS),
    ("get", "/views", READERS),
    ("post", "/views", ANALYSTS),
    ("get", "/views/{id}", READERS),
    ("patch", "/views/{id}", ANALYSTS),
    ("delete", "/views/{id}", ANALYSTS),
    ("get", "/webhooks", ADMIN),
    ("post", "/webhooks", ADMIN),
    ("get", "/webhooks/{id}", ADMIN),
    ("put", "/webhooks/{id}", ADMIN),
    ("delete", "/webhooks/{id}", ADMIN),
    ("post", "/webhooks/{id}/secret", ADMIN),
    ("post", "/webhooks/{id}/test", ADMIN),
    ("get", "/webhooks/{id}/deliveries", ADMIN),
    ("post", "/webhooks/{id}/deliveries/retry", ADMIN),
];

/// Operations without authentication: sign-in and sign-out.
const PUBLIC: [(&str, &str); 2] = [("post", "/sessions"), ("delete", "/sessions/current")];

/// Returns without reading the body: a stream has no end.
async fn call(console: &Console, method: &str, path: &str, authorization: &str) -> Response {
    let path = format!("/api/v1{}", path.replace("{id}", &uuid(1)).replace("{version}", "1"));
    let request = Request::builder().method(method.to_uppercase().as_str()).uri(path);
    let request = request.header(header::AUTHORIZATION, authorization).body(Body::empty()).unwrap();
    console.router.clone().oneshot(request).await.unwrap()
}

#[tokio::test]
async fn the_table_and_the_document_name_the_same_operations_and_roles() {
    let console = Console::empty().await;
    let document = console.get("/api/v1/openapi.json").await.json();
    let mut described = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            described.insert((method.clone(), path.clone()), operation["security"][0]["token"].clone());
        }
    }
    let table = OPERATIONS.iter().map(|(method, path, roles)| {
        let roles: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
        (((*method).to_owned(), (*path).to_owned()), json!(roles))
    });
    let public = PUBLIC.map(|(method, path)| ((method.to_owned(), path.to_owned()), Value::Null));
    assert_eq!(described, table.chain(public).collect());
}

#[tokio::test]
async fn rejects_calls_without_a_token() {
    let console = Console::start().await;
    for (method, path, _) in OPERATIONS {
        for authorization in ["", "Bearer wlc_unknown_token_of_the_tests", "Basic YTpi"] {
            let answer = call(&console, method, path, authorization).await;
            assert_eq!(answer.status(), 401, "{method} {path} {authorization}");
            assert_eq!(answer.headers()["content-type"], "application/problem+json");
            assert_eq!(answer.headers()["www-authenticate"], "Bearer");
        }
    }
}

#[tokio::test]
async fn enforces_the_role_of_each_operation() {
    let console = Console::start().await;
    for (method, path, roles) in OPERATIONS {
        for role in Role::ALL {
            let answer = call(&console, method, path, &format!("Bearer {}", token_of(role))).await.status();
            assert_ne!(answer, 401, "{method} {path} as {}", role.as_str());
            assert_eq!(
                answer == 403,
                !roles.contains(&role),
                "{method} {path} as {}: {answer}",
                role.as_str()
            );
        }
    }
}

#[tokio::test]
async fn a_node_token_opens_no_page() {
    let console = Console::start().await;
    for path in ["/attacks", "/not-inspected"] {
        assert_eq!(console.get_as(Role::Node, path).await.status, 403, "{path}");
    }
}

#[tokio::test]
async fn answers_an_unknown_address_with_a_problem() {
    let console = Console::start().await;
    let answer = console.get("/api/v1/nothing").await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (404, "application/problem+json"));
    assert_eq!(answer.json()["detail"], "there is no endpoint /api/v1/nothing");
    let answer = console.get("/api/v1/ingest").await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (405, "application/problem+json"));
}

#[tokio::test]
async fn a_new_token_in_the_file_replaces_the_old_one() {
    let console = Console::start().await;
    let call = async |token: &Token| {
        let request =
            Request::get("/api/v1/nodes").header(header::AUTHORIZATION, format!("Bearer {}", token.reveal()));
        send(&console.router, request.body(Body::empty()).unwrap()).await.status.as_u16()
    };
    let (old, new) = (Token::generate(), Token::generate());
    console.store.provision(&old, Role::Admin, now()).await.unwrap();
    assert_eq!((call(&old).await, call(&new).await), (200, 401));
    console.store.provision(&new, Role::Admin, now()).await.unwrap();
    assert_eq!((call(&old).await, call(&new).await), (401, 200));
    assert_eq!(console.get_as(Role::Admin, "/api/v1/nodes").await.status, 200, "other tokens stay");
}
