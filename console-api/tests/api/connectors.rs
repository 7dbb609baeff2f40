//! Connectors: bundles with parameters, signing keys, and the list of callers.

use crate::{
    harness::{Answer, Console, now, send, token_of, uuid},
    rules::admin,
};
use axum::{
    Router,
    body::Body,
    http::{Request, header},
};
use connector::{
    VERSION,
    bundle::{self, Assignment, Compression},
    parameters::FunctionKind,
};
use console_api::{actor::Role, app::App, bundles::Bundles, clock::Clock, server::router};
use serde_json::{Value, json};
use std::{
    fs,
    io::{Cursor, Read as _},
    path::Path,
};
use zip::ZipArchive;

const NODE: &str = "https://node.example.com:5050";
const PROGRAM: &[u8] = b"\x7fELF program";

/// A console with a folder of bundles, as `just bundle` creates them.
async fn with_bundles(folder: &Path) -> (Console, Router) {
    for function in [FunctionKind::Request, FunctionKind::Response] {
        let baked = [Assignment::parse("wlrm_support_contact=help@example.com").unwrap()];
        let zip = bundle::bundle(function, PROGRAM, &baked, Compression::Best).unwrap();
        fs::write(folder.join(bundle::file_name(function)), zip).unwrap();
    }
    let console = Console::start().await;
    let bundles = Bundles::of(Some(folder.to_owned()));
    let router = router(App::new(console.store.clone(), Clock::At(now()), bundles));
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
async fn a_bundle_contains_its_parameters_and_the_same_program() {
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
async fn only_administrators_download_bundles() {
    let folder = tempfile::tempdir().unwrap();
    let (_console, router) = with_bundles(folder.path()).await;
    let wanted = json!({ "function": "request", "parameters": { "wlrm_node_addr": NODE } });
    assert_eq!(order(&router, None, &wanted).await.status, 401);
    for role in [Role::Analyst, Role::ReadOnly, Role::Node] {
        assert_eq!(order(&router, Some(role), &wanted).await.status, 403, "{role:?}");
    }
}

#[tokio::test]
async fn names_an_invalid_bundle_parameter() {
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
async fn hides_a_signing_key_without_its_id() {
    let folder = tempfile::tempdir().unwrap();
    let (_console, router) = with_bundles(folder.path()).await;
    let wanted = json!({ "function": "request", "parameters": { "wlrm_node_addr": NODE, "wlrm_signing_key": "very-secret" } });
    let answer = order(&router, Some(Role::Admin), &wanted).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["parameter"]), (400, &json!("wlrm_signing_key_id")));
    assert!(!answer.text.contains("very-secret"), "{}", answer.text);
}

#[tokio::test]
async fn explains_how_to_configure_bundles() {
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

fn seen(version: &str, event: &str, delivery: &Value, calls: u64) -> Value {
    let connector =
        json!({"kind": "cloudfront", "version": version, "event": event, "distribution_id": "E2EXAMPLE"});
    json!({"connector": connector, "delivery": delivery, "last_seen": "2026-01-01T11:59:00Z", "calls": calls, "not_inspected": 2,
        "truncated": calls, "unseen_bytes": 1000})
}

/// Posts a status report of a node with these connectors.
async fn report(console: &Console, node: u32, started_at: &str, connectors: &[Value]) {
    let status = json!({
        "started_at": started_at, "mode": "block", "left_out": 0, "requests": 1, "attacks": 0, "blocked": 0,
        "pending": 0, "dropped": 0, "connectors": connectors,
    });
    let batch = json!({"node": {"id": uuid(node), "version": "1.2.3"}, "status": status, "records": []});
    let answer = console.post_batch(batch.to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

#[tokio::test]
async fn lists_connectors_reported_by_nodes() {
    let console = Console::start().await;
    let inline = json!("inline");
    let (old, new) =
        (seen("0.0.9", "viewer-request", &inline, 5), seen(VERSION, "viewer-request", &inline, 1));
    let early = "2026-01-01T10:00:00Z";
    report(&console, 900, early, std::slice::from_ref(&old)).await;
    let later = seen("0.0.9", "viewer-request", &inline, 7);
    report(&console, 900, early, &[later, seen(VERSION, "viewer-response", &Value::Null, 3)]).await;
    report(&console, 901, early, std::slice::from_ref(&new)).await;
    report(
        &console,
        901,
        "2026-01-01T11:00:00Z",
        &[
            new,
            seen("9".repeat(201).as_str(), "viewer-request", &inline, 1),
            seen(VERSION, &"e".repeat(201), &inline, 1),
        ],
    )
    .await;
    let list = console.body("/api/v1/connectors").await;
    let listed: Vec<_> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|seen| {
            (
                seen["event"].as_str().unwrap(),
                seen["calls"].as_u64().unwrap(),
                seen["not_inspected"].as_u64().unwrap(),
                seen.get("upgrade_to"),
            )
        })
        .collect();
    let newest = json!(VERSION);
    assert_eq!(
        listed,
        [
            ("viewer-request", 7, 2, Some(&newest)),
            ("viewer-request", 2, 4, None),
            ("viewer-response", 3, 2, None)
        ]
    );
    assert_eq!(list["items"][1]["nodes"], 1);
    assert_eq!((&list["items"][0]["delivery"], list["items"][2].get("delivery")), (&inline, None));
    assert!(console.body("/api/v1/nodes").await["items"][0]["status"].get("connectors").is_none());
    let page = console.get("/connectors").await.text;
    let rest = (&list["items"][1]["truncated"], &list["items"][1]["unseen_bytes"]);
    assert_eq!(rest, (&json!(2), &json!(2000)));
    assert!(
        page.contains("1,000") && page.contains("A second stage at origin-request inspects up to 1 MB"),
        "{page}"
    );
    assert!(page.contains("E2EXAMPLE") && page.contains(&format!("upgrade to {VERSION}")), "{page}");

    console.store.delete_connectors("2026-01-01T12:00:00Z".parse().unwrap()).await.unwrap();
    assert_eq!(console.body("/api/v1/connectors").await["items"], json!([]));
}

#[tokio::test]
async fn the_connectors_of_a_node_are_bounded() {
    let console = Console::start().await;
    let inline = json!("inline");
    let connectors: Vec<_> =
        (0..100).map(|n| seen(&format!("0.0.{n}"), "viewer-request", &inline, 1)).collect();
    for second in 0..51 {
        report(&console, 902, &format!("2026-01-01T08:00:{second:02}Z"), &connectors).await;
    }
    let list = console.body("/api/v1/connectors").await;
    let calls = list["items"].as_array().unwrap().iter().map(|seen| seen["calls"].as_u64().unwrap());
    assert_eq!(calls.sum::<u64>(), 5000, "one call in each row that is kept");
}

#[tokio::test]
async fn adds_a_signing_key_to_the_bundle_and_shows_it_once() {
    let folder = tempfile::tempdir().unwrap();
    let (console, router) = with_bundles(folder.path()).await;
    let created = admin(&console, "POST", "/api/v1/connectors/keys", &json!({"name": "shop"})).await.json();
    let (id, secret) = (created["id"].as_str().unwrap(), created["secret"].as_str().unwrap());
    let wanted = json!({"function": "request", "parameters": {"wlrm_node_addr": NODE}, "signing_key": id});
    let answer = order(&router, Some(Role::Admin), &wanted).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let launcher = String::from_utf8(entry(&answer.bytes, "lambda_function.py")).unwrap();
    for line in [format!("wlrm_signing_key_id = \"{id}\""), format!("wlrm_signing_key = \"{secret}\"")] {
        assert!(launcher.lines().any(|existing| existing == line), "{line}");
    }
    let list = console.get_as(Role::Admin, "/api/v1/connectors/keys").await;
    let log = console.get_as(Role::Admin, "/api/v1/audit").await;
    for answer in [list, log] {
        assert!(answer.text.contains(id) && !answer.text.contains(secret), "{}", answer.text);
    }
    let mut twice = wanted.clone();
    twice["parameters"]["wlrm_signing_key"] = json!("mine");
    let mut unknown = wanted.clone();
    unknown["signing_key"] = json!(uuid(7));
    for wrong in [twice, unknown] {
        let answer = order(&router, Some(Role::Admin), &wrong).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["parameter"]), (400, &json!("signing_key")));
    }
    assert_eq!(
        admin(&console, "DELETE", &format!("/api/v1/connectors/keys/{id}"), &Value::Null).await.status,
        204
    );
    assert_eq!(order(&router, Some(Role::Admin), &wanted).await.status, 400);
}
