//! The connectors that call this node, reported to the console with each heartbeat.

use jiff::Timestamp;
use shared::{ConnectorInfo, Delivery, InspectRequest, TruncationPolicy, record::ConnectorStatus};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Beyond these the least recently seen is evicted: callers choose their descriptions.
const MAX_CONNECTORS: usize = 100;
/// Callers with longer descriptions are ignored.
const MAX_TEXT_BYTES: usize = 200;

/// The rest of a truncated body that no stage sees: its bytes, 0 if its length is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unseen(pub u64);

impl Unseen {
    pub fn of(request: &InspectRequest) -> Option<Self> {
        let unseen = request.unseen_body.as_ref();
        let is_left = unseen.is_some_and(|unseen| unseen.policy == TruncationPolicy::LaterStage);
        let is_unseen = request.body_truncated && !is_left;
        is_unseen.then(|| Self(unseen.and_then(|unseen| unseen.bytes).unwrap_or_default()))
    }
}

#[derive(Default)]
pub struct Connectors(Mutex<Vec<ConnectorStatus>>);

impl Connectors {
    /// Counts a call. `delivery` is `None` for a report; `not_inspected` is the number of requests
    /// that the call reports as such; `unseen` is the rest of a truncated body.
    pub fn seen(
        &self,
        caller: &ConnectorInfo,
        delivery: Option<Delivery>,
        not_inspected: usize,
        unseen: Option<Unseen>,
        now: Timestamp,
    ) {
        if !is_short(caller) {
            return;
        }
        let mut all = self.lock();
        let known =
            all.iter().position(|status| status.delivery == delivery && is_same(&status.connector, caller));
        let index = known.unwrap_or_else(|| {
            if all.len() == MAX_CONNECTORS {
                let oldest = (0..all.len()).min_by_key(|index| all[*index].last_seen);
                oldest.map(|index| all.swap_remove(index));
            }
            let connector = ConnectorInfo { edge_request_id: None, bypassed: None, ..caller.clone() };
            all.push(ConnectorStatus {
                connector,
                delivery,
                last_seen: now,
                calls: 0,
                not_inspected: 0,
                truncated: 0,
                unseen_bytes: 0,
            });
            all.len() - 1
        });
        let status = &mut all[index];
        status.last_seen = status.last_seen.max(now);
        status.calls += 1;
        status.not_inspected += not_inspected as u64;
        if let Some(Unseen(bytes)) = unseen {
            status.truncated += 1;
            status.unseen_bytes = status.unseen_bytes.saturating_add(bytes);
        }
    }

    pub fn all(&self) -> Vec<ConnectorStatus> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<ConnectorStatus>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether both are the same program and version, at the same distribution and trigger.
fn is_same(known: &ConnectorInfo, caller: &ConnectorInfo) -> bool {
    let key = |connector: &'_ ConnectorInfo| (connector.event.clone(), connector.application);
    known.kind == caller.kind
        && known.version == caller.version
        && known.distribution_id == caller.distribution_id
        && key(known) == key(caller)
}

fn is_short(caller: &ConnectorInfo) -> bool {
    let texts = [&caller.distribution_id, &caller.distribution_domain];
    let optional = texts.into_iter().flatten().chain([&caller.kind, &caller.version]);
    optional.into_iter().all(|text| text.len() <= MAX_TEXT_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(version: &str, edge_request_id: &str) -> ConnectorInfo {
        ConnectorInfo {
            kind: "cloudfront".to_owned(),
            version: version.to_owned(),
            edge_request_id: Some(edge_request_id.to_owned()),
            ..ConnectorInfo::default()
        }
    }

    fn time(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn counts_the_calls_of_a_connector() {
        let connectors = Connectors::default();
        connectors.seen(&caller("1.0.0", "a"), Some(Delivery::Inline), 2, Some(Unseen(500)), time(5));
        connectors.seen(&caller("1.0.0", "b"), Some(Delivery::Inline), 1, Some(Unseen(0)), time(4));
        connectors.seen(&caller("1.0.0", "c"), None, 0, None, time(6));
        connectors.seen(&caller("1.1.0", "d"), Some(Delivery::Inline), 0, None, time(7));
        let all = connectors.all();
        let counts: Vec<_> = all.iter().map(|seen| (seen.calls, seen.not_inspected)).collect();
        assert_eq!(counts, [(2, 3), (1, 0), (1, 0)]);
        assert_eq!((all[0].truncated, all[0].unseen_bytes), (2, 500));
        assert_eq!((all[0].last_seen, &all[0].connector.edge_request_id), (time(5), &None));
    }

    #[test]
    fn invented_callers_take_bounded_memory() {
        let connectors = Connectors::default();
        for n in 0..300 {
            connectors.seen(&caller(&n.to_string(), "a"), None, 0, None, time(n));
        }
        connectors.seen(&caller(&"9".repeat(1000), "a"), None, 0, None, time(400));
        let all = connectors.all();
        assert_eq!(all.len(), MAX_CONNECTORS);
        assert!(all.iter().all(|seen| seen.last_seen >= time(200)));
    }
}
