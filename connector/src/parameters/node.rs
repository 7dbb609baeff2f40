//! Parameters of calls to the node: addresses, deadlines, retries, TLS, signing and the circuit
//! breaker.

mod address;

pub use address::NodeAddress;

use super::{
    format::{BOOL, COUNT, IDLE_MILLIS, ORIGIN_MILLIS, TEXT, VIEWER_MILLIS},
    secret::{AUTHORITIES, PINS, Trust},
    source::{Half, ParameterError, Source},
};
use address::ADDRESSES;
use shared::{Trigger, call_signature::SigningKey};
use std::time::Duration;

#[derive(Debug, Clone)]
pub struct NodeParameters {
    /// Tried in this order; never empty.
    pub addresses: Vec<NodeAddress>,
    pub deadlines: Deadlines,
    /// Limit for connecting to one address. Without it, the address's share of the deadline.
    pub connect_timeout: Option<Duration>,
    /// Additional rounds over all addresses.
    pub retries: u32,
    /// How long an idle connection is kept; without it, each call opens its own.
    pub keep_alive: Option<Duration>,
    pub trust: Trust,
    pub signing_key: Option<SigningKey>,
    pub breaker: BreakerParameters,
}

/// Upper limit for the time the node adds to a request, all addresses and retries included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    pub viewer: Duration,
    pub origin: Duration,
}

/// Threshold and pause of the circuit breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerParameters {
    /// Consecutive failed calls; 0 disables the breaker.
    pub failures: u32,
    /// Time until the next attempt.
    pub pause: Duration,
}

impl Deadlines {
    pub const DEFAULT: Duration = Duration::from_millis(800);

    /// The part of a deadline that the reply itself needs to reach the visitor.
    const RESERVE: Duration = Duration::from_millis(40);

    /// The time for all calls about one event.
    pub fn for_calls(&self, trigger: &Trigger) -> Duration {
        let deadline = if trigger.is_origin() { self.origin } else { self.viewer };
        deadline.saturating_sub(Self::RESERVE.min(deadline / 8))
    }

    fn read(source: &Source<'_>) -> Result<Self, ParameterError> {
        let viewer = source.or("wlrm_deadline_ms", &VIEWER_MILLIS, Self::DEFAULT)?;
        Ok(Self { viewer, origin: source.or("wlrm_origin_deadline_ms", &ORIGIN_MILLIS, viewer)? })
    }
}

impl BreakerParameters {
    fn read(source: &Source<'_>) -> Result<Self, ParameterError> {
        Ok(Self {
            failures: source.or("wlrm_breaker_failures", &COUNT, 5)?,
            pause: source.or("wlrm_breaker_pause_ms", &VIEWER_MILLIS, Duration::from_secs(1))?,
        })
    }
}

impl NodeParameters {
    const DEFAULT_KEEP_ALIVE: Duration = Duration::from_secs(30);

    pub(super) fn read(source: &Source<'_>) -> Result<Self, ParameterError> {
        let keep_alive = source.or("wlrm_keep_alive_ms", &IDLE_MILLIS, Self::DEFAULT_KEEP_ALIVE);
        Ok(Self {
            addresses: addresses(source)?,
            deadlines: Deadlines::read(source)?,
            connect_timeout: source.optional("wlrm_connect_timeout_ms", &VIEWER_MILLIS)?,
            retries: source.or("wlrm_retries", &COUNT, 0)?,
            keep_alive: Some(keep_alive?).filter(|time| !time.is_zero()),
            trust: Trust {
                authorities: source.optional("wlrm_node_ca", &AUTHORITIES)?,
                pins: source.or("wlrm_node_pin", &PINS, Vec::new())?,
            },
            signing_key: signing_key(source)?,
            breaker: BreakerParameters::read(source)?,
        })
    }
}

fn addresses(source: &Source<'_>) -> Result<Vec<NodeAddress>, ParameterError> {
    let addresses = source.required("wlrm_node_addr", &ADDRESSES)?;
    let allow_plain = source.or("wlrm_allow_plain_http", &BOOL, false)?;
    if let Some(plain) = addresses.iter().find(|address| !allow_plain && address.is_plain_remote()) {
        return Err(ParameterError {
            name: "wlrm_node_addr",
            value: plain.to_string(),
            expected: "must be https, as requests contain secrets; wlrm_allow_plain_http = True allows http",
        });
    }
    Ok(addresses)
}

/// A connector configured to sign must never send unsigned calls: half a key is an error.
fn signing_key(source: &Source<'_>) -> Result<Option<SigningKey>, ParameterError> {
    let id = Half("wlrm_signing_key_id", TEXT, "is required when wlrm_signing_key is set");
    let secret = Half("wlrm_signing_key", TEXT, "is required when wlrm_signing_key_id is set");
    Ok(source.pair(&id, &secret)?.map(|(id, secret)| SigningKey::new(id, secret)))
}
