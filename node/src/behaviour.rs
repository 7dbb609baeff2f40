//! What sources do over time: guessing passwords, looking for pages, walking through ids, trying attack after attack, or
//! asking too often.
//!
//! | module | holds |
//! |---|---|
//! | [`control`] | what is counted, of which requests, and what follows |
//! | [`counters`] | sliding windows, exact and in bounded memory |
//! | [`sharing`] | the same counts for several nodes, through Redis or Valkey |
//! | [`askers`] | who sent the requests that response reports speak of |
//!
//! Time is passed in.

mod askers;
mod control;
mod counters;
mod sharing;

pub use control::{Control, Counted, Reaction};
pub use sharing::Sharing;

use crate::{
    policy::AutomaticLists,
    routes::{bare, path},
};
use askers::Askers;
use counters::{Counters, Key, Span};
use jiff::Timestamp;
use redis::RedisError;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use shared::{AttackType, Finding, InspectRequest, Point, RequestId, Severity, point::Tag, ruleset::List};
use sharing::Outbox;
use std::{
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Everything that is counted. One per node; a new configuration starts new counts.
#[derive(Debug)]
pub struct Behaviour {
    controls: Vec<Control>,
    payloads: Option<Payloads>,
    counters: Mutex<Counters>,
    askers: Mutex<Askers>,
    outbox: Option<Outbox>,
}

/// How the behaviour of sources is judged.
#[derive(Debug, Clone)]
pub struct BehaviourConfig {
    /// Sources are remembered, with what they are counted for, up to so many; beyond, those seen longest ago go.
    pub max_sources: usize,
    pub payloads: Option<Payloads>,
    pub controls: Vec<Control>,
    /// Of the server through which nodes share their counts.
    pub shared_url: Option<String>,
}

/// Many different payloads from one source put it on the gray list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payloads {
    /// So many are fine.
    pub threshold: usize,
    pub within: Duration,
    pub duration: Duration,
}

/// What a request led to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Observed {
    /// To be recorded with the request.
    pub findings: Vec<Finding>,
    pub listings: Vec<Listing>,
    /// The request came too early; it may come again after this time.
    pub retry_after: Option<Duration>,
}

/// A source that goes on a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    pub list: List,
    pub source: IpAddr,
    pub until: Timestamp,
    pub cause: AttackType,
}

/// For people, in `/wallarm-status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct BehaviourStats {
    /// Remembered now, once for each thing they are counted for.
    pub sources: usize,
    /// That were forgotten for want of memory.
    pub forgotten: u64,
    /// Counts that other nodes could not be told of.
    pub unshared: u64,
}

/// Their payloads say nothing of a source's intent.
const NO_PAYLOADS: [AttackType; 4] =
    [AttackType::Overlimit, AttackType::DataBomb, AttackType::VirtualPatch, AttackType::InvalidXml];

impl Behaviour {
    /// For a node by itself.
    pub fn new(config: &BehaviourConfig) -> Self {
        Self {
            controls: config.controls.clone(),
            payloads: config.payloads.clone(),
            counters: Mutex::new(Counters::new(config.max_sources)),
            askers: Mutex::default(),
            outbox: None,
        }
    }

    /// With the task that shares its counts, if they are to be shared.
    pub fn start(config: &BehaviourConfig) -> Result<(Arc<Self>, Option<Sharing>), RedisError> {
        let shared = config.shared_url.as_deref().map(Sharing::new).transpose()?;
        let (sharing, outbox) = shared.unzip();
        Ok((Arc::new(Self { outbox, ..Self::new(config) }), sharing))
    }

    /// Counts a request that was analysed, with what was found in it.
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
        let (host, path) = (bare(&request.host), path::normalize(&request.path));
        let mut reported = Vec::new();
        for (index, control) in self.controls.iter().enumerate() {
            if (is_attack && !control.counts_attacks()) || !control.holds_for(&host, &path) {
                continue;
            }
            if matches!(control.counted, Counted::Responses(_)) {
                reported.push(index);
            } else if let Some(member) = control.member(&path, &request.query, request_id) {
                self.count(index, source, &member, now, observed);
            }
        }
        if !reported.is_empty() {
            self.askers.lock().unwrap_or_else(PoisonError::into_inner).note(request_id, source, reported);
        }
    }

    /// Counts what came of a request that this node has seen.
    pub fn response(&self, request_id: RequestId, status: u16, now: Timestamp) -> Vec<Listing> {
        let asker = self.askers.lock().unwrap_or_else(PoisonError::into_inner).find(request_id);
        let mut observed = Observed::default();
        for (source, index) in asker
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
        if self.note(key, member, millis) <= control.threshold {
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
        let mut different = 0;
        for finding in findings.iter().filter(|finding| !NO_PAYLOADS.contains(&finding.attack_type)) {
            different = self.note(key, digest(&finding.payload), now.as_millisecond());
        }
        if different > payloads.threshold {
            observed.listings.push(Listing {
                list: List::Gray,
                source,
                until: after(now, payloads.duration),
                cause: AttackType::from("multiple_payloads"),
            });
        }
    }

    pub fn stats(&self) -> BehaviourStats {
        let counters = self.counters();
        BehaviourStats {
            sources: counters.len(),
            forgotten: counters.evicted(),
            unshared: self.outbox.as_ref().map_or(0, Outbox::unshared),
        }
    }

    fn note(&self, key: Key, member: u64, at: i64) -> usize {
        let count = self.counters().note(key, member, at, self.span_of(key.control));
        self.share(key);
        count
    }

    fn share(&self, key: Key) {
        if let Some(outbox) = &self.outbox {
            outbox.put(key);
        }
    }

    /// Behind the controls stands the count of payloads.
    fn span_of(&self, control: usize) -> Span {
        match (self.controls.get(control), &self.payloads) {
            (Some(control), _) => control.span(),
            (None, Some(payloads)) => payloads.span(),
            (None, None) => Span { millis: 0, most: 0 },
        }
    }

    /// A window's name among nodes, and what is in it. Nodes that have the same control share its counts, wherever in their
    /// configuration it stands.
    fn window(&self, key: Key) -> (String, Span, Vec<(u64, i64)>) {
        let what = match self.controls.get(key.control) {
            Some(control) => format!("{control:?}"),
            None => format!("{:?}", self.payloads),
        };
        let name = format!("wallarm:{:016x}:{}", digest(&what), key.source);
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
        Span { millis, most: self.threshold + 1 }
    }
}

impl Listing {
    pub fn put_on(&self, lists: &AutomaticLists, now: Timestamp) {
        lists.put(self.list, self.source, None, (self.until, self.cause.clone()), now);
    }
}

impl Observed {
    /// Whether the request itself is to be turned away with its source.
    pub fn denies(&self) -> bool {
        self.listings.iter().any(|listing| listing.list == List::Deny)
    }
}

/// Nobody can make two values that count as one.
fn digest(member: &str) -> u64 {
    let digest = <[u8; 32]>::from(Sha256::digest(member));
    digest.first_chunk().map_or(0, |first| u64::from_le_bytes(*first))
}

fn after(now: Timestamp, duration: Duration) -> Timestamp {
    now.checked_add(duration).unwrap_or(Timestamp::MAX)
}

/// Has no payload: it is not this request that gave the source away.
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
    }
}

#[cfg(test)]
mod tests;
