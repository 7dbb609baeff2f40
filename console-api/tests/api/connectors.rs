use crate::harness::{Answer, Console, now, send, token_of};
use axum::{
    Router,
    body::Body,
    http::{Request, header},
};
use connector::{
    VERSION,
    bundle::{self, Assignment},
    parameters::FunctionKind,
};
use console_api::{actor::Role, app::App, bundles::Bundles, clock::Clock};
use serde_json::{Value, json};
use std::{
    fs,
    io::{Cursor, Read as _},
    path::Path,
};
use zip::ZipArchive;

const NODE: &str = "https://node.example.com:5050";
const PROGRAM: &[u8] = b"\x7fELF, say";

/// A console with a folder of bundles, as `just bundle` makes them.
async fn with_bundles(folder: &Path) -> (Console, Router) {
    for function in [FunctionKind::Request, FunctionKind::Response] {
        let baked = [Assignment::parse("wlrm_support_contact=help@example.com").unwrap()];
        let zip = bundle::bundle(function, PROGRAM, &baked).unwrap();
        fs::write(folder.join(bundle::file_name(function)), zip).unwrap();
    }
    let console = Console::start().await;
    let bundles = Bundles::of(Some(folder.to_owned()));
    let router = App::new(console.store.clone(), Clock::At(now()), bundles).router();
    (console, router)
}

async fn order(router: &Router, role: Option<Role>, order: &Value) -> Answer {
    let request = Request::post("/api/v1/connectors/cloudfront/bundle")
        .header(header::CONTENT_TYPE, "application/json")
        .header(
            header::AUTHORIZATION,
            role.map(|role| format!("Bearer {}", token_of(role))).unwrap_or_default(),
        );
    send(router, request.body(Body::from(order.to_string())).unwrap()).await
}

fn entry(zip: &[u8], name: &str) -> Vec<u8> {
    let mut content = Vec::new();
    ZipArchive::new(Cursor::new(zip)).unwrap().by_name(name).unwrap().read_to_end(&mut content).unwrap();
    content
}

#[tokio::test]
async fn a_bundle_comes_with_its_parameters_and_the_same_program() {
    let folder = tempfile::tempdir().unwrap();
    let (_console, router) = with_bundles(folder.path()).await;
    for function in ["request", "response"] {
        let wanted =
            json!({ "function": function, "parameters": { "wlrm_node_addr": NODE, "wlrm_inline": false } });
        let answer = order(&router, Some(Role::Admin), &wanted).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.header("content-type"), "application/zip");
        assert_eq!(answer.header("cache-control"), "no-store");
        let name = format!("wallarm-cloudfront-{function}-{VERSION}.zip");
        assert_eq!(answer.header("content-disposition"), format!("attachment; filename=\"{name}\""));

        let launcher = String::from_utf8(entry(&answer.bytes, "lambda_function.py")).unwrap();
        for line in [
            format!("wlrm_node_addr = \"{NODE}\""),
            "wlrm_inline = False".to_owned(),
            format!("wlrm_function = \"{function}\""),
            "wlrm_support_contact = \"help@example.com\"".to_owned(),
        ] {
            assert!(launcher.lines().any(|existing| existing == line), "{line}");
        }
        assert_eq!(entry(&answer.bytes, "bootstrap"), PROGRAM);
        assert_eq!(entry(&answer.bytes, "VERSION"), format!("{VERSION}\n").as_bytes());
        let again = order(&router, Some(Role::Admin), &wanted).await;
        assert_eq!(again.bytes, answer.bytes, "the same order gives the same bytes");
    }
}

#[tokio::test]
async fn only_an_administrator_gets_one() {
    let folder = tempfile::tempdir().unwrap();
    let (_console, router) = with_bundles(folder.path()).await;
    let wanted = json!({ "function": "request", "parameters": { "wlrm_node_addr": NODE } });
    assert_eq!(order(&router, None, &wanted).await.status, 401);
    for role in [Role::Analyst, Role::ReadOnly, Role::Node] {
        assert_eq!(order(&router, Some(role), &wanted).await.status, 403, "{role:?}");
    }
}

#[tokio::test]
async fn a_wrong_parameter_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (_console, router) = with_bundles(folder.path()).await;
    for (wrong, wanted) in [
        ("function", json!({ "function": "both" })),
        ("wlrm_node_addr", json!({ "function": "request" })),
        ("wlrm_node_adr", json!({ "function": "request", "parameters": { "wlrm_node_adr": NODE } })),
        (
            "wlrm_deadline_ms",
            json!({ "function": "request", "parameters": { "wlrm_node_addr": NODE, "wlrm_deadline_ms": 9000 } }),
        ),
        (
            "wlrm_inline",
            json!({ "function": "response", "parameters": { "wlrm_node_addr": NODE, "wlrm_inline": { "a": 1 } } }),
        ),
    ] {
        let answer = order(&router, Some(Role::Admin), &wanted).await;
        assert_eq!(answer.status, 400, "{wanted}: {}", answer.text);
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(answer.json()["parameter"], wrong, "{}", answer.text);
    }
    for malformed in [json!([]), json!({ "functions": "request" })] {
        let answer = order(&router, Some(Role::Admin), &malformed).await;
        assert_eq!(answer.status, 400, "{}", answer.text);
    }
}

#[tokio::test]
async fn a_key_is_not_told_when_its_other_half_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let (_console, router) = with_bundles(folder.path()).await;
    let wanted = json!({ "function": "request", "parameters": { "wlrm_node_addr": NODE, "wlrm_signing_key": "very-secret" } });
    let answer = order(&router, Some(Role::Admin), &wanted).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["parameter"]), (400, &json!("wlrm_signing_key_id")));
    assert!(!answer.text.contains("very-secret"), "{}", answer.text);
}

#[tokio::test]
async fn a_console_without_bundles_says_what_to_do() {
    let wanted = json!({ "function": "request", "parameters": { "wlrm_node_addr": NODE } });
    let answer = order(&Console::start().await.router, Some(Role::Admin), &wanted).await;
    assert_eq!(answer.status, 409);
    assert!(answer.text.contains("--bundle-dir"), "{}", answer.text);

    let folder = tempfile::tempdir().unwrap();
    let (_console, router) = with_bundles(folder.path()).await;
    fs::remove_file(folder.path().join(bundle::file_name(FunctionKind::Request))).unwrap();
    let answer = order(&router, Some(Role::Admin), &wanted).await;
    assert_eq!(answer.status, 409);
    assert!(answer.text.contains("just bundle"), "{}", answer.text);
    fs::write(folder.path().join(bundle::file_name(FunctionKind::Request)), "no zip").unwrap();
    assert_eq!(order(&router, Some(Role::Admin), &wanted).await.status, 409);
}
