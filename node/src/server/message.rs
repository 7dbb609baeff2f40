//! Messages of connectors, as extractors: read within limits, verified, decoded.

use super::{Node, Refusal, body_limit::Memory, replay_guard};
use axum::{
    body::{Body, Bytes},
    extract::{FromRequest, Request},
    http::{HeaderMap, header, request::Parts},
};
use listener::Peer;
use serde::de::DeserializeOwned;
use shared::Encoding;
use std::sync::Arc;

/// A message whose body was read within the limits.
pub(super) struct Message {
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// Its share of `limits.max_bytes_in_flight`, released when the call is answered.
    memory: Memory,
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

    /// Counts memory that the message needs in addition to its body.
    pub(super) fn reserve(&mut self, bytes: usize, node: &Node) -> Result<(), Refusal> {
        node.body_limit.reserve(&mut self.memory, bytes)
    }

    async fn read(head: Parts, body: Body, node: &Node) -> Result<Self, Refusal> {
        let (body, memory) = node.body_limit.read(body, head.extensions.get()).await?;
        Ok(Self { headers: head.headers, body, memory })
    }
}

impl FromRequest<Arc<Node>> for Message {
    type Rejection = Refusal;

    async fn from_request(request: Request, node: &Arc<Node>) -> Result<Self, Refusal> {
        let (head, body) = request.into_parts();
        Self::read(head, body, node).await
    }
}

impl FromRequest<Arc<Node>> for SignedMessage {
    type Rejection = Refusal;

    /// The signature is parsed before the body is read, and verified after.
    async fn from_request(request: Request, node: &Arc<Node>) -> Result<Self, Refusal> {
        let (head, body) = request.into_parts();
        let (uri, peer) = (head.uri.clone(), head.extensions.get::<Peer>().cloned());
        let config = node.config.load_full();
        let keys = &config.signing_keys;
        let claim = if keys.is_empty() { None } else { Some(replay_guard::claim(keys, &head.headers)?) };
        let message = Message::read(head, body, node).await?;
        if let Some(claim) = claim {
            node.replay_guard.check(claim, &message, &uri)?;
        }
        if let Some(peer) = peer {
            peer.verify();
        }
        Ok(Self(message))
    }
}
