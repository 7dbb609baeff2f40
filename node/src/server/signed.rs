//! Signed calls: when the configuration has signing keys, connectors must prove that they hold one, and no call counts twice.

use super::{Node, Refusal};
use crate::metrics::ReasonLabels;
use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, Uri, header},
    middleware::Next,
    response::Response,
};
use jiff::Timestamp;
use shared::call_signature::{
    CALL_SIGNATURE_HEADER, CallSignatureError, MAX_CLOCK_SKEW, SignedCall, SigningKey,
};
use std::{
    collections::HashSet,
    mem,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// The nonces of the calls signed lately.
pub struct Signatures(Mutex<Nonces>);

/// Two generations, each as long as a signature can hold: a clock may be off in either direction.
struct Nonces {
    young: HashSet<[u8; 16]>,
    old: HashSet<[u8; 16]>,
    since: Instant,
}

impl Signatures {
    const GENERATION: Duration = MAX_CLOCK_SKEW.saturating_mul(2);
    /// About 3,300 calls a second for a whole generation, in 40 bytes each at most.
    const MAX_NONCES: usize = 2_000_000;

    fn check(&self, keys: &[SigningKey], headers: &HeaderMap, uri: &Uri, body: &[u8]) -> Result<(), Refusal> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let call = SignedCall {
            method: "POST",
            path_and_query: uri.path_and_query().map_or("/", |path| path.as_str()),
            content_type: text(header::CONTENT_TYPE.as_str()),
            body,
        };
        let now = u64::try_from(Timestamp::now().as_millisecond()).unwrap_or_default();
        let verified = SigningKey::verify(keys, text(CALL_SIGNATURE_HEADER), call, now)?;
        self.remember(verified.nonce, Instant::now())
    }

    fn remember(&self, nonce: [u8; 16], now: Instant) -> Result<(), Refusal> {
        let mut nonces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if now.duration_since(nonces.since) >= Self::GENERATION {
            nonces.old = mem::take(&mut nonces.young);
            nonces.since = now;
        }
        if nonces.young.len() >= Self::MAX_NONCES {
            return Err(Refusal::Unavailable);
        }
        let is_new = !nonces.old.contains(&nonce) && nonces.young.insert(nonce);
        if is_new { Ok(()) } else { Err(Refusal::Replayed) }
    }
}

impl Default for Signatures {
    fn default() -> Self {
        Self(Mutex::new(Nonces { young: HashSet::new(), old: HashSet::new(), since: Instant::now() }))
    }
}

impl From<CallSignatureError> for Refusal {
    fn from(error: CallSignatureError) -> Self {
        Self::Signature(error)
    }
}

/// Lets a call through to its handler, or refuses it.
pub(super) async fn check(
    State(node): State<Arc<Node>>,
    request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    let config = node.config.load_full();
    if config.signing_keys.is_empty() {
        return Ok(next.run(request).await);
    }
    let (head, body) = request.into_parts();
    // It is here already: see `intake`.
    let body = to_bytes(body, usize::MAX).await.map_err(|_| Refusal::BrokenOff)?;
    let checked = node.signatures.check(&config.signing_keys, &head.headers, &head.uri, &body);
    if let Err(refusal) = checked {
        node.metrics.rejected.get_or_create(&ReasonLabels { reason: refusal.label() }).inc();
        return Err(refusal);
    }
    Ok(next.run(Request::from_parts(head, Body::from(body))).await)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_counts_once_as_long_as_its_signature_may_hold() {
        let (signatures, start) = (Signatures::default(), Instant::now());
        let later = start + Signatures::GENERATION;
        assert!(signatures.remember([1; 16], start).is_ok());
        assert!(matches!(signatures.remember([1; 16], start), Err(Refusal::Replayed)));
        assert!(matches!(signatures.remember([1; 16], later), Err(Refusal::Replayed)));
        assert!(signatures.remember([2; 16], later).is_ok());
        assert!(signatures.remember([1; 16], later + Signatures::GENERATION).is_ok(), "forgotten in the end");
    }
}
