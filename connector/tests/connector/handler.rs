//! What becomes of events.

use crate::{
    ORIGIN_REQUEST, ORIGIN_RESPONSE, VIEWER_REQUEST, VIEWER_RESPONSE,
    node::Node,
    world::{part, world},
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
async fn an_allowed_request_goes_on_as_the_same_bytes() {
    for event in [VIEWER_REQUEST, ORIGIN_REQUEST] {
        let world = world(Node::Allows, &[]).await;
        assert_eq!(world.reply(event).await, part(event, "request"));
    }
}

/// Viewer-request events with odd texts, unknown fields, and either way of spacing JSON.
fn any_event() -> impl Strategy<Value = String> {
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
fn any_request_that_is_not_blocked_goes_on_as_the_same_bytes() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let world = runtime.block_on(world(Node::Allows, &[]));
    let mut runner = TestRunner::new(Config::with_cases(128));
    let unchanged = runner.run(&any_event(), |event| {
        prop_assert_eq!(runtime.block_on(world.reply(&event)), part(&event, "request"));
        Ok(())
    });
    unchanged.unwrap();
    assert!(world.requests().len() >= 128, "the node was asked about each");
}

#[tokio::test]
async fn the_node_gets_what_the_viewer_sent() {
    let world = world(Node::Allows, &[("WLRM_HOST_HEADER", "X-Viewer-Host")]).await;
    world.reply(VIEWER_REQUEST).await;
    world.reply(ORIGIN_REQUEST).await;
    let [viewer, origin] = &world.requests()[..] else { panic!("two requests") };
    insta::assert_json_snapshot!("copy_of_viewer_request", viewer);
    insta::assert_json_snapshot!("copy_of_origin_request", origin);
}

#[tokio::test]
async fn a_block_is_the_nodes_answer_and_is_never_stored() {
    let world = world(Node::Blocks, &[]).await;
    insta::assert_snapshot!(
        world.reply(ORIGIN_REQUEST).await,
        @r#"{"status":"406","statusDescription":"Not Acceptable","headers":{"content-type":[{"key":"content-type","value":"text/plain"}],"cache-control":[{"key":"cache-control","value":"no-store"}]},"body":"stopped","bodyEncoding":"text"}"#
    );
}

#[tokio::test]
async fn a_silent_or_lying_node_fails_open_and_is_told_of_it_later() {
    for (node, reason) in [
        (Node::Hangs, NotInspectedReason::NodeTimeout),
        (Node::Refuses, NotInspectedReason::NodeError),
        (Node::Babbles, NotInspectedReason::NodeReply),
        (Node::AnswersForAnother, NotInspectedReason::NodeReply),
    ] {
        let world = world(node, &[("WLRM_DEADLINE_MS", "1000")]).await;
        let start = Instant::now();
        assert_eq!(world.reply(VIEWER_REQUEST).await, part(VIEWER_REQUEST, "request"));
        assert!(start.elapsed() < Duration::from_secs(5), "{reason}");

        *world.node.lock().unwrap() = Node::Allows;
        world.reply(VIEWER_REQUEST).await;
        world.reply(VIEWER_REQUEST).await;
        let told: Vec<_> = world.requests().into_iter().map(|request| request.not_inspected).collect();
        let [.., second, third] = &told[..] else { panic!("two requests were inspected: {told:?}") };
        assert_eq!(second.iter().map(|entry| &entry.reason).collect::<Vec<_>>(), [&reason]);
        assert_eq!(second[0].request_id, world.requests()[0].request_id.unwrap());
        assert!(third.is_empty(), "told once the call succeeded");
    }
}

#[tokio::test]
async fn a_silent_node_fails_closed_when_told_so() {
    let parameters = [("WLRM_NODE_ADDR", "http://127.0.0.1:1"), ("WLRM_FAIL_MODE", "closed")];
    let world = world(Node::Allows, &parameters).await;
    let reply: serde_json::Value = serde_json::from_str(&world.reply(VIEWER_REQUEST).await).unwrap();
    assert_eq!(reply["status"], "403");
    assert!(reply["body"].as_str().unwrap().contains("Request blocked"));
}

#[tokio::test]
async fn out_of_band_the_copy_leaves_only_after_the_reply() {
    let world = world(Node::Blocks, &[("WLRM_INLINE", "False")]).await;
    assert_eq!(world.reply(VIEWER_REQUEST).await, part(VIEWER_REQUEST, "request"));
    assert!(world.requests().is_empty());
    world.connector.after_reply().await;
    assert_eq!(world.requests()[0].delivery, shared::Delivery::OutOfBand);
}

#[tokio::test]
async fn a_response_goes_on_unchanged_and_its_report_holds_no_secret() {
    for event in [ORIGIN_RESPONSE, VIEWER_RESPONSE] {
        let world = world(Node::Allows, &[("WLRM_FUNCTION", "response")]).await;
        assert_eq!(world.reply(event).await, part(event, "response"));
        world.connector.after_reply().await;
        let reports = std::mem::take(&mut world.received.lock().unwrap().reports);
        let [report] = &reports[..] else { panic!("one report: {reports:?}") };
        let name = if event == ORIGIN_RESPONSE { "origin_response" } else { "viewer_response" };
        insta::assert_json_snapshot!(format!("report_of_{name}"), report);
    }
}

#[tokio::test]
async fn wrong_parameters_let_all_pass() {
    for (wrong, event, part_name) in [
        (("WLRM_NODE_ADDR", "nonsense"), VIEWER_REQUEST, "request"),
        (("WLRM_FUNCTION", "response"), VIEWER_REQUEST, "request"),
        (("WLRM_FUNCTION", "request"), ORIGIN_RESPONSE, "response"),
    ] {
        let world = world(Node::Blocks, &[wrong]).await;
        assert_eq!(world.reply(event).await, part(event, part_name), "{wrong:?}");
    }
}

#[tokio::test]
async fn the_next_address_is_asked_when_one_does_not_answer_in_its_share_of_the_time() {
    let good = world(Node::Blocks, &[]).await;
    let hanging = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    for bad in ["http://127.0.0.1:1".to_owned(), format!("http://{}", hanging.local_addr().unwrap())] {
        let addresses = format!("{bad},{}", good.address);
        let world = world(Node::Hangs, &[("WLRM_NODE_ADDR", &addresses)]).await;
        assert!(world.reply(VIEWER_REQUEST).await.contains("stopped"), "{bad}");
    }
}

#[tokio::test]
async fn a_retry_asks_the_same_address_again() {
    let world = world(Node::RefusesOnce, &[("WLRM_RETRIES", "1")]).await;
    assert_eq!(world.reply(VIEWER_REQUEST).await, part(VIEWER_REQUEST, "request"));
    assert_eq!(world.requests().len(), 2);
    world.reply(VIEWER_REQUEST).await;
    assert!(world.requests()[2].not_inspected.is_empty(), "the retry had brought a verdict");
}

#[tokio::test]
async fn a_node_that_keeps_failing_is_left_alone_for_a_pause() {
    let parameters = [("WLRM_BREAKER_FAILURES", "2"), ("WLRM_BREAKER_PAUSE_MS", "200")];
    let world = world(Node::Refuses, &parameters).await;
    for _ in 0..4 {
        world.reply(VIEWER_REQUEST).await;
    }
    assert_eq!(world.requests().len(), 2);
    *world.node.lock().unwrap() = Node::Allows;
    tokio::time::sleep(Duration::from_millis(250)).await;
    world.reply(VIEWER_REQUEST).await;
    let told: Vec<_> =
        world.requests()[2].not_inspected.iter().map(|entry| entry.reason.to_string()).collect();
    assert_eq!(told, ["node_error", "node_error", "breaker_open", "breaker_open"]);
}

#[tokio::test]
async fn calls_are_signed_anew_each_time() {
    let key = [("WLRM_SIGNING_KEY_ID", "edge"), ("WLRM_SIGNING_KEY", "s3cret")];
    let world = world(Node::Allows, &key).await;
    world.reply(VIEWER_REQUEST).await;
    world.reply(VIEWER_REQUEST).await;
    let signed = std::mem::take(&mut world.received.lock().unwrap().signatures);
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
async fn a_cut_body_is_treated_as_told() {
    for (policy, asks, blocks) in [("inspect", true, false), ("pass", false, false), ("block", false, true)] {
        let world = world(Node::Allows, &[("WLRM_TRUNCATED_BODY", policy)]).await;
        let reply = world.reply(ORIGIN_REQUEST).await;
        assert_eq!(
            (world.requests().len() == 1, reply.contains("\"status\":\"403\"")),
            (asks, blocks),
            "{policy}"
        );
    }
}

#[tokio::test]
async fn bodies_and_reports_stay_here_when_told_so() {
    let requests = world(Node::Allows, &[("WLRM_INSPECT_BODY", "False")]).await;
    requests.reply(ORIGIN_REQUEST).await;
    assert_eq!(requests.requests()[0].body, None);
    let responses =
        world(Node::Allows, &[("WLRM_FUNCTION", "response"), ("WLRM_RESPONSE_REPORTS", "False")]).await;
    responses.reply(ORIGIN_RESPONSE).await;
    responses.connector.after_reply().await;
    assert!(responses.received.lock().unwrap().reports.is_empty());
}

#[tokio::test]
async fn bypassed_requests_are_counted_and_told_once() {
    let world = world(Node::Allows, &[("WLRM_BYPASS_PATHS", "/static")]).await;
    let exempt = VIEWER_REQUEST.replace("/caf%C3%A9/a%2Fb", "/static/app.js");
    for _ in 0..3 {
        assert_eq!(world.reply(&exempt).await, part(&exempt, "request"));
    }
    world.reply(VIEWER_REQUEST).await;
    world.reply(VIEWER_REQUEST).await;
    let told = world.requests().into_iter().map(|request| request.connector.unwrap().bypassed);
    assert_eq!(told.collect::<Vec<_>>(), [Some(3), None]);
}

#[tokio::test]
async fn an_unreadable_request_still_goes_on() {
    let world = world(Node::Blocks, &[]).await;
    let odd = VIEWER_REQUEST.replace("203.0.113.178", "not an address");
    assert_eq!(world.reply(&odd).await, part(&odd, "request"));
    let event = RawValue::from_string(r#"{"Records":[]}"#.to_owned()).unwrap();
    let nothing: Result<Reply, _> = world.connector.clone().handle(event).await;
    assert_eq!(nothing.unwrap_err().to_string(), "the event holds 0 records instead of one");
}
