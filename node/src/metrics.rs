//! The counters, named after the original's where the meaning is the same.

use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::Registry,
};
use serde::Serialize;
use std::{fmt, time::Duration};

/// One set per node, passed to whoever counts.
pub struct Metrics {
    registry: Registry,
    pub seen: Family<MessageLabels, Counter>,
    pub rejected: Family<ReasonLabels, Counter>,
    pub bypassed: Family<ReasonLabels, Counter>,
    standings: Family<ListLabels, Counter>,
    pub attacks: Counter,
    pub blocked: Counter,
    pub not_inspected: Counter,
    /// Verdicts that left although their hits could not be written to the spool.
    pub lost: Counter,
    pub delivered: Counter,
    pub delivery_errors: Counter,
    pub analysis_seconds: Histogram,
    /// From the head of a call to its answer.
    pub request_seconds: Histogram,
    /// Of that, waiting for a turn.
    pub queue_seconds: Histogram,
    /// Of that, writing to the spool.
    pub spool_seconds: Histogram,
    pub config_reloads: Counter,
    pub config_reload_errors: Counter,
    pub connections_refused: Counter,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct MessageLabels {
    pub r#type: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ReasonLabels {
    pub reason: &'static str,
}

/// In the original's words: `white`, `black`, `grey`, `none`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ListLabels {
    list: &'static str,
}

/// The counters of `/wallarm-status`.
#[derive(Debug, Serialize)]
pub struct Totals {
    pub requests: u64,
    pub attacks: u64,
    pub blocked: u64,
    pub requests_lost: u64,
}

pub const REQUEST: MessageLabels = MessageLabels { r#type: "request" };
pub const RESPONSE: MessageLabels = MessageLabels { r#type: "response" };

/// From 10 µs, the analysis of a clean GET, to 1 s, longer than any connector waits.
const TIME_BUCKETS: [f64; 11] = [1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 1e-3, 2.5e-3, 1e-2, 5e-2, 0.25, 1.0];

impl Metrics {
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("wallarm_gonode");
        let mut counter = |name: &str, help: &str| {
            let counter = Counter::default();
            registry.register(name, help, counter.clone());
            counter
        };
        let config_reloads = counter("application_config_reloads", "Configurations taken over while running");
        let config_reload_errors =
            counter("application_config_reload_errors", "Configurations that were wrong and not taken over");
        let attacks = counter("http_inspector_threats_found", "Requests with attacks");
        let blocked = counter("http_connector_server_requests_blocked", "Requests the node said to block");
        let not_inspected = counter("not_inspected_told", "Un-inspected requests connectors told of");
        let lost = counter("spool_lost", "Attacks whose hits could not be written to the spool");
        let delivered = counter("postanalytics_exporter_records_exported", "Records the console has taken");
        let delivery_errors = counter("postanalytics_exporter_errors", "Deliveries that failed");
        let bypassed = Family::default();
        registry.register(
            "http_connector_server_requests_bypassed",
            "Requests not inspected: in mode off, by input filters, or as connectors' parameters say",
            bypassed.clone(),
        );
        let seen = Family::default();
        registry.register("http_connector_server_messages_seen", "Messages received", seen.clone());
        let rejected = Family::default();
        registry.register("http_connector_server_messages_rejected", "Messages refused", rejected.clone());
        let standings = Family::default();
        registry.register(
            "http_inspector_acl_results",
            "Requests by the list of their source",
            standings.clone(),
        );
        let connections_refused = Counter::default();
        registry.register(
            "connections_refused",
            "Connections closed as they came, as there were too many",
            connections_refused.clone(),
        );
        let mut times = |name: &str, help: &str| {
            let times = Histogram::new(TIME_BUCKETS);
            registry.register(name, help, times.clone());
            times
        };
        let analysis_seconds = times("analysis_seconds", "Time to analyse a request");
        let request_seconds = times("request_seconds", "Time from the head of a call to its answer");
        let queue_seconds = times("queue_seconds", "Time a request waited for its turn");
        let spool_seconds = times("spool_seconds", "Time to write records to the spool");
        Self {
            registry,
            seen,
            rejected,
            bypassed,
            standings,
            attacks,
            blocked,
            not_inspected,
            lost,
            delivered,
            delivery_errors,
            analysis_seconds,
            request_seconds,
            queue_seconds,
            spool_seconds,
            config_reloads,
            config_reload_errors,
            connections_refused,
        }
    }

    pub fn note_analysis(&self, took: Duration) {
        self.analysis_seconds.observe(took.as_secs_f64());
    }

    pub fn note_standing(&self, list: &'static str) {
        self.standings.get_or_create(&ListLabels { list }).inc();
    }

    /// The counters as Prometheus reads them.
    pub fn to_text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }

    pub fn totals(&self) -> Totals {
        Totals {
            requests: self.seen.get_or_create(&REQUEST).get(),
            attacks: self.attacks.get(),
            blocked: self.blocked.get(),
            requests_lost: self.lost.get(),
        }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}
