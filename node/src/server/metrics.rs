//! Metrics of requests: received, decided and refused, with durations.

mod evaluated;
mod hosts;

use super::message::Message;
use crate::{
    VERSION,
    config::{Config, MetricsConfig},
    metrics::{counter, durations, family, on_scrape},
};
use arc_swap::ArcSwap;
pub(super) use evaluated::Evaluated;
use evaluated::MODE_OFF;
use hosts::PerHost;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::ConstGauge, histogram::Histogram},
    registry::Registry,
};
use serde::Serialize;
use std::sync::Arc;

/// One set per node.
pub struct ServerMetrics {
    pub seen: Family<MessageLabels, Counter>,
    pub rejected: Family<ReasonLabels, Counter>,
    pub bypassed: Family<ReasonLabels, Counter>,
    list_results: Family<ListLabels, Counter>,
    processed: Family<SourceLabels, Counter>,
    ignored: Family<SourceLabels, Counter>,
    threats: Family<SourceLabels, Counter>,
    threats_blocked: Family<SourceLabels, Counter>,
    per_host: Option<PerHost>,
    blocked: Counter,
    pub bytes: Family<MessageLabels, Counter>,
    pub not_inspected: Counter,
    /// Requests with a body of which no stage sees the rest, and the bytes of the rest.
    pub truncated: TruncatedBodies,
    /// Records that could not be written to the spool.
    pub lost: Counter,
    pub analysis_seconds: Histogram,
    /// From the head of a call to its response.
    pub request_seconds: Histogram,
    /// Of that, waiting for the analysis to start.
    pub queue_seconds: Histogram,
    /// Of that, writing to the spool.
    pub spool_seconds: Histogram,
    pub config_reloads: Counter,
    pub config_reload_errors: Counter,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct MessageLabels {
    pub r#type: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ReasonLabels {
    pub reason: &'static str,
}

/// The original's values: `white`, `black`, `grey`, `none`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ListLabels {
    list: &'static str,
}

/// The origin of a decision. The original's values: `acl…` for lists, `proton` for the engine,
/// `vpatch`, `mode`; ours: `behaviour`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SourceLabels {
    source: &'static str,
}

/// Bodies of which only a part was inspected.
#[derive(Debug)]
pub struct TruncatedBodies {
    requests: Counter,
    unseen_bytes: Counter,
}

impl TruncatedBodies {
    fn new(registry: &mut Registry) -> Self {
        Self {
            requests: counter(
                registry,
                "truncated_bodies",
                "Requests with a body of which only a part was inspected",
            ),
            unseen_bytes: counter(
                registry,
                "truncated_bodies_unseen_bytes",
                "Bytes of truncated bodies that were not inspected, as far as their lengths are known",
            ),
        }
    }

    pub(super) fn count(&self, unseen_bytes: u64) {
        self.requests.inc();
        self.unseen_bytes.inc_by(unseen_bytes);
    }
}

/// The counters of `/wallarm-status`.
#[derive(Debug, Serialize)]
pub struct Totals {
    pub requests: u64,
    pub attacks: u64,
    pub blocked: u64,
    /// Of those, by a list.
    pub blocked_by_acl: u64,
    pub bytes_in: u64,
    pub requests_lost: u64,
    /// Requests with a body of which only a part was inspected.
    pub truncated_bodies: u64,
    pub unseen_bytes: u64,
}

/// Values of `source` that count as attacks.
const ATTACK_SOURCES: [&str; 2] = ["acl_blacklist", "proton"];

pub const REQUEST: MessageLabels = MessageLabels { r#type: "request" };
pub const RESPONSE: MessageLabels = MessageLabels { r#type: "response" };

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct InfoLabels {
    version: &'static str,
    mode: &'static str,
    deployment_type: &'static str,
}

impl ServerMetrics {
    pub fn new(config: &MetricsConfig, registry: &mut Registry) -> Self {
        Self {
            per_host: config.per_host_stats.then(|| PerHost::new(registry)),
            config_reloads: counter(
                registry,
                "application_config_reloads",
                "Configurations applied while running",
            ),
            config_reload_errors: counter(
                registry,
                "application_config_reload_errors",
                "Configurations rejected while running",
            ),
            blocked: counter(registry, "http_connector_server_requests_blocked", "Requests blocked"),
            not_inspected: counter(
                registry,
                "not_inspected_told",
                "Requests that connectors reported as not inspected",
            ),
            truncated: TruncatedBodies::new(registry),
            lost: counter(registry, "spool_lost", "Records that could not be written to the spool"),
            processed: family(
                registry,
                "http_inspector_requests_processed",
                "Requests decided, by a list or by analysis",
            ),
            ignored: family(registry, "http_inspector_ignored", "Requests allowed without analysis"),
            threats: family(registry, "http_inspector_threats_found", "Requests with attacks"),
            threats_blocked: family(
                registry,
                "http_inspector_threats_blocked",
                "Requests blocked, by what decided",
            ),
            bypassed: family(
                registry,
                "http_connector_server_requests_bypassed",
                "Requests not inspected: mode off, input filters, or parameters of connectors",
            ),
            rejected: family(registry, "http_connector_server_messages_rejected", "Messages rejected"),
            seen: family(registry, "http_connector_server_messages_seen", "Messages received"),
            bytes: family(registry, "http_inspector_bytes_processed", "Bytes of messages received"),
            list_results: family(
                registry,
                "http_inspector_acl_results",
                "Requests by the list that matched their source",
            ),
            analysis_seconds: durations(registry, "analysis_seconds", "Time to analyze a request"),
            request_seconds: durations(
                registry,
                "request_seconds",
                "Time from the head of a call to its response",
            ),
            queue_seconds: durations(registry, "queue_seconds", "Time a request waited for its analysis"),
            spool_seconds: durations(registry, "spool_seconds", "Time to write records to the spool"),
        }
    }

    /// Counts a message of a connector.
    pub(super) fn received(&self, labels: &MessageLabels, message: &Message) {
        self.seen.get_or_create(labels).inc();
        self.bytes.get_or_create(labels).inc_by(message.body.len() as u64);
    }

    /// Counts a refusal or a bypass.
    pub(super) fn count(family: &Family<ReasonLabels, Counter>, reason: &'static str, by: u64) {
        family.get_or_create(&ReasonLabels { reason }).inc_by(by);
    }

    /// The number of requests that were exempted from inspection for a reason.
    pub(super) fn bypassed(&self, reason: &'static str) -> u64 {
        self.bypassed.get_or_create(&ReasonLabels { reason }).get()
    }

    /// Counts the evaluation of a request to a host.
    pub(super) fn evaluated(&self, evaluated: &Evaluated, host: &str) {
        let Evaluated { exempt, list, source, analysis, would_block, blocked_by } = *evaluated;
        if let Some(reason) = exempt {
            Self::count(&self.bypassed, reason, 1);
        }
        if exempt == Some(MODE_OFF) {
            self.ignored.get_or_create(&SourceLabels { source: "mode" }).inc();
            return;
        }
        self.list_results.get_or_create(&ListLabels { list }).inc();
        if list == "white" {
            self.ignored.get_or_create(&SourceLabels { source }).inc();
        }
        if let Some(took) = analysis {
            self.analysis_seconds.observe(took.as_secs_f64());
        }
        let by = if analysis.is_some() { "proton" } else { "acl" };
        if evaluated.is_inspected() {
            self.processed.get_or_create(&SourceLabels { source: by }).inc();
        }
        if let Some(per_host) = &self.per_host {
            per_host.count(host, would_block, blocked_by.is_some());
        }
        if would_block {
            self.threats.get_or_create(&SourceLabels { source }).inc();
        }
        if let Some(source) = blocked_by {
            self.threats_blocked.get_or_create(&SourceLabels { source }).inc();
            self.blocked.inc();
        }
    }

    pub fn totals(&self) -> Totals {
        Totals {
            requests: self.seen.get_or_create(&REQUEST).get(),
            attacks: ATTACK_SOURCES
                .map(|source| self.threats.get_or_create(&SourceLabels { source }).get())
                .iter()
                .sum(),
            blocked: self.blocked.get(),
            blocked_by_acl: self
                .threats_blocked
                .get_or_create(&SourceLabels { source: "acl_blacklist" })
                .get(),
            bytes_in: [REQUEST, RESPONSE].map(|it| self.bytes.get_or_create(&it).get()).iter().sum(),
            requests_lost: self.lost.get(),
            truncated_bodies: self.truncated.requests.get(),
            unseen_bytes: self.truncated.unseen_bytes.get(),
        }
    }
}

/// Registers the series `application_info`.
pub(super) fn register_info(registry: &mut Registry, config: Arc<ArcSwap<Config>>) {
    on_scrape(registry, move |scrape| {
        let mode = config.load().route_config.default.mode.mode.as_str();
        let labels = InfoLabels { version: VERSION, mode, deployment_type: "connector-server" };
        scrape.family("application_info", "Always 1", [(labels, ConstGauge::new(1_u64))])
    });
}
