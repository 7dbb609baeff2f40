//! What the node's parts know of themselves, as series: set when somebody asks.

use crate::{behaviour::BehaviourStats, spool::SpoolStats};
use decision::PolicySummary;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};
use std::sync::atomic::Ordering::Relaxed;

/// What is asked.
pub struct State<'s> {
    pub mode: &'static str,
    pub ruleset: &'s PolicySummary,
    pub spool: SpoolStats,
    pub behaviour: BehaviourStats,
    pub access_log_lost: u64,
}

pub(super) struct StateSeries {
    info: Family<InfoLabels, Gauge>,
    ruleset_version: Gauge,
    rules: Gauge,
    list_entries: Gauge,
    pending: Gauge,
    pending_bytes: Gauge,
    writable: Gauge,
    dropped: Family<DroppedLabels, Counter>,
    refused: Counter,
    damaged: Counter,
    sources: Gauge,
    forgotten: Counter,
    unshared: Counter,
    access_log_lost: Counter,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct InfoLabels {
    version: &'static str,
    mode: &'static str,
    deployment_type: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DroppedLabels {
    reason: &'static str,
    kind: &'static str,
}

impl StateSeries {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let (info, dropped) = (Family::default(), Family::default());
        registry.register("application_info", "Always 1", info.clone());
        registry.register("spool_dropped", "Records that had to go", dropped.clone());
        let mut gauge = |name: &str, help: &str| {
            let gauge = Gauge::default();
            registry.register(name, help, gauge.clone());
            gauge
        };
        let ruleset_version = gauge(
            "http_inspector_ruleset_content_version",
            "The console's ruleset that holds; 0 before one came",
        );
        let rules = gauge("ruleset_rules", "Rules of the ruleset that hold");
        let list_entries = gauge("ruleset_list_entries", "Entries of the console's lists");
        let pending = gauge("spool_pending_records", "Records that wait for delivery");
        let pending_bytes = gauge("spool_pending_bytes", "Their size");
        let writable = gauge("spool_writable", "1 if the last write succeeded");
        let sources =
            gauge("behaviour_sources", "Sources remembered, once for each thing they are counted for");
        let mut counter = |name: &str, help: &str| {
            let counter = Counter::default();
            registry.register(name, help, counter.clone());
            counter
        };
        Self {
            info,
            ruleset_version,
            rules,
            list_entries,
            pending,
            pending_bytes,
            writable,
            dropped,
            refused: counter("spool_rejected", "Records the console refused, set aside"),
            damaged: counter("spool_damaged_bytes", "Bytes of the spool that could not be read"),
            sources,
            forgotten: counter("behaviour_forgotten", "Sources forgotten for want of memory"),
            unshared: counter("behaviour_unshared", "Counts that other nodes could not be told of"),
            access_log_lost: counter("access_log_lost", "Lines of the access log that could not be written"),
        }
    }

    pub(super) fn set(&self, state: &State<'_>) {
        let State { mode, ruleset, spool, behaviour, access_log_lost } = state;
        self.info.clear();
        let labels = InfoLabels { version: crate::VERSION, mode, deployment_type: "connector-server" };
        self.info.get_or_create(&labels).set(1);
        let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let version = ruleset.version.unwrap_or_default();
        self.ruleset_version.set(i64::try_from(version).unwrap_or(i64::MAX));
        self.rules.set(number(ruleset.rules));
        self.list_entries.set(number(ruleset.list_entries));
        self.pending.set(i64::try_from(spool.pending).unwrap_or(i64::MAX));
        self.pending_bytes.set(i64::try_from(spool.pending_bytes).unwrap_or(i64::MAX));
        self.writable.set(spool.writable.into());
        let dropped = &spool.lost.dropped;
        for (reason, counts) in
            [("full", &dropped.full), ("unwritable", &dropped.unwritable), ("too_large", &dropped.too_large)]
        {
            for (kind, count) in counts.by_kind() {
                self.dropped.get_or_create(&DroppedLabels { reason, kind }).inner().store(count, Relaxed);
            }
        }
        self.refused.inner().store(spool.lost.rejected, Relaxed);
        self.damaged.inner().store(spool.lost.damaged_bytes, Relaxed);
        self.sources.set(number(behaviour.sources));
        self.forgotten.inner().store(behaviour.forgotten, Relaxed);
        self.unshared.inner().store(behaviour.unshared, Relaxed);
        self.access_log_lost.inner().store(*access_log_lost, Relaxed);
    }
}
