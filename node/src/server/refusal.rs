//! Why a call was refused, as the caller sees it.

use axum::{
    body::Bytes,
    extract::rejection::BytesRejection,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::de::DeserializeOwned;
use shared::{Encoding, Problem, encoding::DecodeError, signature::SignatureError};

#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("{0}")]
    Malformed(#[from] DecodeError),
    #[error("the Content-Type must be application/json or application/msgpack")]
    MediaType,
    #[error("a message may have at most {} bytes", super::MAX_MESSAGE_BYTES)]
    TooLarge,
    #[error("the body broke off")]
    BrokenOff,
    #[error("there is nothing at this path")]
    NotFound,
    #[error("the call needs `Authorization: Bearer` with the admin token of the configuration")]
    Unauthorized,
    #[error("{0}")]
    Signature(SignatureError),
    #[error("the call has been made before: its nonce is known")]
    Replayed,
    #[error("the host of the request is not one of connector.allowed_hosts")]
    Host,
    #[error("the message could not be stored")]
    Unavailable,
}

impl Refusal {
    /// The status, and the label it is counted under.
    fn kind(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Malformed(_) => (StatusCode::BAD_REQUEST, "MsgDataFormat"),
            Self::MediaType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "media_type"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
            Self::BrokenOff => (StatusCode::BAD_REQUEST, "ReqBodyReading"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized"),
            Self::Signature(_) | Self::Replayed => (StatusCode::UNAUTHORIZED, "signature"),
            Self::Host => (StatusCode::FORBIDDEN, "host"),
            Self::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "spool"),
        }
    }

    pub(super) fn label(&self) -> &'static str {
        self.kind().1
    }
}

impl From<BytesRejection> for Refusal {
    fn from(rejection: BytesRejection) -> Self {
        match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Self::TooLarge,
            _ => Self::BrokenOff,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, _) = self.kind();
        let title = status.canonical_reason().unwrap_or_default();
        let problem = Problem::new(status.as_u16(), title, self.to_string());
        (status, [(header::CONTENT_TYPE, Problem::CONTENT_TYPE)], problem.to_json()).into_response()
    }
}

/// Reads a message in the encoding its `Content-Type` names.
pub(super) fn message<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<(T, Encoding), Refusal> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let encoding = content_type.and_then(Encoding::from_content_type).ok_or(Refusal::MediaType)?;
    Ok((encoding.decode(&body?)?, encoding))
}
