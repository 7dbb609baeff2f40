//! Counters by the host of the request, for as many hosts as are worth a series each.

use crate::routes::bare;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};
use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
};

/// What is counted of one host.
struct HostCounters {
    processed: Counter,
    found: Counter,
    blocked: Counter,
}

/// `*_per_host`. A visitor chooses the host, so what is no name, and what comes after [`PerHost::MAX_HOSTS`], share a series.
pub(super) struct PerHost {
    processed: Family<HostLabels, Counter>,
    found: Family<HostLabels, Counter>,
    blocked: Family<HostLabels, Counter>,
    known: RwLock<HashMap<String, HostCounters>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct HostLabels {
    host: String,
}

impl PerHost {
    const MAX_HOSTS: usize = 1_000;
    /// The original's.
    const INVALID: &str = "__invalid_host__";
    const OTHER: &str = "__other_host__";

    pub(super) fn new(registry: &mut Registry) -> Self {
        let mut family = |name: &str, help: &str| {
            let family = Family::default();
            registry.register(name, help, family.clone());
            family
        };
        Self {
            processed: family("http_inspector_requests_processed_per_host", "Requests decided, by host"),
            found: family("http_inspector_threats_found_per_host", "Requests with attacks, by host"),
            blocked: family("http_inspector_threats_blocked_per_host", "Requests blocked, by host"),
            known: RwLock::default(),
        }
    }

    /// Counts a request.
    pub(super) fn note(&self, host: &str, is_threat: bool, is_blocked: bool) {
        let host = bare(host);
        let host = if is_name(&host) { &*host } else { Self::INVALID };
        // Counted under the lock: most calls find it open for reading, and hold it for a moment.
        if let Some(counters) = self.known.read().unwrap_or_else(PoisonError::into_inner).get(host) {
            return counters.note(is_threat, is_blocked);
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let is_full = known.len() >= Self::MAX_HOSTS && host != Self::INVALID;
        let host = if is_full { Self::OTHER } else { host };
        known.entry(host.to_owned()).or_insert_with(|| self.counters(host)).note(is_threat, is_blocked);
    }

    fn counters(&self, host: &str) -> HostCounters {
        let labels = HostLabels { host: host.to_owned() };
        HostCounters {
            processed: self.processed.get_or_create_owned(&labels),
            found: self.found.get_or_create_owned(&labels),
            blocked: self.blocked.get_or_create_owned(&labels),
        }
    }
}

impl HostCounters {
    fn note(&self, is_threat: bool, is_blocked: bool) {
        self.processed.inc();
        self.found.inc_by(is_threat.into());
        self.blocked.inc_by(is_blocked.into());
    }
}

/// A name or an address, as it can stand in a URL.
fn is_name(host: &str) -> bool {
    (1..=253).contains(&host.len())
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_that_visitors_make_up_do_not_add_series_for_ever() {
        let mut registry = Registry::default();
        let hosts = PerHost::new(&mut registry);
        hosts.note("Shop.example.com:443", true, true);
        hosts.note("shop.example.com", true, false);
        for made_up in ["a b", "", "<script>", &"a".repeat(300)] {
            hosts.note(made_up, false, false);
        }
        for number in 0..PerHost::MAX_HOSTS + 10 {
            hosts.note(&format!("{number}.example.com"), false, false);
        }
        let known = hosts.known.read().unwrap();
        let counted =
            |host: &str| (known[host].processed.get(), known[host].found.get(), known[host].blocked.get());
        assert_eq!(counted("shop.example.com"), (2, 2, 1));
        assert_eq!(counted(PerHost::INVALID), (4, 0, 0));
        assert_eq!(counted(PerHost::OTHER), (12, 0, 0));
        assert_eq!(known.len(), PerHost::MAX_HOSTS + 1);
    }
}
