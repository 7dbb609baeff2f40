//! Prometheus metrics of the console.

use crate::{
    coverage::Recent,
    store::{DeliveryCounts, Node, NotInspectedCounts},
};
use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// The metrics of the process.
#[derive(Clone)]
pub struct Metrics(Arc<Series>);

struct Series {
    registry: Registry,
    records: Family<ResultLabels, Counter>,
    ingest_seconds: Histogram,
    ingest_refused: Family<ReasonLabels, Counter>,
    requests: Family<RequestLabels, Counter>,
    webhook_calls: Family<ResultLabels, Counter>,
    streams: Gauge,
    connections_refused: Counter,
    read: Read,
    /// Serializes scrapes: each sets and encodes the series of [`Read`].
    scrape_lock: Mutex<()>,
}

/// Series that a scrape reads from the database.
#[derive(Default)]
struct Read {
    database_bytes: Gauge,
    not_inspected: Family<NodeReasonLabels, Gauge>,
    webhook_deliveries: Family<StateLabels, Gauge>,
    nodes: Gauge,
    node_problems: Family<ProblemLabels, Gauge>,
    coverage: Family<CoverageLabels, Gauge>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabels {
    result: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabels {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct NodeReasonLabels {
    node: String,
    reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CoverageLabels {
    distribution: String,
    inspected_by: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ProblemLabels {
    node: String,
    problem: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabels {
    state: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    status: u16,
}

/// From 1 ms, a batch of one hit, to 15 s, the timeout of a node.
const DURATION_BUCKETS: [f64; 10] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0];

impl Metrics {
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("wallarm_console");
        let (records, ingest_refused, requests, webhook_calls) = Default::default();
        let (streams, connections_refused, read) = <(Gauge, Counter, Read)>::default();
        let ingest_seconds = Histogram::new(DURATION_BUCKETS);
        let version = vec![("version", env!("CARGO_PKG_VERSION"))];
        registry.register(
            "build",
            "Version of the console",
            prometheus_client::metrics::info::Info::new(version),
        );
        registry.register("ingest_records", "Records of nodes, by result", Clone::clone(&records));
        let help = "Duration from the body of a batch to its response";
        registry.register_with_unit("ingest", help, Unit::Seconds, ingest_seconds.clone());
        let help = "Rejected batches that nodes retry, by reason";
        registry.register("ingest_refused", help, Clone::clone(&ingest_refused));
        registry.register("http_requests", "Responses, by route and status", Clone::clone(&requests));
        let help = "Calls of webhooks, by result";
        registry.register("webhook_calls", help, Clone::clone(&webhook_calls));
        registry.register("attack_streams", "Connected clients of the live stream", streams.clone());
        let help = "Connections closed on arrival, and calls without credentials refused, beyond a limit";
        registry.register("connections_refused", help, connections_refused.clone());
        let help = "Size of the database";
        registry.register_with_unit("database", help, Unit::Bytes, read.database_bytes.clone());
        let help = "Requests not inspected, by the node that reported them first";
        registry.register("not_inspected_requests", help, read.not_inspected.clone());
        let help = "Pending and failed deliveries to webhooks";
        registry.register("webhook_deliveries", help, read.webhook_deliveries.clone());
        registry.register("nodes", "Known nodes", read.nodes.clone());
        let help = "1 for each problem of a node";
        registry.register("node_problem", help, read.node_problems.clone());
        let help = "Requests in access logs on the current day of UTC, by what inspected them";
        registry.register("coverage_requests", help, read.coverage.clone());
        let series = Series {
            registry,
            records,
            ingest_seconds,
            ingest_refused,
            requests,
            webhook_calls,
            streams,
            connections_refused,
            read,
            scrape_lock: Mutex::default(),
        };
        Self(Arc::new(series))
    }

    /// The counter of connections that the listener refuses.
    pub fn connections_refused(&self) -> Counter {
        self.0.connections_refused.clone()
    }

    /// Counts an ingested batch.
    pub fn ingested(&self, reply: &shared::IngestReply, took: Duration) {
        let rejected = reply.rejected.len() as u64;
        for (result, count) in
            [("stored", reply.stored), ("duplicate", reply.duplicate), ("rejected", rejected)]
        {
            self.0.records.get_or_create(&ResultLabels { result }).inc_by(count);
        }
        self.0.ingest_seconds.observe(took.as_secs_f64());
    }

    /// Counts a rejected batch by reason: `rate`, `places` or `database`.
    pub fn refused(&self, reason: &'static str) {
        self.0.ingest_refused.get_or_create(&ReasonLabels { reason }).inc();
    }

    /// Counts a response. The route is the pattern of the router, which bounds the number of
    /// series.
    pub fn responded(&self, route: &str, status: u16) {
        self.0.requests.get_or_create(&RequestLabels { route: route.to_owned(), status }).inc();
    }

    pub fn webhook_called(&self, is_delivered: bool) {
        let result = if is_delivered { "delivered" } else { "failed" };
        self.0.webhook_calls.get_or_create(&ResultLabels { result }).inc();
    }

    /// Counts a client of the live stream until the guard is dropped.
    pub fn stream(&self) -> Watching {
        self.0.streams.inc();
        Watching(self.0.streams.clone())
    }

    /// All series as text, with the values just read from the database.
    pub fn text(
        &self,
        database_bytes: u64,
        not_inspected: &NotInspectedCounts,
        deliveries: &DeliveryCounts,
        nodes: &[Node],
        coverage: &BTreeMap<String, Recent>,
    ) -> Result<String, fmt::Error> {
        let _guard = self.0.scrape_lock.lock().unwrap_or_else(PoisonError::into_inner);
        let read = &self.0.read;
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        read.database_bytes.set(number(database_bytes));
        // Removed nodes and reasons disappear.
        read.not_inspected.clear();
        for (node, reasons) in &not_inspected.by_node {
            for (reason, count) in reasons {
                let labels = NodeReasonLabels { node: node.to_string(), reason: reason.clone() };
                read.not_inspected.get_or_create(&labels).set(number(*count));
            }
        }
        read.webhook_deliveries.clear();
        for (state, count) in deliveries {
            let labels = StateLabels { state: state.as_str().to_owned() };
            read.webhook_deliveries.get_or_create(&labels).set(number(*count));
        }
        read.nodes.set(number(nodes.len() as u64));
        read.node_problems.clear();
        for node in nodes {
            for problem in &node.problems {
                let labels = ProblemLabels { node: node.id.to_string(), problem: problem.kind.as_str() };
                read.node_problems.get_or_create(&labels).set(1);
            }
        }
        read.coverage.clear();
        for (distribution, Recent { today, .. }) in coverage {
            for (inspected_by, count) in
                [("function", today.edge), ("log", today.log()), ("none", today.bypassed)]
            {
                let labels = CoverageLabels { distribution: distribution.clone(), inspected_by };
                read.coverage.get_or_create(&labels).set(number(count));
            }
        }
        let mut text = String::new();
        text::encode(&mut text, &self.0.registry)?;
        Ok(text)
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

/// A counted client of the live stream.
pub struct Watching(Gauge);

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.dec();
    }
}
