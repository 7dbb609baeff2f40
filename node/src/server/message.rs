//! Messages of connectors, as extractors: read within limits, verified, decoded.

use super::{Node, Refusal};
use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{HeaderMap, header},
};
use serde::de::DeserializeOwned;
use shared::Encoding;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;

/// A message whose body was read within the limits.
pub(super) struct Message {
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// Its share of `limits.max_bytes_in_flight`, released when the call is answered.
    _memory: Option<OwnedSemaphorePermit>,
}

/// A message that also carries a valid signature, when the configuration has signing keys.
pub(super) struct SignedMessage(pub(super) Message);

impl Message {
    /// Decodes the body in the encoding of its `Content-Type`.
    pub(super) fn decode<T: DeserializeOwned>(&self) -> Result<(T, Encoding), Refusal> {
        let content_type = self.header(header::CONTENT_TYPE.as_str());
        let encoding = content_type.and_then(Encoding::from_content_type).ok_or(Refusal::MediaType)?;
        Ok((encoding.decode(&self.body)?, encoding))
    }

    /// A header of the call, if it is text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

impl FromRequest<Arc<Node>> for Message {
    type Rejection = Refusal;

    async fn from_request(request: Request, node: &Arc<Node>) -> Result<Self, Refusal> {
        let (head, body) = request.into_parts();
        let (body, memory) = node.body_limit.read(body).await?;
        Ok(Self { headers: head.headers, body, _memory: memory })
    }
}

impl FromRequest<Arc<Node>> for SignedMessage {
    type Rejection = Refusal;

    async fn from_request(request: Request, node: &Arc<Node>) -> Result<Self, Refusal> {
        let uri = request.uri().clone();
        let message = Message::from_request(request, node).await?;
        let config = node.config.load();
        if !config.signing_keys.is_empty() {
            node.replay_guard.check(&config.signing_keys, &message, &uri)?;
        }
        Ok(Self(message))
    }
}
