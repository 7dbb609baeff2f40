//! Refusals: why a call is refused, as the caller and the metrics see it.

use crate::{admission::Overloaded, spool::SpoolError};
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use shared::{Problem, call_signature::CallSignatureError, encoding::DecodeError};
use std::{io, net::IpAddr, time::Duration};

const MAX_DETAIL_BYTES: usize = 500;

#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("{0}")]
    Malformed(#[from] DecodeError),
    #[error("the Content-Type must be application/json or application/msgpack")]
    MediaType,
    #[error("the message exceeds {0} bytes, see limits.max_message_bytes")]
    TooLarge(usize),
    #[error("the connection closed before the whole body arrived")]
    IncompleteBody,
    #[error("the body did not arrive within {0:?}, see limits.body_timeout")]
    BodyTimeout(Duration),
    #[error("no endpoint at this path")]
    NotFound,
    #[error("X-Amz-Firehose-Access-Key is not the key of logs.access_key_file")]
    AccessKey,
    #[error("the body is not Firehose's JSON: {0}")]
    Delivery(#[source] serde_json::Error),
    #[error("the requestId of the body is not X-Amz-Firehose-Request-Id")]
    FirehoseRequestId,
    #[error("the Content-Encoding must be gzip or absent, and the body valid")]
    ContentEncoding,
    #[error("the message exceeds {0} bytes without its compression")]
    Inflated(usize),
    #[error("the call needs `Authorization: Bearer` with the admin token of the configuration")]
    Unauthorized,
    #[error("{0}")]
    Signature(#[from] CallSignatureError),
    #[error("replayed call: its nonce was used before")]
    Replayed,
    #[error("the call was signed before the node started, or too long ago for its load; sign it again")]
    SignedTooEarly,
    #[error("more signed calls than the node can remember; retry later")]
    TooManyCalls,
    #[error("calls from {0} are not allowed, see connector.allowed_networks")]
    Network(IpAddr),
    #[error("the response took longer than {limit:?}, see connector.app_reply_timeout")]
    ReplyTimeout { limit: Duration, status: StatusCode },
    #[error("the host {0:?} of the request is not one of connector.allowed_hosts")]
    Host(String),
    #[error("the message could not be stored; retry later, see the log of the node")]
    Unavailable,
    #[error("the hits of the records could not be stored; send the records again: {0}")]
    NotStored(SpoolError),
    #[error("the journal of access logs is not writable: {0}")]
    Journal(io::Error),
    #[error("messages in flight use all {0} bytes of limits.max_bytes_in_flight; retry later")]
    OutOfMemory(usize),
    #[error(transparent)]
    Overloaded(#[from] Overloaded),
    #[error("the message could not be analyzed, see the log of the node")]
    Internal,
}

/// The label of a refusal, attached to its response for the layer that counts refusals.
#[derive(Clone, Copy)]
pub(super) struct RefusalLabel(pub(super) &'static str);

impl Refusal {
    /// The status, and the label for metrics.
    fn kind(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Malformed(_) | Self::Delivery(_) | Self::FirehoseRequestId => {
                (StatusCode::BAD_REQUEST, "MsgDataFormat")
            }
            Self::MediaType | Self::ContentEncoding => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "media_type"),
            Self::TooLarge(_) | Self::Inflated(_) => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
            Self::IncompleteBody => (StatusCode::BAD_REQUEST, "ReqBodyReading"),
            Self::BodyTimeout(_) => (StatusCode::REQUEST_TIMEOUT, "too_slow"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            Self::AccessKey => (StatusCode::UNAUTHORIZED, "access_key"),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized"),
            Self::Signature(_) | Self::Replayed | Self::SignedTooEarly => {
                (StatusCode::UNAUTHORIZED, "signature")
            }
            Self::Network(_) => (StatusCode::FORBIDDEN, "remote_address"),
            Self::ReplyTimeout { status, .. } => (*status, "reply_timeout"),
            Self::Host(_) => (StatusCode::FORBIDDEN, "host"),
            Self::Unavailable | Self::NotStored(_) | Self::Journal(_) => {
                (StatusCode::SERVICE_UNAVAILABLE, "spool")
            }
            Self::OutOfMemory(_) => (StatusCode::SERVICE_UNAVAILABLE, "no_room"),
            Self::TooManyCalls | Self::Overloaded(_) => (StatusCode::SERVICE_UNAVAILABLE, "overload"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, label) = self.kind();
        let title = status.canonical_reason().unwrap_or_default();
        let mut detail = self.to_string();
        // The cause may quote the message, whose length the sender chooses.
        detail.truncate(detail.floor_char_boundary(MAX_DETAIL_BYTES));
        let problem = Problem::new(status.as_u16(), title, detail);
        let mut response =
            (status, [(header::CONTENT_TYPE, Problem::CONTENT_TYPE)], problem.to_json()).into_response();
        response.extensions_mut().insert(RefusalLabel(label));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            // Seconds; the usual causes pass sooner.
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
