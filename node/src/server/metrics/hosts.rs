//! Counters by the host of the request, for a bounded number of hosts.

use crate::{metrics::family, routes::normalize_host};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};
use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
};

/// The counters of one host.
struct HostCounters {
    processed: Counter,
    threats: Counter,
    blocked: Counter,
}

/// `*_per_host`. Visitors choose the host, so invalid names share one series, and hosts beyond
/// [`PerHost::MAX_HOSTS`] another.
pub(super) struct PerHost {
    processed: Family<HostLabels, Counter>,
    threats: Family<HostLabels, Counter>,
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
        Self {
            processed: family(
                registry,
                "http_inspector_requests_processed_per_host",
                "Requests decided, by host",
            ),
            threats: family(
                registry,
                "http_inspector_threats_found_per_host",
                "Requests with attacks, by host",
            ),
            blocked: family(registry, "http_inspector_threats_blocked_per_host", "Requests blocked, by host"),
            known: RwLock::default(),
        }
    }

    /// Counts a request.
    pub(super) fn count(&self, host: &str, is_threat: bool, is_blocked: bool) {
        let host = normalize_host(host);
        let host = if is_name(&host) { &*host } else { Self::INVALID };
        // A known host is counted under the read lock.
        if let Some(counters) = self.known.read().unwrap_or_else(PoisonError::into_inner).get(host) {
            return counters.count(is_threat, is_blocked);
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let is_full = known.len() >= Self::MAX_HOSTS && host != Self::INVALID;
        let host = if is_full { Self::OTHER } else { host };
        known.entry(host.to_owned()).or_insert_with(|| self.counters(host)).count(is_threat, is_blocked);
    }

    fn counters(&self, host: &str) -> HostCounters {
        let labels = HostLabels { host: host.to_owned() };
        HostCounters {
            processed: self.processed.get_or_create_owned(&labels),
            threats: self.threats.get_or_create_owned(&labels),
            blocked: self.blocked.get_or_create_owned(&labels),
        }
    }
}

impl HostCounters {
    fn count(&self, is_threat: bool, is_blocked: bool) {
        self.processed.inc();
        self.threats.inc_by(is_threat.into());
        self.blocked.inc_by(is_blocked.into());
    }
}

/// Whether the text is a host name or an address, as in a URL.
fn is_name(host: &str) -> bool {
    (1..=253).contains(&host.len())
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invented_hosts_add_a_bounded_number_of_series() {
        let mut registry = Registry::default();
        let hosts = PerHost::new(&mut registry);
        hosts.count("Shop.example.com:443", true, true);
        hosts.count("shop.example.com", true, false);
        for made_up in ["a b", "", "<script>", &"a".repeat(300)] {
            hosts.count(made_up, false, false);
        }
        for number in 0..PerHost::MAX_HOSTS + 10 {
            hosts.count(&format!("{number}.example.com"), false, false);
        }
        let known = hosts.known.read().unwrap();
        let counted =
            |host: &str| (known[host].processed.get(), known[host].threats.get(), known[host].blocked.get());
        assert_eq!(counted("shop.example.com"), (2, 2, 1));
        assert_eq!(counted(PerHost::INVALID), (4, 0, 0));
        assert_eq!(counted(PerHost::OTHER), (12, 0, 0));
        assert_eq!(known.len(), PerHost::MAX_HOSTS + 1);
    }
}
