//! Replay guard: accepts the nonce of each signed call once.

use super::{Message, Refusal};
use axum::http::{HeaderMap, Uri, header};
use jiff::Timestamp;
use prometheus_client::{metrics::counter::Counter, registry::Registry};
use shared::call_signature::{
    CALL_SIGNATURE_HEADER, Claim, MAX_CLOCK_SKEW, SignedCall, SigningKey, VerifiedCall,
};
use std::{
    collections::{BTreeMap, HashSet},
    sync::{Mutex, PoisonError},
};
use tracing::warn;

/// The nonces of the latest calls. A nonce is kept while its signature is valid. When there are too
/// many, the oldest are forgotten, and calls signed at that time are refused from then on, as are calls
/// signed before the start: none is accepted twice.
pub(super) struct ReplayGuard {
    nonces: Mutex<Nonces>,
    max_nonces: usize,
    forgotten: Counter,
}

struct Nonces {
    /// By the minute of the signature. The first half of a nonce, which is random, identifies it.
    minutes: BTreeMap<u64, HashSet<u64>>,
    count: usize,
    /// Calls signed before this time are refused; milliseconds since the epoch.
    not_before: u64,
}

/// The claim in the headers of a call.
pub(super) fn claim<'k>(keys: &'k [SigningKey], headers: &HeaderMap) -> Result<Claim<'k>, Refusal> {
    let header = headers.get(CALL_SIGNATURE_HEADER).and_then(|value| value.to_str().ok());
    Ok(SigningKey::claim(keys, header.unwrap_or_default(), unix_ms())?)
}

impl ReplayGuard {
    const MINUTE_MS: u64 = 60_000;
    /// The calls of six minutes at 40,000 a second, 8 bytes each. Memory grows with the rate only.
    const MAX_NONCES: usize = 15_000_000;

    pub(super) fn new(registry: &mut Registry) -> Self {
        let guard = Self::of(Self::MAX_NONCES, unix_ms());
        let help = "Times that nonces were forgotten before their signatures expired";
        registry.register("nonces_forgotten", help, guard.forgotten.clone());
        guard
    }

    fn of(max_nonces: usize, start_ms: u64) -> Self {
        let nonces = Nonces { minutes: BTreeMap::new(), count: 0, not_before: start_ms };
        Self { nonces: Mutex::new(nonces), max_nonces, forgotten: Counter::default() }
    }

    pub(super) fn check(&self, claim: Claim<'_>, message: &Message, uri: &Uri) -> Result<(), Refusal> {
        let call = SignedCall {
            method: "POST",
            path_and_query: uri.path_and_query().map_or("/", |path| path.as_str()),
            content_type: message.header(header::CONTENT_TYPE.as_str()).unwrap_or_default(),
            body: &message.body,
        };
        self.accept(&claim.verify(call)?, unix_ms())
    }

    fn accept(&self, call: &VerifiedCall, now_ms: u64) -> Result<(), Refusal> {
        let skew_ms = u64::try_from(MAX_CLOCK_SKEW.as_millis()).unwrap_or(u64::MAX);
        let mut nonces = self.nonces.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(end) = nonces.end_of_first().filter(|end| end + skew_ms < now_ms) {
            nonces.pop_first();
            // A body may arrive after its signature expired.
            nonces.not_before = nonces.not_before.max(end);
        }
        // The clock was ahead, and was set back.
        if now_ms + skew_ms < nonces.not_before {
            nonces.not_before = now_ms;
        }
        if call.unix_ms < nonces.not_before {
            return Err(Refusal::SignedTooEarly);
        }
        let nonce = u64::from_le_bytes(std::array::from_fn(|at| call.nonce[at]));
        if nonces.count >= self.max_nonces && nonces.end_of_first().is_none_or(|end| end > now_ms) {
            return Err(Refusal::TooManyCalls);
        }
        if !nonces.minutes.entry(call.unix_ms / Self::MINUTE_MS).or_default().insert(nonce) {
            return Err(Refusal::Replayed);
        }
        nonces.count += 1;
        if nonces.count > self.max_nonces {
            nonces.not_before = nonces.not_before.max(nonces.end_of_first().unwrap_or_default());
            nonces.pop_first();
            self.forgotten.inc();
            warn!(
                "more than {} signed calls within their validity: older calls are refused now",
                self.max_nonces
            );
        }
        Ok(())
    }
}

impl Nonces {
    fn end_of_first(&self) -> Option<u64> {
        self.minutes.keys().next().map(|minute| (minute + 1) * ReplayGuard::MINUTE_MS)
    }

    fn pop_first(&mut self) {
        self.count -= self.minutes.pop_first().map_or(0, |(_, nonces)| nonces.len());
    }
}

fn unix_ms() -> u64 {
    u64::try_from(Timestamp::now().as_millisecond()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: u64 = 1_800_000_000_000;
    const MINUTE: u64 = ReplayGuard::MINUTE_MS;

    fn call(number: u64, unix_ms: u64) -> VerifiedCall {
        let mut nonce = [0; 16];
        nonce[..8].copy_from_slice(&number.to_le_bytes());
        VerifiedCall { nonce, unix_ms }
    }

    #[test]
    fn accepts_a_nonce_once_while_its_signature_is_valid() {
        let guard = ReplayGuard::of(100, START);
        let ahead = call(1, START + 5 * MINUTE);
        assert!(guard.accept(&ahead, START).is_ok());
        for minutes in [0, 5, 10] {
            let replayed = guard.accept(&ahead, START + minutes * MINUTE);
            assert!(matches!(replayed, Err(Refusal::Replayed)), "{minutes}: {replayed:?}");
        }
        assert!(guard.accept(&call(1, START + MINUTE), START + MINUTE).is_ok(), "signed at another time");
    }

    #[test]
    fn refuses_calls_signed_before_the_start() {
        let guard = ReplayGuard::of(100, START);
        assert!(matches!(guard.accept(&call(1, START - 1), START), Err(Refusal::SignedTooEarly)));
        assert!(guard.accept(&call(1, START), START).is_ok());
    }

    /// As 20,000 calls a second are to the limit of a node, with 15,000,000 nonces.
    #[test]
    fn an_hour_at_a_high_rate_is_accepted_in_bounded_memory() {
        const CALLS_PER_SECOND: u64 = 200;
        let guard = ReplayGuard::of(150_000, START);
        for number in 0..CALLS_PER_SECOND * 3_600 {
            let now = START + number * 1_000 / CALLS_PER_SECOND;
            // Clocks of callers differ by up to two seconds.
            assert!(guard.accept(&call(number, now + number % 2_000), now).is_ok(), "call {number}");
        }
        let nonces = guard.nonces.lock().unwrap();
        assert!(nonces.count <= 8 * 60 * 200, "{} nonces", nonces.count);
        assert_eq!(guard.forgotten.get(), 0);
    }

    #[test]
    fn a_late_body_is_no_second_chance() {
        let guard = ReplayGuard::of(100, START);
        let signed = call(1, START + MINUTE - 1);
        assert!(guard.accept(&signed, START + MINUTE).is_ok());
        let late = guard.accept(&signed, START + 6 * MINUTE + 5_000);
        assert!(matches!(late, Err(Refusal::SignedTooEarly)), "{late:?}");
    }

    #[test]
    fn a_clock_that_was_ahead_refuses_no_calls_after_it_is_set_back() {
        let guard = ReplayGuard::of(100, START + 60 * MINUTE);
        assert!(guard.accept(&call(1, START), START).is_ok());
        assert!(matches!(guard.accept(&call(1, START), START), Err(Refusal::Replayed)));
    }

    #[test]
    fn calls_of_the_future_do_not_make_those_of_now_too_early() {
        let guard = ReplayGuard::of(10, START);
        for number in 0..10 {
            assert!(guard.accept(&call(number, START + 4 * MINUTE), START).is_ok());
        }
        assert!(matches!(guard.accept(&call(11, START), START), Err(Refusal::TooManyCalls)));
        assert!(guard.accept(&call(12, START + 5 * MINUTE), START + 5 * MINUTE).is_ok());
    }

    #[test]
    fn forgets_the_oldest_minute_beyond_the_limit_and_replays_nothing() {
        let guard = ReplayGuard::of(10, START);
        let at = |number| START + number * MINUTE / 4;
        for number in 0..40 {
            assert!(guard.accept(&call(number, at(number)), at(number)).is_ok(), "call {number}");
        }
        for number in 0..40 {
            assert!(guard.accept(&call(number, at(number)), at(39)).is_err(), "call {number}");
        }
        assert!(guard.forgotten.get() > 0);
    }
}
