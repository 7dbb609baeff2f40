//! Replay guard: verifies the signatures of calls, and accepts each nonce once.

use super::{Message, Refusal};
use axum::http::{Uri, header};
use jiff::Timestamp;
use shared::call_signature::{CALL_SIGNATURE_HEADER, MAX_CLOCK_SKEW, SignedCall, SigningKey};
use std::{
    collections::HashSet,
    mem,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// The nonces of the latest calls. Unlike a cache it never evicts a nonce whose signature is still
/// valid: when it is full, calls are refused.
pub(super) struct ReplayGuard(Mutex<Nonces>);

/// Two generations, each as long as a signature is valid: clocks may be ahead or behind.
struct Nonces {
    young: HashSet<[u8; 16]>,
    old: HashSet<[u8; 16]>,
    since: Instant,
}

impl ReplayGuard {
    const GENERATION: Duration = MAX_CLOCK_SKEW.saturating_mul(2);
    /// About 3,300 calls per second for a whole generation, in 40 bytes each at most.
    const MAX_NONCES: usize = 2_000_000;

    pub(super) fn check(&self, keys: &[SigningKey], message: &Message, uri: &Uri) -> Result<(), Refusal> {
        let text = |name| message.header(name).unwrap_or_default();
        let call = SignedCall {
            method: "POST",
            path_and_query: uri.path_and_query().map_or("/", |path| path.as_str()),
            content_type: text(header::CONTENT_TYPE.as_str()),
            body: &message.body,
        };
        let now = u64::try_from(Timestamp::now().as_millisecond()).unwrap_or_default();
        let verified = SigningKey::verify(keys, text(CALL_SIGNATURE_HEADER), call, now)?;
        self.accept(verified.nonce, Instant::now())
    }

    fn accept(&self, nonce: [u8; 16], now: Instant) -> Result<(), Refusal> {
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

impl Default for ReplayGuard {
    fn default() -> Self {
        Self(Mutex::new(Nonces { young: HashSet::new(), old: HashSet::new(), since: Instant::now() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_a_nonce_once_while_its_signature_is_valid() {
        let (guard, start) = (ReplayGuard::default(), Instant::now());
        let later = start + ReplayGuard::GENERATION;
        assert!(guard.accept([1; 16], start).is_ok());
        assert!(matches!(guard.accept([1; 16], start), Err(Refusal::Replayed)));
        assert!(matches!(guard.accept([1; 16], later), Err(Refusal::Replayed)));
        assert!(guard.accept([2; 16], later).is_ok());
        assert!(
            guard.accept([1; 16], later + ReplayGuard::GENERATION).is_ok(),
            "forgotten once no signature with it is valid"
        );
    }
}
