//! A fake node: replies as configured and records the calls.

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::IntoResponse,
    routing::post,
};
use shared::{
    Action, BlockResponse, DecidedBy, Encoding, InspectRequest, Mode, Reason, RequestId, ResponseReport,
    Verdict, call_signature::CALL_SIGNATURE_HEADER,
};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

/// How the node behaves.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(crate) enum Node {
    #[default]
    Allows,
    Blocks,
    /// Would block, but only monitors.
    Monitors,
    /// Allows after 300 ms.
    Slow,
    Hangs,
    Refuses,
    /// 503 to the first request, then a verdict.
    RefusesOnce,
    RepliesGarbage,
    RepliesForAnother,
}

/// The calls received.
#[derive(Default)]
pub(crate) struct Received {
    pub requests: Vec<InspectRequest>,
    /// Call signatures, each with the signed body.
    pub signatures: Vec<(String, Bytes)>,
    pub reports: Vec<ResponseReport>,
}

pub(crate) type NodeState = (Arc<Mutex<Node>>, Arc<Mutex<Received>>);

pub(crate) fn router(state: NodeState) -> Router {
    Router::new()
        .route(shared::INSPECT_REQUEST_PATH, post(inspect))
        .route(shared::INSPECT_RESPONSE_PATH, post(report))
        .with_state(state)
}

async fn inspect(
    State((node, received)): State<NodeState>,
    headers: HeaderMap,
    body: Bytes,
) -> impl IntoResponse {
    if let Some(signature) = headers.get(CALL_SIGNATURE_HEADER) {
        let signature = signature.to_str().unwrap().to_owned();
        received.lock().unwrap().signatures.push((signature, body.clone()));
    }
    let request: InspectRequest = Encoding::MessagePack.decode(&body).unwrap();
    let behavior = *node.lock().unwrap();
    let out_of_band = request.delivery == shared::Delivery::OutOfBand;
    let mut verdict = verdict(request.request_id.unwrap(), behavior);
    if behavior == Node::Hangs {
        tokio::time::sleep(Duration::from_mins(1)).await;
    }
    if behavior == Node::Slow {
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    received.lock().unwrap().requests.push(request);
    if behavior == Node::RepliesForAnother {
        verdict.request_id = RequestId::derive("E2OTHER", "x");
    }
    if behavior == Node::RefusesOnce {
        *node.lock().unwrap() = Node::Allows;
    }
    match behavior {
        Node::Refuses | Node::RefusesOnce => (StatusCode::SERVICE_UNAVAILABLE, Vec::new()),
        Node::RepliesGarbage => (StatusCode::OK, b"<html>".to_vec()),
        _ if out_of_band => (StatusCode::ACCEPTED, Vec::new()),
        _ => (StatusCode::OK, Encoding::MessagePack.encode(&verdict).unwrap()),
    }
}

async fn report(State((node, received)): State<NodeState>, headers: HeaderMap, body: Bytes) -> StatusCode {
    if let Some(signature) = headers.get(CALL_SIGNATURE_HEADER) {
        let signature = signature.to_str().unwrap().to_owned();
        received.lock().unwrap().signatures.push((signature, body.clone()));
    }
    received.lock().unwrap().reports.push(Encoding::MessagePack.decode(&body).unwrap());
    let behavior = *node.lock().unwrap();
    match behavior {
        Node::Refuses => return StatusCode::SERVICE_UNAVAILABLE,
        Node::RefusesOnce => {
            *node.lock().unwrap() = Node::Allows;
            return StatusCode::SERVICE_UNAVAILABLE;
        }
        Node::Slow => tokio::time::sleep(Duration::from_millis(300)).await,
        _ => {}
    }
    StatusCode::ACCEPTED
}

fn verdict(request_id: RequestId, node: Node) -> Verdict {
    let blocks = node == Node::Blocks;
    let would_block = blocks || node == Node::Monitors;
    Verdict {
        request_id,
        action: if blocks { Action::Block } else { Action::Allow },
        reason: blocks.then_some(Reason::Attack),
        mode: Mode::Block,
        mode_source: "config".into(),
        would_block,
        decided_by: DecidedBy::default(),
        attack_types: Vec::new(),
        analysis_micros: 1,
        body_truncated: false,
        block: blocks.then(|| BlockResponse {
            status: 406,
            headers: vec![("Content-Type".into(), "text/plain".into())],
            body: "stopped".into(),
        }),
    }
}
