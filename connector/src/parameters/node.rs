//! How the node is called.

mod address;

pub use address::NodeAddress;

use super::{
    ParameterError, Trust,
    secret::{Authorities, Pins},
    value::{Count, IdleMillis, Millis, OriginMillis, Text, missing, optional, required},
};
use address::Addresses;
use shared::{Trigger, call_signature::SigningKey};
use std::{sync::Arc, time::Duration};

#[derive(Debug, Clone)]
pub struct NodeParameters {
    /// Tried in this order; never empty.
    pub addresses: Vec<NodeAddress>,
    pub deadlines: Deadlines,
    /// How long one address may take to be connected to. Without it, its share of the deadline.
    pub connect_timeout: Option<Duration>,
    /// How many more times all addresses are tried.
    pub retries: u32,
    /// How long a connection waits for the next call; without it, each call makes its own.
    pub keep_alive: Option<Duration>,
    pub trust: Trust,
    pub signing_key: Option<SigningKey>,
    pub breaker: BreakerParameters,
}

/// How long the visitor waits for the node at most, all addresses and retries included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    pub viewer: Duration,
    pub origin: Duration,
}

/// When to stop asking a node that does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerParameters {
    /// So many failed calls one after the other; 0 never stops asking.
    pub failures: u32,
    /// Until the next call tries whether it answers again.
    pub pause: Duration,
}

impl Deadlines {
    pub const DEFAULT: Duration = Duration::from_millis(800);

    /// Of this, the answer itself needs a little to get to the visitor.
    const RESERVE: Duration = Duration::from_millis(40);

    /// The time for all calls about one event, so that the visitor's answer is there before the deadline.
    pub fn for_calls(&self, trigger: &Trigger) -> Duration {
        let deadline = if trigger.is_origin() { self.origin } else { self.viewer };
        deadline.saturating_sub(Self::RESERVE.min(deadline / 8))
    }
}

impl BreakerParameters {
    const DEFAULT_FAILURES: u32 = 5;
    const DEFAULT_PAUSE: Duration = Duration::from_secs(1);
}

impl NodeParameters {
    const DEFAULT_KEEP_ALIVE: Duration = Duration::from_secs(30);

    pub(super) fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ParameterError> {
        Ok(Self {
            addresses: addresses(&lookup)?,
            deadlines: Deadlines::read(&lookup)?,
            connect_timeout: optional(&lookup, "wlrm_connect_timeout_ms")?.map(|Millis(time)| millis(time)),
            retries: optional(&lookup, "wlrm_retries")?.map_or(0, |Count(retries)| retries),
            keep_alive: Some(
                optional(&lookup, "wlrm_keep_alive_ms")?
                    .map_or(Self::DEFAULT_KEEP_ALIVE, |IdleMillis(time)| millis(time)),
            )
            .filter(|time| !time.is_zero()),
            trust: Trust {
                authorities: optional(&lookup, "wlrm_node_ca")?.map(|Authorities(store)| Arc::new(store)),
                pins: optional(&lookup, "wlrm_node_pin")?.map(|Pins(pins)| pins).unwrap_or_default(),
            },
            signing_key: signing_key(&lookup)?,
            breaker: BreakerParameters {
                failures: optional(&lookup, "wlrm_breaker_failures")?
                    .map_or(BreakerParameters::DEFAULT_FAILURES, |Count(failures)| failures),
                pause: optional(&lookup, "wlrm_breaker_pause_ms")?
                    .map_or(BreakerParameters::DEFAULT_PAUSE, |Millis(time)| millis(time)),
            },
        })
    }
}

impl Deadlines {
    fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ParameterError> {
        let viewer =
            optional(&lookup, "wlrm_deadline_ms")?.map_or(Self::DEFAULT, |Millis(time)| millis(time));
        let origin = optional(&lookup, "wlrm_origin_deadline_ms")?;
        Ok(Self { viewer, origin: origin.map_or(viewer, |OriginMillis(time)| millis(time)) })
    }
}

fn addresses(lookup: impl Fn(&str) -> Option<String>) -> Result<Vec<NodeAddress>, ParameterError> {
    let Addresses(addresses) = required(&lookup, "wlrm_node_addr")?;
    let allow_plain: bool = optional(&lookup, "wlrm_allow_plain_http")?.unwrap_or(false);
    if let Some(plain) = addresses.iter().find(|address| !allow_plain && address.is_plain_abroad()) {
        return Err(ParameterError {
            name: "wlrm_node_addr",
            value: plain.to_string(),
            expected: "must be https, as requests hold secrets; wlrm_allow_plain_http = True allows http",
        });
    }
    Ok(addresses)
}

/// Both halves or none: a connector that was meant to sign must not go on without.
fn signing_key(lookup: impl Fn(&str) -> Option<String>) -> Result<Option<SigningKey>, ParameterError> {
    let id = optional(&lookup, "wlrm_signing_key_id")?.map(|Text(id)| id);
    let secret = optional(&lookup, "wlrm_signing_key")?.map(|Text(secret)| secret);
    match (id, secret) {
        (Some(id), Some(secret)) => Ok(Some(SigningKey::new(id, secret))),
        (None, None) => Ok(None),
        (Some(_), None) => Err(missing("wlrm_signing_key", "must be set, as wlrm_signing_key_id is")),
        (None, Some(_)) => Err(missing("wlrm_signing_key_id", "must be set, as wlrm_signing_key is")),
    }
}

fn millis(time: u32) -> Duration {
    Duration::from_millis(time.into())
}
