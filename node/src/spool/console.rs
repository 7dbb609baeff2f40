//! The console, as the node sees it: takes batches, says what became of them.

use crate::{
    config::ConsoleConfig,
    http_client::{self, HttpClient},
};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Request, StatusCode, Uri,
    header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER},
};
use shared::{INGEST_PATH, IngestBatch, IngestReply};
use std::{error::Error, time::Duration};

const TIMEOUT: Duration = Duration::from_secs(15);
const MAX_REPLY_BYTES: usize = 1024 * 1024;

pub(super) struct Console {
    http: HttpClient,
    endpoint: Uri,
    authorization: String,
}

/// Why a batch was not settled.
#[derive(Debug, thiserror::Error)]
pub(super) enum IngestError {
    /// To be tried again as it is.
    #[error("the console is not there: {0}")]
    Unreachable(Box<dyn Error + Send + Sync>),
    #[error("the console is busy ({status})")]
    Busy { status: StatusCode, retry_after: Option<Duration> },
    /// Trying again as it is would not help: something in the batch is the cause, or its size.
    #[error("the console refuses the batch ({status}): {detail}")]
    Refused { status: StatusCode, detail: String },
    #[error("the console does not accept the node's token ({0})")]
    Token(StatusCode),
}

impl Console {
    pub(super) fn new(config: &ConsoleConfig) -> Result<Self, hyper::http::uri::InvalidUri> {
        Ok(Self {
            http: http_client::new(),
            endpoint: format!("{}{INGEST_PATH}", config.url).parse()?,
            authorization: format!("Bearer {}", config.token.expose()),
        })
    }

    pub(super) async fn ingest(&self, batch: &IngestBatch) -> Result<IngestReply, IngestError> {
        let exchange = tokio::time::timeout(TIMEOUT, self.exchange(batch));
        exchange.await.map_err(|_| IngestError::Unreachable("no answer".into()))?
    }

    async fn exchange(&self, batch: &IngestBatch) -> Result<IngestReply, IngestError> {
        let body = serde_json::to_vec(batch).map_err(|error| IngestError::Unreachable(error.into()))?;
        let request = Request::post(&self.endpoint)
            .header(CONTENT_TYPE, "application/json")
            .header(AUTHORIZATION, &self.authorization)
            .body(Full::from(body))
            .map_err(|error| IngestError::Unreachable(error.into()))?;
        let reply =
            self.http.request(request).await.map_err(|error| IngestError::Unreachable(error.into()))?;
        let (head, body) = reply.into_parts();
        let body =
            Limited::new(body, MAX_REPLY_BYTES).collect().await.map_err(IngestError::Unreachable)?.to_bytes();
        match head.status {
            StatusCode::OK => {
                serde_json::from_slice(&body).map_err(|error| IngestError::Unreachable(error.into()))
            }
            status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => Err(IngestError::Token(status)),
            status if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() => {
                let seconds =
                    head.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
                Err(IngestError::Busy { status, retry_after: seconds.map(Duration::from_secs) })
            }
            status => Err(IngestError::Refused {
                status,
                detail: String::from_utf8_lossy(&body).chars().take(500).collect(),
            }),
        }
    }
}
