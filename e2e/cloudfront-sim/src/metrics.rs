//! Prometheus metrics of the simulator.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, text};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::http1::Exchange;
use crate::lambda::Function;

/// Request counters, and the functions' counters at scrape time.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    duration: Histogram,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    status: u16,
    /// The first word of `X-Cache`.
    result: String,
}

#[derive(Debug)]
struct Functions(Vec<Arc<Function>>);

impl Metrics {
    pub fn new(functions: Vec<Arc<Function>>) -> Self {
        let mut registry = Registry::with_prefix("cloudfront_sim");
        let requests = Family::default();
        registry.register("requests", "Requests that were answered", requests.clone());
        let bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
        let duration = Histogram::new(bounds);
        let help = "Time from the request to the last byte of its response";
        registry.register("request_duration_seconds", help, duration.clone());
        registry.register_collector(Box::new(Functions(functions)));
        Self { registry, requests, duration }
    }

    pub fn observe(&self, exchange: &Exchange<'_>) {
        let x_cache = exchange.response.headers.text("x-cache").unwrap_or_default();
        let result = x_cache.split(' ').next().unwrap_or_default().to_owned();
        let labels = RequestLabels { status: exchange.response.status, result };
        self.requests.get_or_create(&labels).inc();
        self.duration.observe(exchange.duration.as_secs_f64());
    }

    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

impl Collector for Functions {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let zero = ConstCounter::new(0_u64);
        let help = "Invocations, by outcome";
        let mut family = encoder.encode_descriptor("invocations", help, None, zero.metric_type())?;
        for function in &self.0 {
            let counts = function.counts();
            let ends = [
                ("answered", counts.answered),
                ("error", counts.errors),
                ("timeout", counts.timeouts),
                ("throttled", counts.throttles),
            ];
            for (end, count) in ends {
                let labels = [("function", function.name()), ("end", end)];
                ConstCounter::new(count).encode(family.encode_family(&labels)?)?;
            }
        }
        let help = "Environments that were started";
        let mut family = encoder.encode_descriptor("cold_starts", help, None, zero.metric_type())?;
        for function in &self.0 {
            let labels = [("function", function.name())];
            ConstCounter::new(function.counts().cold_starts).encode(family.encode_family(&labels)?)?;
        }
        let zero = ConstGauge::new(0_i64);
        let mut family =
            encoder.encode_descriptor("environments", "Environments now", None, zero.metric_type())?;
        for function in &self.0 {
            let now = function.environments();
            for (state, count) in [("busy", now.busy), ("idle", now.idle)] {
                let labels = [("function", function.name()), ("state", state)];
                ConstGauge::new(i64::try_from(count).unwrap_or(i64::MAX))
                    .encode(family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}
