//! Inputs of the connector: events of CloudFront, marks of the viewer stage, verdicts of a node,
//! configurations of a user.

use connector::{
    Connector,
    block_page::{self, Visitor},
    bundle,
    cloudfront::{Event, Headers},
    mark::{MarkKeys, Seen},
    parameters::{BlockParameters, FunctionKind},
};
use serde_json::{Map, Value, value::RawValue};
use shared::{Encoding, NotInspectedReason, RequestId, Trigger, Verdict};
use std::sync::{Arc, OnceLock};
use tokio::runtime::{Builder, Runtime};

/// Quota of CloudFront for a response generated at a viewer trigger.
const MAX_VIEWER_BYTES: usize = 40 << 10;
/// The time of the seeds of marks.
const NOW_UNIX_MS: u64 = 1_767_225_600_000;

/// An event, at a function without a node. It passes unchanged, and no panic is behind that.
pub fn connector_event(data: &[u8]) -> bool {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    let Ok(raw) = serde_json::from_slice::<Box<RawValue>>(data) else { return false };
    let is_request = Event::parse(&raw).is_ok_and(|event| event.is_request() && event.request().is_ok());
    let runtime =
        RUNTIME.get_or_init(|| Builder::new_current_thread().enable_all().build().expect("a runtime"));
    runtime.block_on(async {
        let connector = Arc::new(Connector::logging_to(|_| {}, parameter));
        let reply = connector.clone().handle(raw.clone()).await;
        connector.after_reply().await;
        let panicked = |reason: &NotInspectedReason| *reason == NotInspectedReason::Internal;
        assert!(!connector.not_inspected().iter().any(|request| panicked(&request.reason)));
        if let Ok(reply) = reply {
            let reply = serde_json::to_string(&reply).expect("a reply is JSON");
            assert!(raw.get().contains(&reply), "the event is changed: {reply}");
        }
    });
    is_request
}

/// Out of band, to a port that nothing listens on: the message is built, and not delivered.
fn parameter(name: &str) -> Option<String> {
    let value = match name {
        "WLRM_FUNCTION" => "request",
        "WLRM_NODE_ADDR" => "http://127.0.0.1:1",
        "WLRM_INLINE" => "False",
        _ => return None,
    };
    Some(value.to_owned())
}

/// The first line is the mark of a request, the rest its body. Only the mark that was signed is valid.
pub fn mark(data: &[u8]) -> bool {
    let text = String::from_utf8_lossy(data);
    let (header, body) = text.split_once('\n').unwrap_or((&text, ""));
    let keys = MarkKeys::new(&["the-key-of-the-fuzz-target-of-marks"]).expect("a key");
    let seen = Seen {
        distribution_id: "E2EXAMPLE",
        edge_request_id: "an-id==",
        method: "POST",
        path: "/api",
        query: "a=1",
        body: body.as_bytes(),
        is_truncated: false,
    };
    let Ok(mark) = keys.verify(header, &seen, NOW_UNIX_MS) else { return false };
    let number = |index| header.split(';').nth(index).and_then(|field| field.parse::<u64>().ok());
    let (unix_ms, bytes) = (number(1).expect("a time"), number(3).expect("a length"));
    let inspected = &body.as_bytes()[..usize::try_from(bytes).expect("a length of the body")];
    assert!(!mark.is_whole || inspected.len() == body.len());
    let signed =
        keys.sign(&Seen { body: inspected, is_truncated: !mark.is_whole, ..seen }, &mark.host, unix_ms);
    assert_eq!(signed.as_deref(), Some(header));
    true
}

/// A node's verdict, and the response that CloudFront gets of it.
pub fn verdict(data: &[u8]) -> bool {
    let Ok(verdict) = Encoding::MessagePack.decode::<Verdict>(data).or_else(|_| Encoding::Json.decode(data))
    else {
        return false;
    };
    let request_id = RequestId::derive("distribution", "request");
    let visitor = Visitor::of(&Headers::default());
    let trigger = Trigger::ViewerRequest;
    let is_block = verdict.block.is_some();
    let response =
        block_page::response(&BlockParameters::default(), verdict.block, &visitor, &trigger, request_id);
    assert!(matches!(response.status.as_bytes(), [b'4' | b'5', _, _]), "{}", response.status);
    assert!(response.bytes() <= MAX_VIEWER_BYTES);
    for (name, value) in &response.headers.0 {
        assert!(!["set-cookie", "location", "host", "content-length"].contains(&name.as_str()), "{name}");
        assert!(!value.contains(['\r', '\n']), "{name}: {value:?}");
    }
    is_block
}

/// Parameters for a bundle, as a JSON object; or a bundle whose parameters another one takes over.
pub fn configure(data: &[u8]) -> bool {
    static BUNDLE: OnceLock<Vec<u8>> = OnceLock::new();
    let new = BUNDLE.get_or_init(|| {
        bundle::bundle(FunctionKind::Request, b"program", &[], bundle::Compression::Fast).expect("a bundle")
    });
    if let Ok((zip, _)) = bundle::carry_over(data, new) {
        let (again, _) = bundle::carry_over(&zip, new).expect("a bundle made here can be read");
        assert!(again == zip);
        return true;
    }
    let Ok(values) = serde_json::from_slice::<Map<String, Value>>(data) else { return false };
    let Ok(zip) = bundle::configure(new, FunctionKind::Request, &values) else { return false };
    let again = bundle::configure(&zip, FunctionKind::Request, &values).expect("the values stay valid");
    assert!(again == zip);
    true
}
