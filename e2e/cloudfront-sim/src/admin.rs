//! The admin API: inspects and changes a running simulator. Loopback only.
//!
//! It can publish zips, which means running code, so pages in a local browser must not be able to
//! call it: changes need a content type that triggers a CORS preflight, which is never granted, and
//! `Host` must name this machine.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::clock::Clock;
use crate::cloudfront::Edge;
use crate::faults::{FaultPlan, Faults};
use crate::http1::{Limits, Request, Response, Server};
use crate::lambda::Function;
use crate::metrics::Metrics;

const HELP: &str = "\
GET  /metrics                   for Prometheus
GET  /status                    functions, environments, requests under way, warnings
GET  /faults                    the fault plan
PUT  /faults                    another one: {\"origin\": {\"delay_ms\": 500}, \"functions\": {\"waf\": {\"fail\": \"crash\"}}}
POST /clock                     move the clock of all TTLs: {\"advance_seconds\": 3600}
POST /invalidations             forget what is cached: {\"paths\": [\"/*\"]}
GET  /functions/NAME/log        its lines, and Lambda's
POST /functions/NAME/versions   publish another zip: {\"zip\": \"/path/to.zip\"}
";

/// The parts of a running simulator.
#[derive(Debug)]
pub struct Simulator {
    pub edge: Arc<Edge>,
    pub functions: Vec<Arc<Function>>,
    pub faults: Faults,
    pub clock: Clock,
    pub metrics: Arc<Metrics>,
}

/// A running admin API. Dropping it closes it.
#[derive(Debug)]
pub struct Admin {
    server: Server,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_seconds: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Invalidation {
    paths: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewVersion {
    zip: PathBuf,
}

impl Admin {
    /// Rejects addresses that other machines can reach.
    pub fn start(listener: TcpListener, simulator: Simulator) -> io::Result<Self> {
        if !listener.local_addr()?.ip().is_loopback() {
            return Err(io::Error::other("the admin API listens on loopback addresses only"));
        }
        let simulator = Arc::new(simulator);
        let server = Server::start(listener, Limits::default(), move |request, _| {
            let simulator = Arc::clone(&simulator);
            async move { simulator.answer(&request).await.unwrap_or_else(|refused| refused) }
        })?;
        Ok(Self { server })
    }

    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }
}

impl Simulator {
    async fn answer(&self, request: &Request) -> Result<Response, Response> {
        if !is_this_machine(&request.headers.text("host").unwrap_or_default()) {
            return Err(problem(403, "Host must be this machine, e.g. 127.0.0.1"));
        }
        let target = String::from_utf8_lossy(&request.target).into_owned();
        let parts: Vec<_> = target.split('/').skip(1).collect();
        match (request.method.as_str(), parts.as_slice()) {
            ("GET", [""]) => Ok(Response::text(200, HELP)),
            ("GET", ["metrics"]) => self.metrics(),
            ("GET", ["status"]) => Ok(Response::json(200, &self.status())),
            ("GET", ["faults"]) => Ok(Response::json(200, &json!(self.faults.plan()))),
            ("PUT", ["faults"]) => {
                let plan: FaultPlan = body(request)?;
                self.faults.set(plan).map_err(|error| problem(400, &error.to_string()))?;
                Ok(Response::json(200, &json!(self.faults.plan())))
            }
            ("POST", ["clock"]) => {
                self.clock.advance(Duration::from_secs(body::<Advance>(request)?.advance_seconds));
                Ok(Response::json(200, &json!({ "now": self.clock.now().to_string() })))
            }
            ("POST", ["invalidations"]) => {
                let paths = body::<Invalidation>(request)?.paths;
                let removed: usize = paths.iter().map(|path| self.edge.invalidate(path)).sum();
                Ok(Response::json(200, &json!({ "removed": removed })))
            }
            ("GET", ["functions", name, "log"]) => {
                Ok(Response::text(200, self.function(name)?.log().lines().join("\n") + "\n"))
            }
            ("POST", ["functions", name, "versions"]) => {
                let (function, zip) = (self.function(name)?, body::<NewVersion>(request)?.zip);
                let version =
                    function.publish(zip).await.map_err(|error| problem(400, &error.to_string()))?;
                Ok(Response::json(200, &json!({ "function": name, "version": version })))
            }
            (
                _,
                ["" | "metrics" | "status" | "faults" | "clock" | "invalidations"]
                | ["functions", _, "log" | "versions"],
            ) => Err(problem(405, "method not allowed; GET / lists the operations")),
            _ => Err(problem(404, "path not found; GET / lists the operations")),
        }
    }

    fn metrics(&self) -> Result<Response, Response> {
        let text = self.metrics.text().map_err(|_| problem(500, "cannot encode the metrics"))?;
        let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        Ok(Response::new(200).header("Content-Type", kind).with_body(text))
    }

    fn status(&self) -> Value {
        let functions = self.functions.iter().map(|function| {
            let (counts, environments) = (function.counts(), function.environments());
            json!({
                "name": function.name(),
                "version": function.version(),
                "environments": {
                    "busy": environments.busy, "idle": environments.idle, "pids": function.pids(),
                },
                "invocations": {
                    "answered": counts.answered, "errors": counts.errors,
                    "timeouts": counts.timeouts, "throttled": counts.throttles,
                },
                "cold_starts": counts.cold_starts,
            })
        });
        json!({
            "functions": functions.collect::<Vec<_>>(),
            "requests_under_way": self.edge.in_flight(),
            "warnings": self.edge.warnings(),
            "now": self.clock.now().to_string(),
        })
    }

    fn function(&self, name: &str) -> Result<&Arc<Function>, Response> {
        let named = self.functions.iter().find(|function| function.name() == name);
        named.ok_or_else(|| problem(404, &format!("no function is named {name:?}; GET /status lists them")))
    }
}

fn body<T: DeserializeOwned>(request: &Request) -> Result<T, Response> {
    let kind = request.headers.text("content-type").unwrap_or_default();
    if !kind.to_ascii_lowercase().starts_with("application/json") {
        return Err(problem(415, "the request needs Content-Type: application/json"));
    }
    serde_json::from_slice(&request.body).map_err(|error| problem(400, &error.to_string()))
}

fn is_this_machine(host: &str) -> bool {
    let name =
        host.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()).map_or(host, |(name, _)| name);
    matches!(name, "localhost" | "[::1]")
        || name.parse::<std::net::Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
}

fn problem(status: u16, detail: &str) -> Response {
    Response::json(status, &json!({ "status": status, "detail": detail }))
}
