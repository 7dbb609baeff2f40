//! HTTP client for the node: keep-alive, one deadline for all attempts, validated replies.

mod connect_timeout;
mod tls;

use crate::{
    breaker::Breaker,
    parameters::{NodeAddress, NodeParameters},
};
use connect_timeout::ConnectTimeout;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Request, StatusCode,
    body::Bytes,
    header::{CONTENT_TYPE, USER_AGENT},
};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use serde::Serialize;
use shared::{
    Encoding, INSPECT_REQUEST_PATH, INSPECT_RESPONSE_PATH, InspectRequest, NotInspectedReason,
    ResponseReport, Verdict,
    call_signature::{CALL_SIGNATURE_HEADER, SignedCall, SigningKey},
    encoding::{DecodeError, EncodeError},
};
use std::{
    error::Error as _,
    fmt::Write as _,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::time::Instant;

/// Limit for replies; verdicts are smaller.
const MAX_REPLY_BYTES: usize = 2 * 1024 * 1024;
/// A function handles one event at a time.
const IDLE_CONNECTIONS: usize = 1;

/// Calls the node at the first of its addresses that responds.
pub struct NodeClient {
    http: Client<ConnectTimeout<HttpsConnector<HttpConnector>>, Full<Bytes>>,
    parameters: NodeParameters,
    breaker: Breaker,
}

/// Why a call had no usable reply.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    #[error("circuit breaker is open after failed calls")]
    BreakerOpen,
    #[error("no reply within {} ms", .0.as_millis())]
    Deadline(Duration),
    #[error("{}", with_causes(.0))]
    Connection(#[source] hyper_util::client::legacy::Error),
    #[error("connection closed before the whole reply arrived: {0}")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the node replied with status {0}")]
    Status(StatusCode),
    #[error("{0}")]
    Reply(#[from] DecodeError),
    #[error("the verdict is for another request")]
    ForeignVerdict,
    #[error("{0}")]
    Encode(#[from] EncodeError),
}

/// An encoded message, which can be sent to any address any number of times.
struct Call<'a> {
    path: &'static str,
    body: Bytes,
    expected: StatusCode,
    key: Option<&'a SigningKey>,
}

impl NodeClient {
    pub fn new(parameters: NodeParameters) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let tls = HttpsConnectorBuilder::new().with_tls_config(tls::config(&parameters.trust));
        let connector = tls.https_or_http().enable_http1().wrap_connector(tcp);
        let limit = parameters.connect_timeout.unwrap_or(Duration::MAX);
        let http = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(parameters.keep_alive)
            .pool_max_idle_per_host(if parameters.keep_alive.is_some() { IDLE_CONNECTIONS } else { 0 })
            .build(ConnectTimeout { connector, limit });
        let breaker = Breaker::new(parameters.breaker);
        Self { http, parameters, breaker }
    }

    /// Requests a verdict.
    pub async fn inspect(&self, request: &InspectRequest, deadline: Duration) -> Result<Verdict, CallError> {
        let read = |reply: Bytes| {
            let verdict: Verdict = Encoding::MessagePack.decode(&reply)?;
            let is_ours = Some(verdict.request_id) == request.request_id;
            if is_ours { Ok(verdict) } else { Err(CallError::ForeignVerdict) }
        };
        self.call(INSPECT_REQUEST_PATH, request, StatusCode::OK, deadline, read).await
    }

    /// Sends an out-of-band copy.
    pub async fn copy(&self, request: &InspectRequest, deadline: Duration) -> Result<(), CallError> {
        self.call(INSPECT_REQUEST_PATH, request, StatusCode::ACCEPTED, deadline, |_| Ok(())).await
    }

    pub async fn report(&self, report: &ResponseReport, deadline: Duration) -> Result<(), CallError> {
        self.call(INSPECT_RESPONSE_PATH, report, StatusCode::ACCEPTED, deadline, |_| Ok(())).await
    }

    async fn call<T>(
        &self,
        path: &'static str,
        message: &impl Serialize,
        expected: StatusCode,
        deadline: Duration,
        read: impl Fn(Bytes) -> Result<T, CallError>,
    ) -> Result<T, CallError> {
        if !self.breaker.allows(Instant::now().into_std()) {
            return Err(CallError::BreakerOpen);
        }
        let body = Encoding::MessagePack.encode(message)?.into();
        let call = Call { path, body, expected, key: self.parameters.signing_key.as_ref() };
        let result = self.try_addresses(&call, deadline, read).await;
        match &result {
            Ok(_) => self.breaker.succeeded(),
            Err(_) => self.breaker.failed(Instant::now().into_std()),
        }
        result
    }

    /// Tries the addresses in order, and again for each retry. An unreachable address may use only
    /// its share of the remaining time.
    async fn try_addresses<T>(
        &self,
        call: &Call<'_>,
        deadline: Duration,
        read: impl Fn(Bytes) -> Result<T, CallError>,
    ) -> Result<T, CallError> {
        let NodeParameters { addresses, retries, .. } = &self.parameters;
        let end = Instant::now() + deadline;
        let rounds = retries.saturating_add(1);
        let mut tries_left = u32::try_from(addresses.len()).unwrap_or(u32::MAX).saturating_mul(rounds);
        let mut last_error = CallError::Deadline(deadline);
        for address in (0..rounds).flat_map(|_| addresses) {
            let share = end.saturating_duration_since(Instant::now()) / tries_left.max(1);
            tries_left -= 1;
            if share.is_zero() {
                break;
            }
            match tokio::time::timeout(share, self.exchange(address, call)).await {
                Ok(reply) => match reply.and_then(&read) {
                    Ok(response) => return Ok(response),
                    Err(error) => last_error = error,
                },
                Err(_) => last_error = CallError::Deadline(share),
            }
        }
        Err(last_error)
    }

    async fn exchange(&self, address: &NodeAddress, call: &Call<'_>) -> Result<Bytes, CallError> {
        match self.send(address, call).await {
            // The idle connection may have been closed while the environment was frozen. A request
            // that arrives twice is recognized by its id.
            Err(CallError::Connection(cause)) if !cause.is_connect() => self.send(address, call).await,
            result => result,
        }
    }

    async fn send(&self, address: &NodeAddress, call: &Call<'_>) -> Result<Bytes, CallError> {
        let mut request = Request::post(address.endpoint(call.path))
            .header(CONTENT_TYPE, Encoding::MessagePack.content_type())
            .header(USER_AGENT, concat!("wallarm-cloudfront/", env!("CARGO_PKG_VERSION")));
        if let Some(key) = call.key {
            request = request.header(CALL_SIGNATURE_HEADER, call.signature(key));
        }
        let request =
            request.body(Full::from(call.body.clone())).expect("the parts are valid by construction");
        let reply = self.http.request(request).await.map_err(CallError::Connection)?;
        let status = reply.status();
        // An unexpected reply is read, too, so that the connection can be reused.
        let body =
            Limited::new(reply.into_body(), MAX_REPLY_BYTES).collect().await.map_err(CallError::Broken)?;
        if status == call.expected { Ok(body.to_bytes()) } else { Err(CallError::Status(status)) }
    }
}

impl CallError {
    pub fn reason(&self) -> NotInspectedReason {
        match self {
            Self::BreakerOpen => NotInspectedReason::BreakerOpen,
            Self::Deadline(_) => NotInspectedReason::NodeTimeout,
            Self::Connection(_) => NotInspectedReason::NodeUnreachable,
            Self::Status(_) => NotInspectedReason::NodeError,
            Self::Broken(_) | Self::Reply(_) | Self::ForeignVerdict => NotInspectedReason::NodeReply,
            Self::Encode(_) => NotInspectedReason::Internal,
        }
    }
}

impl Call<'_> {
    /// A nonce is valid for one attempt.
    fn signature(&self, key: &SigningKey) -> String {
        let call = SignedCall {
            method: "POST",
            path_and_query: self.path,
            content_type: Encoding::MessagePack.content_type(),
            body: &self.body,
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let nonce = uuid::Uuid::new_v4().into_bytes();
        key.sign(call, u64::try_from(now.as_millis()).unwrap_or(u64::MAX), nonce)
    }
}

/// hyper's top-level text, such as "client error (Connect)", does not name the cause.
fn with_causes(error: &hyper_util::client::legacy::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}
