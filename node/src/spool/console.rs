//! The client of the console's ingestion endpoint.

use crate::{
    config::ConsoleConfig,
    console_client::{ConsoleClient, Unreachable},
};
use flate2::{Compression, write::GzEncoder};
use hyper::{
    Method, StatusCode,
    body::Bytes,
    header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, RETRY_AFTER},
};
use shared::{INGEST_PATH, IngestBatch, IngestReply};
use std::{
    io::{self, Write as _},
    time::Duration,
};

const TIMEOUT: Duration = Duration::from_secs(15);
const MAX_REPLY_BYTES: usize = 1024 * 1024;

pub(super) struct Console(ConsoleClient);

/// Why a batch is not settled.
#[derive(Debug, thiserror::Error)]
pub(super) enum IngestError {
    /// Retry unchanged.
    #[error(transparent)]
    Unreachable(#[from] Unreachable),
    #[error("the console is busy (status {status})")]
    Busy { status: StatusCode, retry_after: Option<Duration> },
    /// An unchanged retry would fail: a record or the size is the cause.
    #[error("the console rejects the batch (status {status}): {detail}")]
    Rejected { status: StatusCode, detail: String },
    #[error("the console rejects the node's token (status {status}): {detail}; check console.token_file")]
    Token { status: StatusCode, detail: String },
    /// E.g. a wrong URL. The records are not the cause, so they wait.
    #[error("console.url does not serve a console of this version (status {status}): {detail}")]
    Unexpected { status: StatusCode, detail: String },
}

impl Console {
    pub(super) fn new(config: &ConsoleConfig) -> anyhow::Result<Self> {
        ConsoleClient::new(config, INGEST_PATH).map(Self)
    }

    pub(super) async fn ingest(&self, body: Bytes) -> Result<IngestReply, IngestError> {
        let headers = [(CONTENT_TYPE, "application/json"), (CONTENT_ENCODING, "gzip")];
        let headers = headers.map(|(name, value)| (name, HeaderValue::from_static(value)));
        let (head, body) =
            self.0.send(Method::POST, headers, body, (TIMEOUT, MAX_REPLY_BYTES)).await?.into_parts();
        match head.status {
            StatusCode::OK => Ok(serde_json::from_slice(&body).map_err(|cause| Unreachable(cause.into()))?),
            status if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() => {
                let seconds =
                    head.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
                Err(IngestError::Busy { status, retry_after: seconds.map(Duration::from_secs) })
            }
            status => {
                let detail = String::from_utf8_lossy(&body).chars().take(500).collect();
                Err(match status {
                    StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => IngestError::Token { status, detail },
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
