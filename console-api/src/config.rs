//! Command-line flags and environment variables, and the configuration file.

mod file;
mod token_file;

pub use file::{ConfigFile, ConfigFileError};
pub use token_file::{Readers, TokenFile, TokenFileError};

use crate::{
    actor::Role,
    coverage::CoverageMargin,
    sealing::KeyFile,
    store::{DatabaseUrl, InvalidPostgresUrl, PostgresUrl, SEARCH_TIME},
};
use clap::{Args, Parser, Subcommand, ValueEnum};
use listener::tls::{Settings, TlsConfig};
use shared::ruleset::Network;
use std::{net::SocketAddr, path::PathBuf};

/// Console of the WAF: stores attacks from nodes, with a REST API and a web interface.
///
/// To start: `wallarm-console serve --data ./console-data`, open <http://127.0.0.1:3000/>, and sign
/// in with the token in `./console-data/admin-token`.
#[derive(Debug, Parser)]
#[command(name = "wallarm-console", version = shared::BUILD, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    /// Format of the log on standard error. Default: text on a terminal, otherwise JSON.
    #[arg(long, global = true, env = "WALLARM_CONSOLE_LOG_FORMAT", value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
    /// Log filter, e.g. `info` or `console_api=debug`.
    #[arg(long, global = true, env = "WALLARM_CONSOLE_LOG", value_name = "FILTER", default_value = "info")]
    pub log: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the console until SIGTERM or Ctrl-C.
    Serve(Box<Serve>),
    /// Write a consistent copy of the database to a file. The server can be running.
    Backup(Backup),
    /// Fill a new database from a backup; the schema is upgraded first.
    Restore(Restore),
    /// Copy the database to a new one of the other engine. Stop the server first.
    Migrate(Migrate),
    /// Release the disk space of deleted records.
    Vacuum(Data),
    /// Encrypt the secrets in the database with a new key, which is added to the key file. The server
    /// can be running. Run it again if it was interrupted.
    RotateKey(RotateKey),
    /// Record generated attacks of the last 30 days, for demos and benchmarks. Use a separate data
    /// directory.
    Seed(Seed),
    /// Manage access tokens.
    #[command(subcommand)]
    Token(TokenCommand),
}

#[derive(Debug, Args)]
pub struct Serve {
    /// Listen address. Without `--tls-certificate` the console serves plain HTTP: keep it on loopback, or
    /// behind a TLS proxy.
    #[arg(long, env = "WALLARM_CONSOLE_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:3000")]
    pub listen: SocketAddr,
    /// Certificate with its intermediates, PEM: the console then serves TLS 1.2 and 1.3 only. Changed
    /// files apply to new connections.
    #[arg(long, env = "WALLARM_CONSOLE_TLS_CERTIFICATE", value_name = "FILE", requires = "tls_key")]
    pub tls_certificate: Option<PathBuf>,
    /// Private key of the certificate, PEM.
    #[arg(long, env = "WALLARM_CONSOLE_TLS_KEY", value_name = "FILE", requires = "tls_certificate")]
    pub tls_key: Option<PathBuf>,
    /// Networks of proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are used, besides those
    /// on this machine, separated by commas.
    #[arg(long, env = "WALLARM_CONSOLE_TRUSTED_PROXIES", value_name = "NETWORK", value_delimiter = ',')]
    pub trusted_proxies: Vec<Network>,
    #[command(flatten)]
    pub data: Data,
    /// File with the administrator token. If it does not exist, it is created with a new token,
    /// readable by its owner only. [default: DIR/admin-token]
    #[arg(long, env = "WALLARM_CONSOLE_ADMIN_TOKEN_FILE", value_name = "FILE")]
    pub admin_token_file: Option<PathBuf>,
    /// File with the token of the nodes, created in the same way. Without this flag, create node
    /// tokens with `token create --role node`.
    #[arg(long, env = "WALLARM_CONSOLE_NODE_TOKEN_FILE", value_name = "FILE")]
    pub node_token_file: Option<PathBuf>,
    /// Create the token file of the nodes readable by its group, too, for a node that runs as
    /// another user.
    #[arg(long, env = "WALLARM_CONSOLE_NODE_TOKEN_GROUP_READABLE", requires = "node_token_file")]
    pub node_token_group_readable: bool,
    /// Folder with the connector's zips from `just bundle`. The console then serves bundles with
    /// configured parameters.
    #[arg(long, env = "WALLARM_CONSOLE_BUNDLE_DIR", value_name = "DIR")]
    pub bundle_dir: Option<PathBuf>,
    /// Address of a protected site, e.g. `https://d111111abcdef8.cloudfront.net`, for the test
    /// commands on pages.
    #[arg(long, env = "WALLARM_CONSOLE_SITE_URL", value_name = "URL", value_parser = site_url)]
    pub site_url: Option<String>,
    /// Address of this console for browsers, e.g. `https://waf.example.com`: for links in notifications;
    /// needed for single sign-on.
    #[arg(long, env = "WALLARM_CONSOLE_PUBLIC_URL", value_name = "URL", value_parser = public_url)]
    pub public_url: Option<String>,
    /// Configuration file, TOML: section `oidc` for single sign-on, see docs/access.md.
    #[arg(long, env = "WALLARM_CONSOLE_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Delete attacks and reports of requests not inspected this many days after they were last
    /// seen. Default: never.
    #[arg(long, env = "WALLARM_CONSOLE_KEEP_DAYS", value_name = "DAYS")]
    pub keep_days: Option<u32>,
    /// Maximum number of hits; the attacks not seen for the longest time are deleted first.
    /// Default: no limit.
    #[arg(long, env = "WALLARM_CONSOLE_KEEP_HITS", value_name = "HITS")]
    pub keep_hits: Option<u64>,
    /// Maximum records per second for each node token, with bursts of ten seconds; batches beyond
    /// it get 429. Default: no limit.
    #[arg(long, env = "WALLARM_CONSOLE_NODE_RECORDS", value_name = "RECORDS", value_parser = clap::value_parser!(u32).range(1..))]
    pub node_records: Option<u32>,
    /// Seconds that a statement of a search may take.
    #[arg(long, env = "WALLARM_CONSOLE_SEARCH_SECONDS", value_name = "SECONDS", default_value_t = SEARCH_TIME.as_secs(), value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub search_seconds: u64,
    /// Private networks that webhooks may call, e.g. `10.1.0.0/16`, separated by commas.
    #[arg(long, env = "WALLARM_CONSOLE_WEBHOOK_ALLOW", value_name = "NETWORK", value_delimiter = ',')]
    pub webhook_allow: Vec<Network>,
    /// Certificates of authorities, PEM, of receivers of webhooks (`https`, `syslog+tls`). Default: the
    /// public authorities.
    #[arg(long, env = "WALLARM_CONSOLE_WEBHOOK_CA_FILE", value_name = "FILE")]
    pub webhook_ca_file: Option<PathBuf>,
    /// Percentage points by which the inspected share of a day has to fall below that of the seven days
    /// before for the event `coverage.fell`.
    #[arg(long, env = "WALLARM_CONSOLE_COVERAGE_MARGIN", value_name = "POINTS", default_value_t = CoverageMargin::DEFAULT, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub coverage_margin: u32,
}

#[derive(Debug, Args)]
pub struct Data {
    /// Directory of the database `console.db` and of the token files. Created if it does not exist.
    #[arg(long = "data", env = "WALLARM_CONSOLE_DATA", value_name = "DIR")]
    pub dir: PathBuf,
    /// PostgreSQL database to use instead of `console.db`: `postgres://USER:PASSWORD@HOST/NAME`.
    #[arg(long, env = "DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// File with the keys that encrypt the secrets in the database. If it does not exist, it is
    /// created with a new key, readable by its owner only. [default: DIR/secrets.key]
    #[arg(long, env = "WALLARM_CONSOLE_KEY_FILE", value_name = "FILE")]
    pub key_file: Option<PathBuf>,
}

impl Data {
    pub fn key_file(&self) -> KeyFile {
        self.key_file.clone().map_or_else(|| KeyFile::in_dir(&self.dir), KeyFile::at)
    }

    pub fn database_url(&self) -> Result<DatabaseUrl, InvalidPostgresUrl> {
        match &self.database_url {
            Some(url) => PostgresUrl::parse(url.clone()).map(DatabaseUrl::Server),
            None => Ok(DatabaseUrl::in_dir(&self.dir)),
        }
    }
}

#[derive(Debug, Args)]
pub struct Backup {
    #[command(flatten)]
    pub data: Data,
    /// File to write, an SQLite database. It must not exist.
    pub file: PathBuf,
}

#[derive(Debug, Args)]
pub struct Restore {
    #[command(flatten)]
    pub data: Data,
    /// File written by `backup`.
    pub file: PathBuf,
}

#[derive(Debug, Args)]
pub struct Migrate {
    /// Source engine: `console.db` of the data directory, or the database of `--database-url`.
    #[arg(long)]
    pub from: Engine,
    #[arg(long)]
    pub to: Engine,
    #[command(flatten)]
    pub data: Data,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    Sqlite,
    Postgres,
}

#[derive(Debug, Args)]
pub struct RotateKey {
    #[command(flatten)]
    pub data: Data,
    /// The key of the database is lost: use the key file, or create it. Secrets of the lost key stay
    /// unreadable; delete their webhooks and signing keys, and add new ones.
    #[arg(long)]
    pub lost_key: bool,
}

#[derive(Debug, Args)]
pub struct Seed {
    #[command(flatten)]
    pub data: Data,
    /// Number of hits.
    #[arg(long, value_name = "N")]
    pub hits: u64,
}

#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Issue a token and print it. Only its digest is stored. The server can be running.
    Create(CreateToken),
}

#[derive(Debug, Args)]
pub struct CreateToken {
    #[command(flatten)]
    pub data: Data,
    /// Role of the token.
    #[arg(long)]
    pub role: Role,
    /// Name of the token, e.g. its user.
    #[arg(long)]
    pub name: String,
}

/// An address with a host. Pages show it in a command, in single quotes.
fn site_url(text: &str) -> Result<String, &'static str> {
    let uri: axum::http::Uri = text.parse().map_err(|_| "not a URL")?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.host().is_none() || text.contains('\'') {
        return Err("give a URL such as https://d111111abcdef8.cloudfront.net");
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// An http or https address without a path. Slack ends links at `|` and `>`.
fn public_url(text: &str) -> Result<String, &'static str> {
    let uri: axum::http::Uri = text.parse().map_err(|_| "not a URL")?;
    let is_web = matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some();
    let has_path = uri.path() != "/" || uri.query().is_some();
    if !is_web || has_path || text.contains(['|', '>', '<', '#', '@']) {
        return Err("give a URL without a path, such as https://waf.example.com");
    }
    Ok(text.trim_end_matches('/').to_owned())
}

impl Serve {
    /// The files of TLS, if configured.
    pub fn tls(&self) -> Option<TlsConfig> {
        let (certificate, key) = self.tls_certificate.clone().zip(self.tls_key.clone())?;
        let (certificate_flag, key_flag) = ("--tls-certificate", "--tls-key");
        let settings = Settings { certificate: certificate_flag, key: key_flag, client_authorities: "none" };
        Some(TlsConfig { certificate, key, client_authorities: None, settings })
    }

    /// The configured token files, with their roles.
    pub fn token_files(&self) -> Vec<TokenFile> {
        let admin = self.admin_token_file.clone().unwrap_or_else(|| self.data.dir.join("admin-token"));
        let readers = if self.node_token_group_readable { Readers::OwnerAndGroup } else { Readers::Owner };
        let node = self.node_token_file.clone().map(|path| TokenFile { path, role: Role::Node, readers });
        [TokenFile { path: admin, role: Role::Admin, readers: Readers::Owner }]
            .into_iter()
            .chain(node)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_flags_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_site_is_an_address_with_a_host() {
        assert_eq!(site_url("http://127.0.0.1:8000/").as_deref(), Ok("http://127.0.0.1:8000"));
        for wrong in ["", "shop.example.com", "ftp://shop.example.com", "https://a/'", "https:///x"] {
            assert!(site_url(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_public_url_has_no_path() {
        assert_eq!(public_url("https://waf.example.com/").as_deref(), Ok("https://waf.example.com"));
        assert_eq!(public_url("http://10.0.0.1:3000").as_deref(), Ok("http://10.0.0.1:3000"));
        for wrong in [
            "",
            "waf.example.com",
            "ftp://waf.example.com",
            "https://a/b",
            "https://a/?b",
            "https://ann@a/",
            "https://a/#b",
            "https://a/|b",
        ] {
            assert!(public_url(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn roles_have_the_names_of_the_api() {
        for role in Role::ALL {
            assert_eq!(Role::from_str(role.as_str(), false), Ok(role));
        }
    }
}
