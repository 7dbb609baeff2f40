//! The Runtime API (2018-06-01) of one environment: turns HTTP calls into [`Call`]s for its driver.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

use crate::http1::{Limits, Request, Response, Server};

const BASE: &str = "/2018-06-01/runtime/";

/// Lambda quotas, "Function configuration, deployment, and execution": 6 MB for a synchronous
/// response.
const MAX_RESPONSE: usize = 6 * 1024 * 1024;

/// A call of the runtime, which waits until `reply` is used.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) kind: CallKind,
    pub(super) body: Vec<u8>,
    pub(super) reply: oneshot::Sender<Response>,
}

#[derive(Debug)]
pub(super) enum CallKind {
    Next { user_agent: String },
    Response { id: String },
    Error { id: String },
    InitError,
}

/// Each environment has a listener of its own, as on Lambda.
#[derive(Debug)]
pub(super) struct RuntimeApi {
    server: Server,
}

impl RuntimeApi {
    pub(super) async fn start() -> io::Result<(Self, mpsc::UnboundedReceiver<Call>)> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (calls, received) = mpsc::unbounded_channel();
        // A frozen runtime is idle for hours.
        let day = Duration::from_hours(24);
        let limits = Limits { idle: day, read: day, ..Limits::default() };
        let server = Server::start(listener, limits, move |request, _| handle(request, calls.clone()))?;
        Ok((Self { server }, received))
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.server.address()
    }
}

async fn handle(request: Request, calls: mpsc::UnboundedSender<Call>) -> Response {
    let Some(kind) = recognize(&request) else {
        return refusal(404, "NotFound", "unknown Runtime API call");
    };
    if matches!(kind, CallKind::Response { .. }) && request.body.len() > MAX_RESPONSE {
        return refusal(413, "RequestEntityTooLarge", "the response is larger than 6 MB");
    }
    let (reply, replied) = oneshot::channel();
    // A closed channel means that the environment, and its connection, are being torn down.
    let _ = calls.send(Call { kind, body: request.body, reply });
    replied.await.unwrap_or_else(|_| refusal(500, "Shutdown", "the environment is ending"))
}

fn recognize(request: &Request) -> Option<CallKind> {
    let path = std::str::from_utf8(&request.target).ok()?.strip_prefix(BASE)?;
    let parts: Vec<_> = path.split('/').collect();
    match (request.method.as_str(), parts.as_slice()) {
        ("GET", ["invocation", "next"]) => {
            let user_agent = request.headers.text("user-agent").unwrap_or_default();
            Some(CallKind::Next { user_agent })
        }
        ("POST", ["invocation", id, "response"]) => Some(CallKind::Response { id: (*id).to_owned() }),
        ("POST", ["invocation", id, "error"]) => Some(CallKind::Error { id: (*id).to_owned() }),
        ("POST", ["init", "error"]) => Some(CallKind::InitError),
        _ => None,
    }
}

pub(super) fn accepted() -> Response {
    Response::json(202, &json!({ "status": "OK" }))
}

pub(super) fn refusal(status: u16, kind: &str, message: &str) -> Response {
    Response::json(status, &json!({ "errorType": kind, "errorMessage": message }))
}
