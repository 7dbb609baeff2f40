//! The client of the console's ingestion endpoint.

use crate::{
    config::ConsoleConfig,
    http_client::{self, HttpClient},
};
use flate2::{Compression, write::GzEncoder};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Request, StatusCode, Uri,
    body::Bytes,
    header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER},
};
use shared::{INGEST_PATH, IngestBatch, IngestReply};
use std::{
    error::Error,
    io::{self, Write as _},
    time::Duration,
};

const TIMEOUT: Duration = Duration::from_secs(15);
const MAX_REPLY_BYTES: usize = 1024 * 1024;

pub(super) struct Console {
    http: HttpClient,
    endpoint: Uri,
    authorization: String,
}

/// Why a batch is not settled.
#[derive(Debug, thiserror::Error)]
pub(super) enum IngestError {
    /// Retry unchanged.
    #[error("cannot reach the console: {0}")]
    Unreachable(Box<dyn Error + Send + Sync>),
    #[error("the console is busy (status {status})")]
    Busy { status: StatusCode, retry_after: Option<Duration> },
    /// An unchanged retry would fail: a record or the size is the cause.
    #[error("the console rejects the batch (status {status}): {detail}")]
    Rejected { status: StatusCode, detail: String },
    #[error("the console rejects the node's token (status {0}); check console.token_file")]
    Token(StatusCode),
    /// E.g. a wrong URL. The records are not the cause, so they wait.
    #[error("console.url does not serve a console of this version (status {status}): {detail}")]
    Unexpected { status: StatusCode, detail: String },
}

impl Console {
    pub(super) fn new(config: &ConsoleConfig) -> Result<Self, hyper::http::uri::InvalidUri> {
        Ok(Self {
            http: http_client::new(),
            endpoint: format!("{}{INGEST_PATH}", config.url).parse()?,
            authorization: format!("Bearer {}", config.token.expose()),
        })
    }

    pub(super) async fn ingest(&self, body: Bytes) -> Result<IngestReply, IngestError> {
        let exchange = tokio::time::timeout(TIMEOUT, self.exchange(body));
        exchange.await.map_err(|_| IngestError::Unreachable("no response in time".into()))?
    }

    async fn exchange(&self, body: Bytes) -> Result<IngestReply, IngestError> {
        let request = Request::post(&self.endpoint)
            .header(CONTENT_TYPE, "application/json")
            .header(CONTENT_ENCODING, "gzip")
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
            status => {
                let detail = String::from_utf8_lossy(&body).chars().take(500).collect();
                Err(match status {
                    StatusCode::BAD_REQUEST
                    | StatusCode::PAYLOAD_TOO_LARGE
                    | StatusCode::UNPROCESSABLE_ENTITY => IngestError::Rejected { status, detail },
                    _ => IngestError::Unexpected { status, detail },
                })
            }
        }
    }
}

/// The body of a delivery.
pub(super) fn compress(batch: &IngestBatch) -> io::Result<Bytes> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(&serde_json::to_vec(batch)?)?;
    Ok(gzip.finish()?.into())
}
