//! Two stages: the same function at viewer-request and origin-request of one request.

use crate::{
    harness::{Harness, harness, part},
    node::Node,
};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use serde_json::{Value, json};
use shared::{Body, NotInspectedReason, TruncationPolicy};

const KEY: &str = "0123456789abcdef0123456789abcdef";
const OTHER: &str = "fedcba9876543210fedcba9876543210";
const STAGES: (&str, &str) = ("WLRM_MARK_KEYS", KEY);
const MARK: &str = "x-wallarm-mark";

/// A request at a trigger, as CloudFront shows it.
#[derive(Clone)]
struct Shown {
    event: &'static str,
    id: &'static str,
    distribution: &'static str,
    path: &'static str,
    host: &'static str,
    body: Vec<u8>,
    is_truncated: bool,
    mark: Option<String>,
}

impl Shown {
    fn viewer(body: &[u8]) -> Self {
        Self {
            event: "viewer-request",
            id: "an-id==",
            distribution: "E2EXAMPLE",
            path: "/api",
            host: "shop.example.com",
            body: body.to_vec(),
            is_truncated: false,
            mark: None,
        }
    }

    /// The same request at origin-request, without the viewer's host.
    fn origin(self, mark: Option<String>) -> Self {
        Self { event: "origin-request", host: "origin.example.org", mark, ..self }
    }

    fn json(&self) -> String {
        let mut headers = json!({
            "host": [{ "key": "Host", "value": self.host }],
            "content-length": [{ "key": "Content-Length", "value": "5242880" }],
        });
        if let Some(mark) = &self.mark {
            headers[MARK] = json!([{ "key": "X-Wallarm-Mark", "value": mark }]);
        }
        let body = json!({ "inputTruncated": self.is_truncated, "action": "read-only", "encoding": "base64",
            "data": Body(self.body.clone()).to_base64() });
        let request = json!({ "clientIp": "203.0.113.178", "method": "POST", "uri": self.path, "querystring": "a=1",
            "headers": headers, "body": body, "origin": { "custom": { "domainName": "origin.example.org" } } });
        let config = json!({ "distributionDomainName": "d.cloudfront.net", "distributionId": self.distribution,
            "eventType": self.event, "requestId": self.id });
        json!({ "Records": [{ "cf": { "config": config, "request": request } }] }).to_string()
    }
}

impl Harness {
    /// The request that a stage forwards, and its mark.
    async fn forwarded(&self, shown: &Shown) -> (Value, Option<String>) {
        let request: Value = serde_json::from_str(&self.reply(&shown.json()).await).unwrap();
        assert_eq!(request["status"], Value::Null, "a request: {request}");
        let marks = request["headers"][MARK].as_array().cloned().unwrap_or_default();
        assert!(marks.len() <= 1, "{marks:?}");
        let mark = marks.first().map(|mark| mark["value"].as_str().unwrap().to_owned());
        (request, mark)
    }

    async fn mark(&self, shown: &Shown) -> Option<String> {
        self.forwarded(shown).await.1
    }

    fn calls(&self) -> usize {
        self.requests().len()
    }
}

#[tokio::test]
async fn the_origin_stage_returns_a_marked_whole_request_without_a_call() {
    let stages = harness(Node::Allows, &[STAGES]).await;
    let shown = Shown::viewer(b"{\"a\":1}");
    let mark = stages.mark(&shown).await;
    assert_eq!((mark.is_some(), stages.calls()), (true, 1));
    let origin = shown.clone().origin(mark);
    let (request, mark) = stages.forwarded(&origin).await;
    assert_eq!((mark, stages.calls()), (None, 1), "the mark does not reach the origin");
    assert_eq!(request.to_string(), sent(&shown.origin(None)), "nothing else is changed");
}

fn sent(shown: &Shown) -> String {
    let request: Value = serde_json::from_str(part(&shown.json(), "request")).unwrap();
    request.to_string()
}

#[tokio::test]
async fn the_origin_stage_inspects_what_the_viewer_stage_saw_truncated() {
    let stages = harness(Node::Allows, &[STAGES]).await;
    let start = Shown { is_truncated: true, ..Shown::viewer(b"{\"a\":") };
    let mark = stages.mark(&start).await;
    let whole = Shown { body: b"{\"a\":1}".to_vec(), is_truncated: false, ..start };
    assert_eq!(stages.mark(&whole.origin(mark)).await, None);
    let [viewer, origin] = &stages.requests()[..] else { panic!("each stage calls the node") };
    assert_eq!((viewer.request_id, &viewer.host), (origin.request_id, &origin.host), "one request");
    assert_eq!(origin.host, "shop.example.com", "the viewer's host, from the mark");
    let unseen = viewer.unseen_body.clone().unwrap();
    assert_eq!((unseen.policy, unseen.bytes), (TruncationPolicy::LaterStage, Some(5_242_875)));
    assert_eq!((origin.body_truncated, &origin.unseen_body), (false, &None));
    assert!(origin.headers.iter().all(|(name, _)| name != MARK), "no mark in a hit");
}

#[tokio::test]
async fn an_invalid_mark_is_inspected_and_removed() {
    let stages = harness(Node::Blocks, &[STAGES]).await;
    let viewer = harness(Node::Allows, &[STAGES]).await;
    let shown = Shown::viewer(b"{\"a\":1}");
    let mark = viewer.mark(&shown).await.unwrap();
    let origin = shown.clone().origin(Some(mark.clone()));
    let forged = |mark: &str| Shown { mark: Some(mark.to_owned()), ..origin.clone() };
    for wrong in [
        Shown { body: b"{\"a\":2}".to_vec(), ..origin.clone() },
        Shown { is_truncated: true, ..origin.clone() },
        Shown { id: "another-id==", ..origin.clone() },
        Shown { distribution: "E3EXAMPLE", ..origin.clone() },
        Shown { path: "/other", ..origin.clone() },
        forged("v1;1767225600000;whole;7;00;shop.example.com"),
        forged(&mark.replace("whole", "start")),
        forged(""),
        shown.clone().origin(None),
    ] {
        let reply: Value = serde_json::from_str(&stages.reply(&wrong.json()).await).unwrap();
        assert_eq!(reply["status"], "406", "inspected and blocked: {}", wrong.json());
    }
    let old = harness(Node::Blocks, &[("WLRM_MARK_KEYS", OTHER)]).await;
    assert!(old.reply(&origin.json()).await.contains("\"status\":\"406\""), "marked with an unknown key");
    let rotated = format!("{OTHER},{KEY}");
    let rotated = harness(Node::Blocks, &[("WLRM_MARK_KEYS", &rotated)]).await;
    assert_eq!((rotated.mark(&origin).await, rotated.calls()), (None, 0), "both keys are valid");
}

#[tokio::test]
async fn a_viewers_own_mark_is_removed() {
    for node in [Node::Allows, Node::Refuses] {
        let stages = harness(node, &[STAGES]).await;
        let forged = Shown { mark: Some("forged".to_owned()), ..Shown::viewer(b"") };
        assert_ne!(stages.mark(&forged).await.as_deref(), Some("forged"), "{node:?}");
        let exempt = [STAGES, ("WLRM_BYPASS_PATHS", "/api")];
        assert_eq!(harness(node, &exempt).await.mark(&forged).await, None, "exempt");
    }
    let misconfigured = harness(Node::Allows, &[STAGES, ("WLRM_RETRIES", "many")]).await;
    let marked = Shown::viewer(b"").origin(Some("of the viewer stage".to_owned()));
    assert_eq!(misconfigured.mark(&marked).await, None, "invalid parameters do not show it to the origin");
    let single = harness(Node::Allows, &[]).await;
    assert_eq!(
        single.reply(&marked.json()).await,
        part(&marked.json(), "request"),
        "one stage changes nothing"
    );
}

#[tokio::test]
async fn the_origin_stage_inspects_what_the_viewer_stage_could_not() {
    let viewer = harness(Node::Refuses, &[STAGES]).await;
    let shown = Shown::viewer(b"{\"a\":1}");
    let mark = viewer.mark(&shown).await;
    assert_eq!(mark, None);
    let origin = harness(Node::Allows, &[STAGES]).await;
    origin.mark(&shown.origin(mark)).await;
    assert_eq!(origin.calls(), 1);
    assert_eq!(viewer.connector.not_inspected()[0].reason, NotInspectedReason::NodeError);
}

#[tokio::test]
async fn out_of_band_one_copy_is_sent_of_a_whole_request() {
    let stages = harness(Node::Blocks, &[STAGES, ("WLRM_INLINE", "False")]).await;
    let shown = Shown::viewer(b"{\"a\":1}");
    let mark = stages.mark(&shown).await;
    stages.connector.after_reply().await;
    assert_eq!(stages.mark(&shown.clone().origin(mark)).await, None);
    stages.connector.after_reply().await;
    assert_eq!(stages.calls(), 1);

    let start = Shown { is_truncated: true, ..shown };
    let mark = stages.mark(&start).await;
    stages.connector.after_reply().await;
    stages.mark(&start.origin(mark)).await;
    stages.connector.after_reply().await;
    assert_eq!(stages.requests().iter().map(|it| &*it.host).collect::<Vec<_>>(), ["shop.example.com"; 3]);
}

#[tokio::test]
async fn exempt_requests_are_counted_once() {
    let stages = harness(Node::Allows, &[STAGES, ("WLRM_BYPASS_PATHS", "/api")]).await;
    let exempt = Shown::viewer(b"");
    let mark = stages.mark(&exempt).await;
    stages.mark(&exempt.clone().origin(mark)).await;
    stages.mark(&Shown { path: "/other", ..exempt }).await;
    assert_eq!(stages.requests()[0].connector.as_ref().unwrap().bypassed, Some(1));
}

#[tokio::test]
async fn a_truncated_body_is_left_to_the_origin_stage() {
    for (policy, at_origin) in [("block", "403"), ("pass", "forwarded"), ("auto", "forwarded")] {
        let stages = harness(Node::Allows, &[STAGES, ("WLRM_TRUNCATED_BODY", policy)]).await;
        let start = Shown { is_truncated: true, ..Shown::viewer(b"{\"a\":") };
        let mark = stages.mark(&start).await;
        assert!(mark.is_some(), "{policy}");
        let reply: Value = serde_json::from_str(&stages.reply(&start.origin(mark).json()).await).unwrap();
        assert_eq!(reply["status"].as_str().unwrap_or("forwarded"), at_origin, "{policy}");
    }
}

#[tokio::test]
async fn names_what_is_refused_of_a_truncated_body() {
    use TruncationPolicy::{Inspect, Padding, Text};
    let limited = ("WLRM_BODY_LIMIT", "4");
    for (parameters, at_viewer, at_origin) in [
        (&[][..], Padding, Text),
        (&[("WLRM_TRUNCATED_BODY", "inspect")][..], Inspect, Inspect),
        (&[("WLRM_INSPECT_BODY", "False")][..], Inspect, Inspect),
        (&[limited][..], Padding, Text),
    ] {
        let stage = harness(Node::Allows, parameters).await;
        let start = Shown { is_truncated: true, ..Shown::viewer(b"{\"a\":") };
        stage.reply(&start.json()).await;
        stage.reply(&start.origin(None).json()).await;
        let policies: Vec<_> =
            stage.requests().into_iter().map(|it| it.unseen_body.unwrap().policy).collect();
        assert_eq!(policies, [at_viewer, at_origin], "{parameters:?}");
    }
    let stage = harness(Node::Allows, &[limited]).await;
    stage.reply(&Shown::viewer(b"{\"a\":1}").origin(None).json()).await;
    let unseen = stage.requests()[0].unseen_body.clone().unwrap();
    assert_eq!((unseen.policy, unseen.bytes), (Padding, Some(5_242_876)), "longer than wlrm_body_limit only");
}

#[test]
fn both_stages_together_return_any_request_byte_for_byte() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let stages = runtime.block_on(harness(Node::Allows, &[STAGES]));
    let mut runner = TestRunner::new(Config::with_cases(64));
    let unchanged = runner.run(&super::handler::any_event(), |event| {
        let marked = runtime.block_on(stages.reply(&event));
        let calls = stages.calls();
        let at_origin =
            event.replace(part(&event, "request"), &marked).replace("viewer-request", "origin-request");
        prop_assert_eq!(runtime.block_on(stages.reply(&at_origin)), part(&event, "request"));
        let is_marked = marked.contains("x-wallarm-mark");
        prop_assert_eq!(stages.calls() - calls, usize::from(!is_marked));
        Ok(())
    });
    unchanged.unwrap();
}
