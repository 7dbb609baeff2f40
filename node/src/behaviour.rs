//! Behavior controls: brute force, forced browsing, enumeration of ids, repeated attacks and
//! request rates, per source.
//!
//! | module | holds |
//! |---|---|
//! | [`control`] | which requests a control counts, and by what |
//! | [`counters`] | sliding windows, exact and in bounded memory |
//! | [`sharing`] | the same counts for several nodes, through Redis or Valkey |
//! | [`request_clients`] | request id → client address, for response reports |
//!
//! Time is passed in.

mod control;
mod counters;
mod request_clients;
mod sharing;

pub use sharing::Sharing;

use crate::{
    config::behaviour::{BehaviourConfig, Control, Counted, Payloads, Reaction},
    metrics::on_scrape,
    policy::AutomaticLists,
    routes::{normalize_host, path},
};
use counters::{Counters, Key, Span};
use jiff::Timestamp;
use prometheus_client::registry::Registry;
use redis::RedisError;
use request_clients::RequestClients;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use shared::{AttackType, Finding, InspectRequest, Point, RequestId, Severity, point::Tag, ruleset::List};
use sharing::Outbox;
use std::{
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// All counts. One per node; a restart begins new ones.
#[derive(Debug)]
pub struct Behaviour {
    controls: Vec<Control>,
    payloads: Option<Payloads>,
    counters: Mutex<Counters>,
    request_clients: Mutex<RequestClients>,
    outbox: Option<Outbox>,
}

/// The effects of a request.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Observed {
    /// Recorded with the request.
    pub findings: Vec<Finding>,
    pub listings: Vec<Listing>,
    /// The source exceeds a request rate; it may retry after this time.
    pub retry_after: Option<Duration>,
}

/// A source to be put on a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    pub list: List,
    pub source: IpAddr,
    pub until: Timestamp,
    pub cause: AttackType,
}

/// The section of `/wallarm-status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct BehaviourStats {
    /// Remembered sources, once per control.
    pub sources: usize,
    /// Evicted because the memory was full.
    pub forgotten: u64,
    /// Counts that could not be shared with other nodes.
    pub unshared: u64,
}

/// Attack types whose payloads are no evidence of intent.
const NO_PAYLOADS: [AttackType; 6] = [
    AttackType::Overlimit,
    AttackType::DataBomb,
    AttackType::VirtualPatch,
    AttackType::InvalidXml,
    AttackType::MalformedBody,
    AttackType::FileUpload,
];

impl Behaviour {
    /// Counts of a single node.
    pub fn new(config: &BehaviourConfig) -> Self {
        Self {
            controls: config.controls.clone(),
            payloads: config.payloads.clone(),
            counters: Mutex::new(Counters::new(config.max_sources)),
            request_clients: Mutex::default(),
            outbox: None,
        }
    }

    /// Also returns the task that shares the counts, if configured.
    pub fn build(config: &BehaviourConfig) -> Result<(Arc<Self>, Option<Sharing>), RedisError> {
        let shared = config.shared_url.as_deref().map(Sharing::new).transpose()?;
        let (sharing, outbox) = shared.unzip();
        Ok((Arc::new(Self { outbox, ..Self::new(config) }), sharing))
    }

    /// Counts an analyzed request and its findings.
    pub fn request(
        &self,
        request: &InspectRequest,
        request_id: RequestId,
        findings: &[Finding],
        now: Timestamp,
    ) -> Observed {
        let mut observed = Observed::default();
        let source = request.client_ip.to_canonical();
        if !self.controls.is_empty() {
            self.count_for_controls(request, request_id, findings, now, &mut observed);
        }
        self.count_payloads(source, findings, now, &mut observed);
        observed
    }

    fn count_for_controls(
        &self,
        request: &InspectRequest,
        request_id: RequestId,
        findings: &[Finding],
        now: Timestamp,
        observed: &mut Observed,
    ) {
        let source = request.client_ip.to_canonical();
        let is_attack = findings.iter().any(|finding| finding.attack_type != AttackType::Overlimit);
        let (host, path) = (normalize_host(&request.host), path::normalize(&request.path));
        let mut reported = Vec::new();
        for (index, control) in self.controls.iter().enumerate() {
            if (is_attack && !control.counts_attacks()) || !control.matches(&host, &path) {
                continue;
            }
            if matches!(control.counted, Counted::Responses(_)) {
                reported.push(index);
            } else if let Some(member) = control.member(&path, &request.query, request_id) {
                self.count(index, source, &member, now, observed);
            }
        }
        if !reported.is_empty() {
            let mut clients = self.request_clients.lock().unwrap_or_else(PoisonError::into_inner);
            clients.record(request_id, source, reported);
        }
    }

    /// Counts the response to a request that this node has seen.
    pub fn response(&self, request_id: RequestId, status: u16, now: Timestamp) -> Vec<Listing> {
        let clients = self.request_clients.lock().unwrap_or_else(PoisonError::into_inner);
        let client = clients.find(request_id);
        drop(clients);
        let mut observed = Observed::default();
        for (source, index) in client
            .into_iter()
            .flat_map(|(source, controls)| controls.into_iter().map(move |index| (source, index)))
        {
            if self.controls.get(index).is_some_and(|control| control.counted == Counted::Responses(status)) {
                self.count(index, source, &request_id.to_string(), now, &mut observed);
            }
        }
        observed.listings
    }

    fn count(&self, index: usize, source: IpAddr, member: &str, now: Timestamp, observed: &mut Observed) {
        let control = &self.controls[index];
        let key = Key { control: index, source };
        let (member, millis) = (digest(member), now.as_millisecond());
        if control.reaction == Reaction::Limit {
            let admitted = self.counters().admit(key, member, millis, control.span());
            if admitted.is_ok() {
                self.share(key);
            } else if let Err(wait) = admitted {
                let wait = Duration::from_millis(wait.unsigned_abs());
                observed.retry_after = observed.retry_after.max(Some(wait));
                observed.findings.push(finding(&control.attack_type));
            }
            return;
        }
        if self.record(key, member, millis) <= control.threshold {
            return;
        }
        observed.findings.push(finding(&control.attack_type));
        let list = match control.reaction {
            Reaction::Gray => List::Gray,
            Reaction::Deny => List::Deny,
            Reaction::Record | Reaction::Limit => return,
        };
        let cause = control.attack_type.clone();
        observed.listings.push(Listing { list, source, until: after(now, control.duration), cause });
    }

    fn count_payloads(&self, source: IpAddr, findings: &[Finding], now: Timestamp, observed: &mut Observed) {
        let Some(payloads) = &self.payloads else { return };
        let key = Key { control: self.controls.len(), source };
        let mut distinct = 0;
        for finding in findings.iter().filter(|finding| !NO_PAYLOADS.contains(&finding.attack_type)) {
            distinct = self.record(key, digest(&finding.payload), now.as_millisecond());
        }
        if distinct > payloads.threshold {
            observed.listings.push(Listing {
                list: List::Gray,
                source,
                until: after(now, payloads.duration),
                cause: AttackType::from("multiple_payloads"),
            });
        }
    }

    /// Registers the series of the counts.
    pub fn register(self: &Arc<Self>, registry: &mut Registry) {
        let behaviour = self.clone();
        on_scrape(registry, move |scrape| {
            let stats = behaviour.stats();
            scrape.gauge(
                "behaviour_sources",
                "Remembered sources, once per control",
                stats.sources as u64,
            )?;
            scrape.counter(
                "behaviour_forgotten",
                "Sources evicted because the memory was full",
                stats.forgotten,
            )?;
            scrape.counter("behaviour_unshared", "Counts not shared with other nodes", stats.unshared)
        });
    }

    pub fn stats(&self) -> BehaviourStats {
        let counters = self.counters();
        BehaviourStats {
            sources: counters.len(),
            forgotten: counters.evicted(),
            unshared: self.outbox.as_ref().map_or(0, Outbox::unshared),
        }
    }

    fn record(&self, key: Key, member: u64, at: i64) -> usize {
        let count = self.counters().record(key, member, at, self.span_of(key.control));
        self.share(key);
        count
    }

    fn share(&self, key: Key) {
        if let Some(outbox) = &self.outbox {
            outbox.put(key);
        }
    }

    /// The index after the last control is the count of payloads.
    fn span_of(&self, control: usize) -> Span {
        match (self.controls.get(control), &self.payloads) {
            (Some(control), _) => control.span(),
            (None, Some(payloads)) => payloads.span(),
            (None, None) => Span { millis: 0, limit: 0 },
        }
    }

    /// A window's name and members, for sharing. Nodes with an equal control share its counts,
    /// whatever its position.
    fn window(&self, key: Key) -> (String, Span, Vec<(u64, i64)>) {
        let identity = match self.controls.get(key.control) {
            Some(control) => format!("{control:?}"),
            None => format!("{:?}", self.payloads),
        };
        let name = format!("wallarm:{:016x}:{}", digest(&identity), key.source);
        (name, self.span_of(key.control), self.counters().members(key))
    }

    fn merge(&self, key: Key, members: impl Iterator<Item = (u64, i64)>) {
        let span = self.span_of(key.control);
        self.counters().merge(key, members, span);
    }

    fn counters(&self) -> MutexGuard<'_, Counters> {
        self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Payloads {
    fn span(&self) -> Span {
        let millis = i64::try_from(self.within.as_millis()).unwrap_or(i64::MAX);
        Span { millis, limit: self.threshold + 1 }
    }
}

impl Listing {
    pub fn put_on(&self, lists: &AutomaticLists, now: Timestamp) {
        lists.put(self.list, self.source, None, (self.until, self.cause.clone()), now);
    }
}

impl Observed {
    /// Whether the source was denied because of this request.
    pub fn denies(&self) -> bool {
        self.listings.iter().any(|listing| listing.list == List::Deny)
    }
}

/// A cryptographic hash: a client cannot construct values that collide.
fn digest(member: &str) -> u64 {
    let digest = <[u8; 32]>::from(Sha256::digest(member));
    digest.first_chunk().map_or(0, |first| u64::from_le_bytes(*first))
}

fn after(now: Timestamp, duration: Duration) -> Timestamp {
    now.checked_add(duration).unwrap_or(Timestamp::MAX)
}

/// A finding without a payload: the count is the evidence, not this request.
fn finding(attack_type: &AttackType) -> Finding {
    Finding {
        attack_type: attack_type.clone(),
        point: Point::new(Tag::RemoteAddr),
        signature: format!("behaviour-{attack_type}"),
        class: None,
        severity: Severity::Medium,
        payload: String::new(),
        span: (0, 0),
        decoded: Vec::new(),
        score: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
