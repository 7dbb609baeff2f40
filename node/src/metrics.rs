//! The counters, named after the original's where the meaning is the same.

mod hosts;
mod state;

pub use state::State;

use crate::config::MetricsConfig;
use decision::{Evaluation, ListMatch};
use hosts::PerHost;
use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::Registry,
};
use serde::Serialize;
use shared::{Action, Mode, Reason};
use state::StateSeries;
use std::{fmt, time::Duration};

/// One set per node, passed to whoever counts.
pub struct Metrics {
    registry: Registry,
    pub seen: Family<MessageLabels, Counter>,
    pub rejected: Family<ReasonLabels, Counter>,
    pub bypassed: Family<ReasonLabels, Counter>,
    standings: Family<ListLabels, Counter>,
    processed: Family<SourceLabels, Counter>,
    ignored: Family<SourceLabels, Counter>,
    found: Family<SourceLabels, Counter>,
    threats_blocked: Family<SourceLabels, Counter>,
    per_host: Option<PerHost>,
    blocked: Counter,
    pub bytes: Family<MessageLabels, Counter>,
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
    state: StateSeries,
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

/// What decided, in the original's words: `acl…` for lists, `proton` for the engine, `vpatch`, `mode`; and ours, `behaviour`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SourceLabels {
    source: &'static str,
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
}

pub const REQUEST: MessageLabels = MessageLabels { r#type: "request" };
/// What can find attacks.
const FOUND_BY: [&str; 2] = ["acl_blacklist", "proton"];

pub const RESPONSE: MessageLabels = MessageLabels { r#type: "response" };

/// From 10 µs, the analysis of a clean GET, to 1 s, longer than any connector waits.
const TIME_BUCKETS: [f64; 11] = [1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 1e-3, 2.5e-3, 1e-2, 5e-2, 0.25, 1.0];

impl Metrics {
    pub fn new(config: &MetricsConfig) -> Self {
        let mut registry = Registry::with_prefix(&config.namespace);
        let per_host = config.per_host_stats.then(|| PerHost::new(&mut registry));
        let state = StateSeries::new(&mut registry);
        let mut counter = |name: &str, help: &str| {
            let counter = Counter::default();
            registry.register(name, help, counter.clone());
            counter
        };
        let config_reloads = counter("application_config_reloads", "Configurations taken over while running");
        let config_reload_errors =
            counter("application_config_reload_errors", "Configurations that were wrong and not taken over");
        let blocked = counter("http_connector_server_requests_blocked", "Requests the node said to block");
        let not_inspected = counter("not_inspected_told", "Un-inspected requests connectors told of");
        let lost = counter("spool_lost", "Attacks whose hits could not be written to the spool");
        let delivered = counter("postanalytics_exporter_records_exported", "Records the console has taken");
        let delivery_errors = counter("postanalytics_exporter_errors", "Deliveries that failed");
        let connections_refused =
            counter("connections_refused", "Connections closed as they came, as there were too many");
        let mut sources = |name: &str, help: &str| {
            let family = Family::<SourceLabels, Counter>::default();
            registry.register(name, help, family.clone());
            family
        };
        let processed =
            sources("http_inspector_requests_processed", "Requests decided: by a list, or analysed");
        let ignored = sources("http_inspector_ignored", "Requests let through unread");
        let found = sources("http_inspector_threats_found", "Requests with attacks");
        let threats_blocked = sources("http_inspector_threats_blocked", "Requests blocked, by what decided");
        let mut reasons = |name: &str, help: &str| {
            let family = Family::<ReasonLabels, Counter>::default();
            registry.register(name, help, family.clone());
            family
        };
        let bypassed = reasons(
            "http_connector_server_requests_bypassed",
            "Requests not inspected: in mode off, by input filters, or as connectors' parameters say",
        );
        let rejected = reasons("http_connector_server_messages_rejected", "Messages refused");
        let mut messages = |name: &str, help: &str| {
            let family = Family::<MessageLabels, Counter>::default();
            registry.register(name, help, family.clone());
            family
        };
        let seen = messages("http_connector_server_messages_seen", "Messages received");
        let bytes = messages("http_inspector_bytes_processed", "Bytes of messages read");
        let standings = Family::default();
        registry.register(
            "http_inspector_acl_results",
            "Requests by the list of their source",
            standings.clone(),
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
            processed,
            ignored,
            found,
            threats_blocked,
            per_host,
            blocked,
            bytes,
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
            state,
        }
    }

    /// Counts what was decided on a request to a host.
    pub(crate) fn note(&self, evaluation: &Evaluation<'_>, host: &str, took: Duration) {
        let is_off = evaluation.mode.mode == Mode::Off;
        if is_off || evaluation.is_bypassed {
            let reason = if is_off { "mode_off" } else { "input_filters" };
            self.bypassed.get_or_create(&ReasonLabels { reason }).inc();
        }
        if is_off {
            self.ignored.get_or_create(&SourceLabels { source: "mode" }).inc();
            return;
        }
        let (list, source) = match evaluation.list_match {
            ListMatch::Allowed(_) => ("white", "acl_whitelist"),
            ListMatch::Denied(..) => ("black", "acl_blacklist"),
            ListMatch::Grayed(_) => ("grey", "proton"),
            ListMatch::Unlisted => ("none", "proton"),
        };
        self.standings.get_or_create(&ListLabels { list }).inc();
        if list == "white" {
            self.ignored.get_or_create(&SourceLabels { source }).inc();
        }
        if evaluation.is_analysed {
            self.analysis_seconds.observe(took.as_secs_f64());
        }
        let by = if evaluation.is_analysed { "proton" } else { "acl" };
        if evaluation.is_analysed || evaluation.ruling.would_block {
            self.processed.get_or_create(&SourceLabels { source: by }).inc();
        }
        let (is_threat, is_blocked) =
            (evaluation.ruling.would_block, evaluation.ruling.action == Action::Block);
        if let Some(per_host) = &self.per_host {
            per_host.note(host, is_threat, is_blocked);
        }
        if is_threat {
            self.found.get_or_create(&SourceLabels { source }).inc();
        }
        if is_blocked {
            let source = match evaluation.ruling.reason {
                Some(Reason::VirtualPatch) => "vpatch",
                Some(Reason::RateLimit) => "behaviour",
                _ => source,
            };
            self.threats_blocked.get_or_create(&SourceLabels { source }).inc();
            self.blocked.inc();
        }
    }

    /// The counters as Prometheus reads them.
    pub fn to_text(&self, state: &State<'_>) -> Result<String, fmt::Error> {
        self.state.set(state);
        let mut text = String::new();
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }

    pub fn totals(&self) -> Totals {
        Totals {
            requests: self.seen.get_or_create(&REQUEST).get(),
            attacks: FOUND_BY
                .map(|source| self.found.get_or_create(&SourceLabels { source }).get())
                .iter()
                .sum(),
            blocked: self.blocked.get(),
            blocked_by_acl: self
                .threats_blocked
                .get_or_create(&SourceLabels { source: "acl_blacklist" })
                .get(),
            bytes_in: [REQUEST, RESPONSE].map(|it| self.bytes.get_or_create(&it).get()).iter().sum(),
            requests_lost: self.lost.get(),
        }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new(&MetricsConfig::default())
    }
}
