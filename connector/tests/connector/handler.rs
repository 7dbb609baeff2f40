//! Event handling, driven through the whole connector.

use crate::{
    ORIGIN_REQUEST, ORIGIN_RESPONSE, VIEWER_REQUEST, VIEWER_RESPONSE,
    harness::{harness, part},
    node::Node,
};
use connector::cloudfront::Reply;
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use serde_json::{json, value::RawValue};
use shared::{
    NotInspectedReason,
    call_signature::{SignedCall, SigningKey},
};
use std::time::{Duration, Instant};

#[tokio::test]
async fn returns_an_allowed_request_byte_for_byte() {
    for event in [VIEWER_REQUEST, ORIGIN_REQUEST] {
        let harness = harness(Node::Allows, &[]).await;
        assert_eq!(harness.reply(event).await, part(event, "request"));
    }
}

/// Viewer-request events with unusual texts, unknown fields, compact or pretty JSON.
pub(crate) fn any_event() -> impl Strategy<Value = String> {
    let headers = prop::collection::btree_map("[a-z-]{1,12}", prop::collection::vec(".*", 0..3), 0..4);
    let unknown = prop::collection::btree_map("[A-Za-z]{1,8}X", any::<(i64, bool, String)>(), 0..3);
    let body = prop::option::of(prop::collection::vec(any::<u8>(), 0..48));
    ((".*", ".*", "[A-Z]{1,8}"), headers, unknown, body, any::<bool>()).prop_map(
        |((uri, query, method), headers, unknown, body, pretty)| {
            let headers: serde_json::Map<_, _> = headers
                .into_iter()
                .map(|(name, values)| {
                    let entries: Vec<_> = values.iter().map(|value| json!({ "key": name, "value": value })).collect();
                    (name, entries.into())
                })
                .collect();
            let mut request = json!({ "clientIp": "2001:db8::1", "method": method, "uri": uri, "querystring": query,
                "headers": headers });
            for (name, value) in unknown {
                request[name] = json!(value);
            }
            if let Some(body) = body {
                let data = shared::Body(body).to_base64();
                request["body"] =
                    json!({ "inputTruncated": false, "action": "read-only", "encoding": "base64", "data": data });
            }
            let config = json!({ "distributionDomainName": "d.cloudfront.net", "distributionId": "E1",
                "eventType": "viewer-request", "requestId": "id==" });
            let event = json!({ "Records": [{ "cf": { "config": config, "request": request } }] });
            if pretty { serde_json::to_string_pretty(&event).unwrap() } else { event.to_string() }
        },
    )
}

#[test]
fn returns_any_request_that_is_not_blocked_byte_for_byte() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let harness = runtime.block_on(harness(Node::Allows, &[]));
    let mut runner = TestRunner::new(Config::with_cases(128));
    let unchanged = runner.run(&any_event(), |event| {
        prop_assert_eq!(runtime.block_on(harness.reply(&event)), part(&event, "request"));
        Ok(())
    });
    unchanged.unwrap();
    assert!(harness.requests().len() >= 128, "each request was inspected");
}

#[tokio::test]
async fn sends_the_viewers_request_to_the_node() {
    let harness = harness(Node::Allows, &[("WLRM_HOST_HEADER", "X-Viewer-Host")]).await;
    harness.reply(VIEWER_REQUEST).await;
    harness.reply(ORIGIN_REQUEST).await;
    let [viewer, origin] = &harness.requests()[..] else { panic!("two requests") };
    insta::assert_json_snapshot!("copy_of_viewer_request", viewer);
    insta::assert_json_snapshot!("copy_of_origin_request", origin);
}

#[tokio::test]
async fn returns_the_nodes_block_page_as_uncacheable() {
    let harness = harness(Node::Blocks, &[]).await;
    insta::assert_snapshot!(
        harness.reply(ORIGIN_REQUEST).await,
        @r#"{"status":"406","statusDescription":"Not Acceptable","headers":{"content-type":[{"key":"content-type","value":"text/plain"}],"cache-control":[{"key":"cache-control","value":"no-store"}]},"body":"stopped","bodyEncoding":"text"}"#
    );
}

#[tokio::test]
async fn fails_open_when_the_node_fails_and_reports_it_later() {
    for (node, reason) in [
        (Node::Hangs, NotInspectedReason::NodeTimeout),
        (Node::Refuses, NotInspectedReason::NodeError),
        (Node::RepliesGarbage, NotInspectedReason::NodeReply),
        (Node::RepliesForAnother, NotInspectedReason::NodeReply),
    ] {
        let harness = harness(node, &[("WLRM_DEADLINE_MS", "1000")]).await;
        let start = Instant::now();
        assert_eq!(harness.reply(VIEWER_REQUEST).await, part(VIEWER_REQUEST, "request"));
        assert!(start.elapsed() < Duration::from_secs(5), "{reason}");

        *harness.node.lock().unwrap() = Node::Allows;
        harness.reply(VIEWER_REQUEST).await;
        harness.reply(VIEWER_REQUEST).await;
        let reported: Vec<_> = harness.requests().into_iter().map(|request| request.not_inspected).collect();
        let [.., second, third] = &reported[..] else { panic!("two requests were inspected: {reported:?}") };
        assert_eq!(second.iter().map(|entry| &entry.reason).collect::<Vec<_>>(), [&reason]);
        assert_eq!(second[0].request_id, harness.requests()[0].request_id.unwrap());
        assert!(third.is_empty(), "acknowledged by the successful call");
    }
}

#[tokio::test]
async fn fails_closed_when_configured() {
    let parameters = [("WLRM_NODE_ADDR", "http://127.0.0.1:1"), ("WLRM_FAIL_MODE", "closed")];
    let harness = harness(Node::Allows, &parameters).await;
    let reply: serde_json::Value = serde_json::from_str(&harness.reply(VIEWER_REQUEST).await).unwrap();
    assert_eq!(reply["status"], "403");
    assert!(reply["body"].as_str().unwrap().contains("Request blocked"));
}

#[tokio::test]
async fn sends_an_out_of_band_copy_only_after_the_reply() {
    let harness = harness(Node::Blocks, &[("WLRM_INLINE", "False")]).await;
    assert_eq!(harness.reply(VIEWER_REQUEST).await, part(VIEWER_REQUEST, "request"));
    assert!(harness.requests().is_empty());
    harness.connector.after_reply().await;
    assert_eq!(harness.requests()[0].delivery, shared::Delivery::OutOfBand);
}

#[tokio::test]
async fn returns_a_response_unchanged_and_reports_it_without_secrets() {
    for event in [ORIGIN_RESPONSE, VIEWER_RESPONSE] {
        let harness = harness(Node::Allows, &[("WLRM_FUNCTION", "response")]).await;
        assert_eq!(harness.reply(event).await, part(event, "response"));
        harness.connector.after_reply().await;
        let reports = std::mem::take(&mut harness.received.lock().unwrap().reports);
        let [report] = &reports[..] else { panic!("one report: {reports:?}") };
        let name = if event == ORIGIN_RESPONSE { "origin_response" } else { "viewer_response" };
        insta::assert_json_snapshot!(format!("report_of_{name}"), report);
    }
}

#[tokio::test]
async fn invalid_parameters_let_all_requests_pass() {
    for (wrong, event, part_name) in [
        (("WLRM_NODE_ADDR", "nonsense"), VIEWER_REQUEST, "request"),
        (("WLRM_FUNCTION", "response"), VIEWER_REQUEST, "request"),
        (("WLRM_FUNCTION", "request"), ORIGIN_RESPONSE, "response"),
    ] {
        let harness = harness(Node::Blocks, &[wrong]).await;
        assert_eq!(harness.reply(event).await, part(event, part_name), "{wrong:?}");
    }
}

#[tokio::test]
async fn tries_the_next_address_when_one_does_not_reply_in_its_share_of_the_deadline() {
    let good = harness(Node::Blocks, &[]).await;
    let hanging = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    for bad in ["http://127.0.0.1:1".to_owned(), format!("http://{}", hanging.local_addr().unwrap())] {
        let addresses = format!("{bad},{}", good.address);
        let harness = harness(Node::Hangs, &[("WLRM_NODE_ADDR", &addresses)]).await;
        assert!(harness.reply(VIEWER_REQUEST).await.contains("stopped"), "{bad}");
    }
}

#[tokio::test]
async fn retries_the_same_address() {
    let harness = harness(Node::RefusesOnce, &[("WLRM_RETRIES", "1")]).await;
    assert_eq!(harness.reply(VIEWER_REQUEST).await, part(VIEWER_REQUEST, "request"));
    assert_eq!(harness.requests().len(), 2);
    harness.reply(VIEWER_REQUEST).await;
    assert!(harness.requests()[2].not_inspected.is_empty(), "the retry returned a verdict");
}

#[tokio::test]
async fn stops_calls_to_a_failing_node_for_a_pause() {
    let parameters = [("WLRM_BREAKER_FAILURES", "2"), ("WLRM_BREAKER_PAUSE_MS", "200")];
    let harness = harness(Node::Refuses, &parameters).await;
    for _ in 0..4 {
        harness.reply(VIEWER_REQUEST).await;
    }
    assert_eq!(harness.requests().len(), 2);
    *harness.node.lock().unwrap() = Node::Allows;
    tokio::time::sleep(Duration::from_millis(250)).await;
    harness.reply(VIEWER_REQUEST).await;
    let reported: Vec<_> =
        harness.requests()[2].not_inspected.iter().map(|entry| entry.reason.to_string()).collect();
    assert_eq!(reported, ["node_error", "node_error", "breaker_open", "breaker_open"]);
}

#[tokio::test]
async fn signs_each_call_with_a_new_nonce() {
    let key = [("WLRM_SIGNING_KEY_ID", "edge"), ("WLRM_SIGNING_KEY", "s3cret")];
    let harness = harness(Node::Allows, &key).await;
    harness.reply(VIEWER_REQUEST).await;
    harness.reply(VIEWER_REQUEST).await;
    let signed = std::mem::take(&mut harness.received.lock().unwrap().signatures);
    let keys = [SigningKey::new("edge", *b"s3cret")];
    let nonces = signed.iter().map(|(header, body)| {
        let call = SignedCall {
            method: "POST",
            path_and_query: shared::INSPECT_REQUEST_PATH,
            content_type: "application/msgpack",
            body,
        };
        let now = u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap();
        SigningKey::verify(&keys, header, call, now).unwrap().nonce
    });
    let nonces: Vec<_> = nonces.collect();
    assert_eq!(nonces.len(), 2);
    assert_ne!(nonces[0], nonces[1]);
}

#[tokio::test]
async fn treats_a_truncated_body_as_configured() {
    for (policy, calls, blocks) in
        [("auto", true, false), ("inspect", true, false), ("pass", false, false), ("block", false, true)]
    {
        let harness = harness(Node::Allows, &[("WLRM_TRUNCATED_BODY", policy)]).await;
        let reply = harness.reply(ORIGIN_REQUEST).await;
        assert_eq!(
            (harness.requests().len() == 1, reply.contains("\"status\":\"403\"")),
            (calls, blocks),
            "{policy}"
        );
    }
}

#[tokio::test]
async fn sends_no_bodies_and_no_reports_when_disabled() {
    let requests = harness(Node::Allows, &[("WLRM_INSPECT_BODY", "False")]).await;
    requests.reply(ORIGIN_REQUEST).await;
    assert_eq!(requests.requests()[0].body, None);
    let responses =
        harness(Node::Allows, &[("WLRM_FUNCTION", "response"), ("WLRM_RESPONSE_REPORTS", "False")]).await;
    responses.reply(ORIGIN_RESPONSE).await;
    responses.connector.after_reply().await;
    assert!(responses.received.lock().unwrap().reports.is_empty());
}

#[tokio::test]
async fn counts_bypassed_requests_and_reports_them_once() {
    let harness = harness(Node::Allows, &[("WLRM_BYPASS_PATHS", "/static")]).await;
    let exempt = VIEWER_REQUEST.replace("/caf%C3%A9/a%2Fb", "/static/app.js");
    for _ in 0..3 {
        assert_eq!(harness.reply(&exempt).await, part(&exempt, "request"));
    }
    harness.reply(VIEWER_REQUEST).await;
    harness.reply(VIEWER_REQUEST).await;
    let reported = harness.requests().into_iter().map(|request| request.connector.unwrap().bypassed);
    assert_eq!(reported.collect::<Vec<_>>(), [Some(3), None]);
}

#[tokio::test]
async fn returns_an_invalid_request_unchanged() {
    let harness = harness(Node::Blocks, &[]).await;
    let invalid = VIEWER_REQUEST.replace("203.0.113.178", "not an address");
    assert_eq!(harness.reply(&invalid).await, part(&invalid, "request"));
    let event = RawValue::from_string(r#"{"Records":[]}"#.to_owned()).unwrap();
    let nothing: Result<Reply, _> = harness.connector.clone().handle(event).await;
    assert_eq!(nothing.unwrap_err().to_string(), "the event has 0 records instead of one");
}
