//! Why a call was refused, as the caller sees it.

use crate::admission::Overloaded;
use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::de::DeserializeOwned;
use shared::{Encoding, Problem, call_signature::CallSignatureError, encoding::DecodeError};

const MAX_DETAIL_BYTES: usize = 500;

#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("{0}")]
    Malformed(#[from] DecodeError),
    #[error("the Content-Type must be application/json or application/msgpack")]
    MediaType,
    #[error("a message may have at most {0} bytes")]
    TooLarge(usize),
    #[error("the body broke off")]
    BrokenOff,
    #[error("the body did not come in time")]
    TooSlow,
    #[error("there is nothing at this path")]
    NotFound,
    #[error("the call needs `Authorization: Bearer` with the admin token of the configuration")]
    Unauthorized,
    #[error("{0}")]
    Signature(CallSignatureError),
    #[error("the call has been made before: its nonce is known")]
    Replayed,
    #[error("calls from this address are not allowed, see connector.allowed_networks")]
    Network,
    #[error("the answer took longer than connector.app_reply_timeout")]
    TooLate(StatusCode),
    #[error("the host of the request is not one of connector.allowed_hosts")]
    Host,
    #[error("the message could not be stored")]
    Unavailable,
    #[error("the messages under way leave no room for this one")]
    NoRoom,
    #[error(transparent)]
    Overloaded(#[from] Overloaded),
    #[error("the message could not be analysed")]
    Internal,
}

impl Refusal {
    /// The status, and the label it is counted under.
    fn kind(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Malformed(_) => (StatusCode::BAD_REQUEST, "MsgDataFormat"),
            Self::MediaType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "media_type"),
            Self::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
            Self::BrokenOff => (StatusCode::BAD_REQUEST, "ReqBodyReading"),
            Self::TooSlow => (StatusCode::REQUEST_TIMEOUT, "too_slow"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized"),
            Self::Signature(_) | Self::Replayed => (StatusCode::UNAUTHORIZED, "signature"),
            Self::Network => (StatusCode::FORBIDDEN, "remote_address"),
            Self::TooLate(status) => (*status, "reply_timeout"),
            Self::Host => (StatusCode::FORBIDDEN, "host"),
            Self::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "spool"),
            Self::NoRoom => (StatusCode::SERVICE_UNAVAILABLE, "no_room"),
            Self::Overloaded(_) => (StatusCode::SERVICE_UNAVAILABLE, "overload"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        }
    }

    pub(super) fn label(&self) -> &'static str {
        self.kind().1
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, _) = self.kind();
        let title = status.canonical_reason().unwrap_or_default();
        let mut detail = self.to_string();
        // What is wrong may quote the message, which is as long as its sender likes.
        detail.truncate(detail.floor_char_boundary(MAX_DETAIL_BYTES));
        let problem = Problem::new(status.as_u16(), title, detail);
        let mut response =
            (status, [(header::CONTENT_TYPE, Problem::CONTENT_TYPE)], problem.to_json()).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            // In seconds; what is in the way takes less.
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

/// Reads a message in the encoding its `Content-Type` names.
pub(super) fn message<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(T, Encoding), Refusal> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let encoding = content_type.and_then(Encoding::from_content_type).ok_or(Refusal::MediaType)?;
    Ok((encoding.decode(body)?, encoding))
}
