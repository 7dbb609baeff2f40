//! Events as received by a Python function.

use cloudfront_sim::http1::Request;
use insta::assert_json_snapshot;
use serde_json::{Value, json};

use crate::harness::{Edge, TestFunction, eventually, function};

/// Prints every event and returns its request or response.
const PRINTS: &str = "
import json
def lambda_handler(event, context):
    print('EVENT', json.dumps(event))
    cf = event['Records'][0]['cf']
    return cf.get('response') or cf['request']";

/// The `cf` of the events so far, in order.
async fn printed(by: &TestFunction, events: usize) -> Vec<Value> {
    let seen = || -> Vec<Value> {
        let lines = by.log().output();
        let events = lines.iter().filter_map(|line| line.strip_prefix("EVENT "));
        events
            .map(|event| serde_json::from_str::<Value>(event).unwrap()["Records"][0]["cf"].clone())
            .collect()
    };
    eventually("the events are printed", || seen().len() >= events).await;
    seen()
}

/// Replaces values that differ between runs.
fn redact(cf: &mut Value) {
    cf["config"]["requestId"] = json!("REQUEST-ID");
    for (name, value) in [("via", "VIA"), ("x-amz-cf-id", "REQUEST-ID")] {
        if cf["request"]["headers"].get(name).is_some() {
            cf["request"]["headers"][name][0]["value"] = json!(value);
        }
    }
    if cf["request"].get("origin").is_some() {
        cf["request"]["origin"]["custom"]["port"] = json!(0);
    }
}

#[tokio::test]
async fn all_four_events_look_as_documented() {
    let prints = function(PRINTS).await;
    let edge = Edge::start(|config| {
        config.default_behavior.functions.viewer_request = prints.at();
        config.default_behavior.functions.origin_request = prints.at();
        config.default_behavior.functions.origin_response = prints.at();
        config.default_behavior.functions.viewer_response = prints.at();
    })
    .await;
    let request = Request::new("POST", b"/caf\xe9/<b>?q=%27&r=".to_vec(), "shop.example.com")
        .header("User-Agent", "curl/8.0")
        .header("X-Dup", "1")
        .header("x-dup", b"\xfc")
        .header("Connection", "keep-alive")
        .with_body("u=1");
    let response = edge.send(request).await;
    let mut events = printed(&prints, 4).await;
    let id = response.headers.text("x-amz-cf-id").unwrap();
    assert!(id.len() == 56 && id.ends_with("=="), "{id}");
    assert!(events.iter().all(|cf| cf["config"]["requestId"] == id));
    events.sort_by_key(|cf| {
        let order = ["viewer-request", "origin-request", "origin-response", "viewer-response"];
        order.iter().position(|kind| cf["config"]["eventType"] == *kind)
    });
    for cf in &mut events {
        redact(cf);
        assert_json_snapshot!(cf["config"]["eventType"].as_str().unwrap().to_owned(), cf);
    }
}

#[tokio::test]
async fn long_body_is_truncated_for_the_function_only() {
    // The body itself would make the log line too long.
    let source = "
import base64, json
def lambda_handler(event, context):
    request = event['Records'][0]['cf']['request']
    body = request['body']
    shown = base64.b64decode(body['data'])
    shown_body = {'truncated': body['inputTruncated'], 'length': len(shown), 'ends': shown[-4:].decode()}
    print('EVENT', json.dumps({'Records': [{'cf': shown_body}]}))
    return request";
    let prints = function(source).await;
    let edge = Edge::start(|config| {
        config.default_behavior.functions.viewer_request = prints.at();
        config.default_behavior.functions.origin_request = prints.at();
    })
    .await;
    let body = "0123456789abcdef".repeat(100_000);
    assert_eq!(edge.post("/", body.clone()).await.status, 200);
    assert_eq!(edge.origin.recorded().pop().unwrap().body, body.as_bytes());
    let shown_body = printed(&prints, 2).await;
    for length in [40 * 1024, 1024 * 1024] {
        assert!(
            shown_body.contains(&json!({ "truncated": true, "length": length, "ends": "cdef" })),
            "{shown_body:?}"
        );
    }
}

#[tokio::test]
async fn body_is_shown_only_if_included_and_for_writing_methods() {
    let prints = function(PRINTS).await;
    let edge = Edge::start(|config| {
        config.default_behavior.functions.viewer_request =
            prints.at().map(|at| cloudfront_sim::cloudfront::Association { include_body: false, ..at });
        config.default_behavior.functions.origin_request = prints.at();
    })
    .await;
    edge.post("/", "x").await;
    edge.get("/").await;
    let events = printed(&prints, 4).await;
    let with_body: Vec<_> = events.iter().filter(|cf| cf["request"].get("body").is_some()).collect();
    assert_eq!(with_body.len(), 1);
    assert_eq!(
        (&with_body[0]["config"]["eventType"], &with_body[0]["request"]["method"]),
        (&json!("origin-request"), &json!("POST"))
    );
}
