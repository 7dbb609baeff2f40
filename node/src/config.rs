//! The configuration file: YAML, `version: 4`, keys of the original's connector-server mode and our own.
//!
//! Reading it opens nothing but the files that hold secrets.

use serde::Deserialize;
use shared::{Mode, signature::SigningKey};
use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

/// The configuration, ready to use.
#[derive(Debug)]
pub struct Config {
    pub connector_address: SocketAddr,
    pub mode: Mode,
    pub metrics_address: Option<SocketAddr>,
    pub health_address: Option<SocketAddr>,
    pub status_address: Option<SocketAddr>,
    /// Guards the admin calls of the status listener.
    pub admin_token: Option<Secret>,
    /// Keys of the connectors that may call. None: all may.
    pub signing_keys: Vec<SigningKey>,
    pub console: Option<ConsoleConfig>,
    pub spool: SpoolConfig,
    pub log: LogConfig,
}

/// Where hits go.
#[derive(Debug)]
pub struct ConsoleConfig {
    pub url: String,
    pub token: Secret,
}

#[derive(Debug, Clone)]
pub struct SpoolConfig {
    pub directory: PathBuf,
    /// On disk at most; beyond it the oldest undelivered records go, counted.
    pub max_bytes: u64,
    /// How much a power loss may cost. A crash of the process costs nothing.
    pub sync_interval: Duration,
}

#[derive(Debug)]
pub struct LogConfig {
    pub level: tracing::Level,
    /// Text for people instead of JSON.
    pub pretty: bool,
}

/// A token or password; never shown.
#[derive(Clone)]
pub struct Secret(String);

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("{path} cannot be read: {cause}")]
    Read { path: PathBuf, cause: io::Error },
    #[error("{path}: {message}")]
    Syntax { path: PathBuf, message: String },
    #[error("{path}: {key}: {expected}")]
    Value { path: PathBuf, key: &'static str, expected: String },
}

impl Config {
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = read(path)?;
        let file: File = serde_saphyr::from_str(&text)
            .map_err(|error| ConfigError::Syntax { path: path.to_owned(), message: error.to_string() })?;
        file.check(path)
    }
}

impl Secret {
    pub fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    pub fn expose(&self) -> &str {
        &self.0
    }

    fn read(path: &Path) -> Result<Self, ConfigError> {
        Ok(Self::new(&read(path)?))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

fn read(path: &Path) -> Result<String, ConfigError> {
    fs::read_to_string(path).map_err(|cause| ConfigError::Read { path: path.to_owned(), cause })
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    mode: String,
    connector: ConnectorSection,
    #[serde(default)]
    route_config: RouteConfigSection,
    #[serde(default)]
    metrics: MetricsSection,
    #[serde(default)]
    health_check: HealthCheckSection,
    #[serde(default)]
    admin: AdminSection,
    #[serde(default)]
    signing_keys: Vec<SigningKeySection>,
    console: Option<ConsoleSection>,
    #[serde(default)]
    spool: SpoolSection,
    #[serde(default)]
    log: LogSection,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConnectorSection {
    address: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RouteConfigSection {
    wallarm_mode: Mode,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct MetricsSection {
    enabled: bool,
    listen_address: String,
    legacy_status: LegacyStatusSection,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct LegacyStatusSection {
    enabled: bool,
    listen_address: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct HealthCheckSection {
    enabled: bool,
    listen_address: String,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct AdminSection {
    token_file: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SigningKeySection {
    id: String,
    secret_file: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConsoleSection {
    url: String,
    token_file: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct SpoolSection {
    directory: PathBuf,
    max_bytes: u64,
    sync_ms: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct LogSection {
    level: String,
    pretty: bool,
}

impl Default for RouteConfigSection {
    fn default() -> Self {
        Self { wallarm_mode: Mode::Monitoring }
    }
}

impl Default for MetricsSection {
    fn default() -> Self {
        Self {
            enabled: true,
            listen_address: "127.0.0.1:9000".into(),
            legacy_status: LegacyStatusSection::default(),
        }
    }
}

impl Default for LegacyStatusSection {
    fn default() -> Self {
        Self { enabled: true, listen_address: "127.0.0.1:10246".into() }
    }
}

impl Default for HealthCheckSection {
    fn default() -> Self {
        Self { enabled: true, listen_address: "127.0.0.1:8080".into() }
    }
}

impl Default for SpoolSection {
    fn default() -> Self {
        Self { directory: "/var/lib/wallarm-node/spool".into(), max_bytes: 1024 * 1024 * 1024, sync_ms: 200 }
    }
}

impl Default for LogSection {
    fn default() -> Self {
        Self { level: "info".into(), pretty: true }
    }
}

impl File {
    /// The smallest spool that still holds a few segments of the largest records.
    const MIN_SPOOL_BYTES: u64 = 16 * 1024 * 1024;

    fn check(self, path: &Path) -> Result<Config, ConfigError> {
        let wrong = |key, expected: &str| ConfigError::Value {
            path: path.to_owned(),
            key,
            expected: expected.to_owned(),
        };
        let address = |key, text: &str| address(text).ok_or_else(|| wrong(key, EXPECTED_ADDRESS));
        let listener = |key, enabled: bool, text: &str| enabled.then(|| address(key, text)).transpose();
        if self.version != 4 {
            return Err(wrong("version", "this node reads version 4"));
        }
        if self.mode != "connector-server" {
            return Err(wrong("mode", "this node runs as connector-server only"));
        }
        if self.spool.max_bytes < Self::MIN_SPOOL_BYTES {
            return Err(wrong("spool.max_bytes", "must be at least 16777216 (16 MiB)"));
        }
        let metrics = &self.metrics;
        Ok(Config {
            connector_address: address("connector.address", &self.connector.address)?,
            mode: self.route_config.wallarm_mode,
            metrics_address: listener("metrics.listen_address", metrics.enabled, &metrics.listen_address)?,
            health_address: listener(
                "health_check.listen_address",
                self.health_check.enabled,
                &self.health_check.listen_address,
            )?,
            status_address: listener(
                "metrics.legacy_status.listen_address",
                metrics.legacy_status.enabled,
                &metrics.legacy_status.listen_address,
            )?,
            admin_token: self.admin.token_file.as_deref().map(Secret::read).transpose()?,
            signing_keys: self
                .signing_keys
                .into_iter()
                .map(SigningKeySection::check)
                .collect::<Result<_, _>>()?,
            console: self.console.map(ConsoleSection::check).transpose()?,
            spool: SpoolConfig {
                directory: self.spool.directory,
                max_bytes: self.spool.max_bytes,
                sync_interval: Duration::from_millis(self.spool.sync_ms.max(1)),
            },
            log: LogConfig {
                level: self
                    .log
                    .level
                    .parse()
                    .map_err(|_| wrong("log.level", "must be one of error, warn, info, debug, trace"))?,
                pretty: self.log.pretty,
            },
        })
    }
}

impl SigningKeySection {
    fn check(self) -> Result<SigningKey, ConfigError> {
        let secret = Secret::read(&self.secret_file)?;
        Ok(SigningKey::new(self.id, secret.expose()))
    }
}

impl ConsoleSection {
    fn check(self) -> Result<ConsoleConfig, ConfigError> {
        Ok(ConsoleConfig {
            url: self.url.trim_end_matches('/').to_owned(),
            token: Secret::read(&self.token_file)?,
        })
    }
}

const EXPECTED_ADDRESS: &str =
    "must be an address and a port such as \"127.0.0.1:5050\", or \":5050\" for all addresses";

/// `:5050` means all addresses, as in the original.
fn address(text: &str) -> Option<SocketAddr> {
    match text.strip_prefix(':') {
        Some(port) => Some(SocketAddr::from(([0, 0, 0, 0], port.parse().ok()?))),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<Config, String> {
        let path = Path::new("node.yaml");
        let file: Result<File, _> = serde_saphyr::from_str(text);
        file.map_err(|error| error.to_string())?.check(path).map_err(|error| error.to_string())
    }

    const SMALLEST: &str = "version: 4\nmode: connector-server\nconnector:\n  address: \":5050\"\n";

    #[test]
    fn the_originals_smallest_file_is_enough() {
        let config = read_text(SMALLEST).unwrap();
        assert_eq!(config.connector_address, "0.0.0.0:5050".parse().unwrap());
        assert_eq!(config.mode, Mode::Monitoring);
        assert_eq!(config.metrics_address, Some("127.0.0.1:9000".parse().unwrap()));
    }

    #[test]
    fn every_mode_can_be_written() {
        for (text, mode) in [
            ("off", Mode::Off),
            ("\"off\"", Mode::Off),
            ("monitoring", Mode::Monitoring),
            ("safe_blocking", Mode::SafeBlocking),
            ("block", Mode::Block),
        ] {
            let config = read_text(&format!("{SMALLEST}route_config:\n  wallarm_mode: {text}\n")).unwrap();
            assert_eq!(config.mode, mode, "{text}");
        }
    }

    #[test]
    fn a_mistake_is_named_with_its_place() {
        let mistakes = [
            "version: 4\nmode: connector-server\n",
            "version: 4\nmode: connector-server\nconnector:\n  adress: \":5050\"\n",
            "version: 3\nmode: connector-server\nconnector:\n  address: \":5050\"\n",
            "version: 4\nmode: tcp-capture-v2\nconnector:\n  address: \":5050\"\n",
            "version: 4\nmode: connector-server\nconnector:\n  address: localhost\n",
            &format!("{SMALLEST}route_config:\n  wallarm_mode: blocking\n"),
            &format!("{SMALLEST}spool:\n  max_bytes: 1\n"),
        ];
        let messages: Vec<_> = mistakes.iter().map(|text| read_text(text).unwrap_err()).collect();
        insta::assert_snapshot!(messages.join("\n---\n"));
    }
}
