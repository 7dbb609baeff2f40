//! Calls to the node: one kept-alive connection, a deadline over everything, and no trust in what comes back.

use crate::parameters::NodeAddress;
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
    Encoding, INSPECT_REQUEST_PATH, INSPECT_RESPONSE_PATH, InspectRequest, ResponseReport, Verdict,
    encoding::{DecodeError, EncodeError},
};
use std::{error::Error as _, fmt::Write as _, time::Duration};

/// A verdict is small; more than this is not one.
const MAX_REPLY_BYTES: usize = 2 * 1024 * 1024;
/// One event at a time needs one connection.
const IDLE_CONNECTIONS: usize = 1;
/// A frozen environment may wake up with a connection the node gave up long ago.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// Speaks to one node.
pub struct NodeClient {
    http: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    address: NodeAddress,
    deadline: Duration,
}

/// Why a call brought no usable answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    #[error("no answer within {} ms", .0.as_millis())]
    Deadline(Duration),
    #[error("{}", with_causes(.0))]
    Connection(#[source] hyper_util::client::legacy::Error),
    #[error("the answer broke off: {0}")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the node answered {0}")]
    Status(StatusCode),
    #[error("{0}")]
    Reply(#[from] DecodeError),
    #[error("the verdict is for another request")]
    ForeignVerdict,
    #[error("{0}")]
    Encode(#[from] EncodeError),
}

impl NodeClient {
    pub fn new(address: NodeAddress, deadline: Duration) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let tls = HttpsConnectorBuilder::new()
            .with_webpki_roots()
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let http = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .build(tls);
        Self { http, address, deadline }
    }

    /// Asks for a verdict.
    pub async fn inspect(&self, request: &InspectRequest) -> Result<Verdict, CallError> {
        let reply = self.call(INSPECT_REQUEST_PATH, request, StatusCode::OK).await?;
        let verdict: Verdict = Encoding::MessagePack.decode(&reply)?;
        if Some(verdict.request_id) == request.request_id {
            Ok(verdict)
        } else {
            Err(CallError::ForeignVerdict)
        }
    }

    /// Hands over a copy nobody waits for.
    pub async fn copy(&self, request: &InspectRequest) -> Result<(), CallError> {
        self.call(INSPECT_REQUEST_PATH, request, StatusCode::ACCEPTED).await.map(drop)
    }

    pub async fn report(&self, report: &ResponseReport) -> Result<(), CallError> {
        self.call(INSPECT_RESPONSE_PATH, report, StatusCode::ACCEPTED).await.map(drop)
    }

    async fn call(
        &self,
        path: &'static str,
        message: &impl Serialize,
        expected: StatusCode,
    ) -> Result<Bytes, CallError> {
        let body = Bytes::from(Encoding::MessagePack.encode(message)?);
        let exchange = async {
            match self.exchange(path, body.clone(), expected).await {
                // The kept connection had gone stale, maybe while the environment was frozen. The node knows a request
                // it gets twice by its id.
                Err(CallError::Connection(cause)) if !cause.is_connect() => {
                    self.exchange(path, body.clone(), expected).await
                }
                result => result,
            }
        };
        tokio::time::timeout(self.deadline, exchange).await.map_err(|_| CallError::Deadline(self.deadline))?
    }

    async fn exchange(
        &self,
        path: &'static str,
        body: Bytes,
        expected: StatusCode,
    ) -> Result<Bytes, CallError> {
        let request = Request::post(self.address.endpoint(path))
            .header(CONTENT_TYPE, Encoding::MessagePack.content_type())
            .header(USER_AGENT, concat!("wallarm-cloudfront/", env!("CARGO_PKG_VERSION")))
            .body(Full::from(body))
            .expect("the parts of the request are valid by construction");
        let reply = self.http.request(request).await.map_err(CallError::Connection)?;
        let status = reply.status();
        // Read also what is not wanted, so that the connection can be used again.
        let body =
            Limited::new(reply.into_body(), MAX_REPLY_BYTES).collect().await.map_err(CallError::Broken)?;
        if status == expected { Ok(body.to_bytes()) } else { Err(CallError::Status(status)) }
    }
}

/// hyper's top-level text alone ("client error (Connect)") helps nobody.
fn with_causes(error: &hyper_util::client::legacy::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}
