//! The configuration: a YAML file, `version: 4`, and environment variables that override its keys.
//!
//! One file per section, in which each key is declared once: see [`section`]. A new section is a
//! file with a struct and its `impl Part`, a field of [`Config`], and rows in `docs/node.md`, which
//! a test compares. Reading opens no file except those that hold secrets.

mod admin;
pub mod behaviour;
mod connector;
mod console;
mod environment;
mod geoip;
mod health_check;
mod http_inspector;
mod input_filters;
mod limits;
mod listener;
mod log;
mod logs;
mod metrics;
mod nearest;
mod per_connection_limits;
mod problem;
mod proxy_headers;
mod records;
mod route_config;
mod scalar;
mod secret;
mod section;
mod signing_keys;
mod spool;
mod tls;
mod uploads;
mod yaml;

pub use admin::AdminConfig;
pub use behaviour::BehaviourConfig;
pub use connector::ConnectorConfig;
pub use console::ConsoleConfig;
pub use environment::Environment;
pub use geoip::GeoIpConfig;
pub use health_check::HealthCheckConfig;
pub use http_inspector::HttpInspectorConfig;
pub use input_filters::InputFilters;
pub use limits::{LimitsConfig, QueueTimeouts};
pub use log::{Destination, LogConfig};
pub use logs::LogsConfig;
pub use metrics::MetricsConfig;
pub use problem::{ConfigError, Problem};
pub use proxy_headers::ProxyHeaders;
pub use records::{DefaultMask, RecordsConfig};
pub use secret::Secret;
pub use section::{KnownKey, Presence};
pub use spool::SpoolConfig;

use crate::routes::Routes;
use problem::Origin;
use section::{Part, Section, SectionReader};
use shared::call_signature::SigningKey;
use std::{fs, path::Path};

/// The validated configuration.
#[derive(Debug)]
pub struct Config {
    pub connector: ConnectorConfig,
    pub proxy_headers: Vec<ProxyHeaders>,
    pub route_config: Routes,
    pub input_filters: InputFilters,
    pub http_inspector: HttpInspectorConfig,
    pub metrics: MetricsConfig,
    pub health_check: HealthCheckConfig,
    pub admin: AdminConfig,
    /// Keys of connectors. Empty: calls need no signature.
    pub signing_keys: Vec<SigningKey>,
    pub console: Option<ConsoleConfig>,
    pub records: RecordsConfig,
    pub spool: SpoolConfig,
    pub limits: LimitsConfig,
    pub behaviour: BehaviourConfig,
    pub geoip: GeoIpConfig,
    pub logs: LogsConfig,
    pub log: LogConfig,
    /// Keys without effect, and questionable values.
    pub warnings: Vec<Problem>,
}

impl Config {
    pub fn read(path: &Path, environment: &Environment) -> Result<Self, ConfigError> {
        let text =
            fs::read_to_string(path).map_err(|cause| ConfigError::Read { path: path.to_owned(), cause })?;
        Self::parse(path, &text, environment)
    }

    /// Parses the text of a file; the path is for messages.
    pub fn parse(path: &Path, text: &str, environment: &Environment) -> Result<Self, ConfigError> {
        let document = yaml::parse(text).map_err(|error| {
            ConfigError::Invalid(vec![Problem {
                at: Origin::file(path, error.position),
                message: error.message,
            }])
        })?;
        let reader = SectionReader::new(path, environment);
        let config = reader.root::<Self>(&document);
        let (errors, warnings) = reader.finish();
        match config {
            Some(config) if errors.is_empty() => Ok(Self { warnings, ..config }),
            _ => Err(ConfigError::Invalid(errors)),
        }
    }

    /// Changed sections that take effect only after a restart.
    pub fn needs_restart(&self, started: &Self) -> Vec<&'static str> {
        let differs = [
            ("connector.address", self.connector.address != started.connector.address),
            ("connector.tls_…", self.connector.tls != started.connector.tls),
            ("connector.per_connection_limits", self.connector.recycle != started.connector.recycle),
            ("limits", self.limits != started.limits),
            ("http_inspector.workers", self.http_inspector != started.http_inspector),
            ("metrics", self.metrics != started.metrics),
            ("health_check", self.health_check != started.health_check),
            ("console", self.console != started.console),
            ("spool", self.spool != started.spool),
            ("geoip", self.geoip != started.geoip),
            ("logs.paths", self.logs.paths != started.logs.paths),
            ("logs.remember", self.logs.remembered() != started.logs.remembered()),
            ("log", self.log != started.log),
        ];
        differs.into_iter().filter(|(_, differs)| *differs).map(|(key, _)| key).collect()
    }

    /// Every known key, in the order of the file.
    pub fn keys() -> Vec<KnownKey> {
        section::keys_of::<Self>()
    }
}

impl Part for Config {
    fn read(file: &mut Section<'_>) -> Option<Self> {
        let version = file.required::<u32>("version");
        if version.is_some_and(|version| version != 4) {
            file.wrong("version", "must be 4");
        }
        let mode = file.required::<String>("mode");
        if mode.is_some_and(|mode| mode != "connector-server") {
            file.wrong("mode", "must be connector-server");
        }
        let connector = file.section("connector");
        let proxy_headers = file.sections("proxy_headers");
        let route_config = file.section("route_config");
        let input_filters = file.section("input_filters");
        let http_inspector = file.section("http_inspector");
        let metrics = file.section("metrics");
        let health_check = file.section("health_check");
        let admin = file.section("admin");
        let signing_keys = file.sections("signing_keys");
        let console: Option<ConsoleConfig> = file.optional_section("console");
        let records: Option<RecordsConfig> = file.section("records");
        let spool = file.section("spool");
        let limits = file.section("limits");
        let behaviour = file.section("behaviour");
        let geoip = file.section("geoip");
        let logs = file.section("logs");
        let log = file.section("log");
        for exporter in ["postanalytics_exporter", "tarantool_exporter"] {
            file.ignored(exporter, "hits are sent to the console of the section `console`");
        }
        Some(Self {
            connector: connector?,
            proxy_headers,
            route_config: route_config?,
            input_filters: input_filters?,
            http_inspector: http_inspector?,
            metrics: metrics?,
            health_check: health_check?,
            admin: admin?,
            signing_keys,
            records: records?.keyed(console.as_ref().map_or("", |console| console.token.expose())),
            console,
            spool: spool?,
            limits: limits?,
            behaviour: behaviour?,
            geoip: geoip?,
            logs: logs?,
            log: log?,
            warnings: Vec::new(),
        })
    }
}

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;
