//! Flags and environment → what to run with.

mod token_file;

pub use token_file::{TokenFile, TokenFileError};

use crate::{
    actor::Role,
    store::{DatabaseUrl, InvalidPostgresUrl, PostgresUrl},
};
use clap::{Args, Parser, Subcommand, ValueEnum};
use shared::ruleset::Network;
use std::{net::SocketAddr, path::PathBuf};

/// Keeps the attacks that wallarm nodes found, and shows them: a REST API and a web page.
///
/// To begin: `wallarm-console serve --data ./console-data`, open <http://127.0.0.1:3000/>, and sign in with the token in
/// `./console-data/admin-token`.
#[derive(Debug, Parser)]
#[command(name = "wallarm-console", version, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    /// How to write the log (to standard error). Without this: text on a terminal, JSON elsewhere.
    #[arg(long, global = true, env = "WALLARM_CONSOLE_LOG_FORMAT", value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
    /// What to log, e.g. `info` or `console_api=debug`.
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
    /// Run the console until it is told to stop (SIGTERM or ctrl-c).
    Serve(Serve),
    /// Copy everything into one file, as it is at this moment. The server may be running.
    Backup(Backup),
    /// Fill a new database from a backup, which is brought up to date first.
    Restore(Restore),
    /// Copy everything from one kind of database into a new one of the other kind. Stop the server first.
    Migrate(Migrate),
    /// Give the disk space of what was forgotten back.
    Vacuum(Data),
    /// Record made-up attacks of the last 30 days, to look at or to measure. For a data directory of its own.
    Seed(Seed),
    /// Work with access tokens.
    #[command(subcommand)]
    Token(TokenCommand),
}

#[derive(Debug, Args)]
pub struct Serve {
    /// Where to listen. The console speaks plain HTTP: leave it on loopback, behind whatever ends TLS.
    #[arg(long, env = "WALLARM_CONSOLE_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:3000")]
    pub listen: SocketAddr,
    #[command(flatten)]
    pub data: Data,
    /// A file with the administrator's token. When there is none, a token is made and written there, for the owner's eyes
    /// only. [default: DIR/admin-token]
    #[arg(long, env = "WALLARM_CONSOLE_ADMIN_TOKEN_FILE", value_name = "FILE")]
    pub admin_token_file: Option<PathBuf>,
    /// A file with the token nodes deliver with; made in the same way. Without this flag no token for nodes is set up; make
    /// some with `token create --role node`.
    #[arg(long, env = "WALLARM_CONSOLE_NODE_TOKEN_FILE", value_name = "FILE")]
    pub node_token_file: Option<PathBuf>,
    /// The folder `just bundle` writes the connector's zips to. The console then hands them out, with parameters baked in.
    #[arg(long, env = "WALLARM_CONSOLE_BUNDLE_DIR", value_name = "DIR")]
    pub bundle_dir: Option<PathBuf>,
    /// Forget attacks, and what was not inspected, this many days after they were last seen. Without this: never.
    #[arg(long, env = "WALLARM_CONSOLE_KEEP_DAYS", value_name = "DAYS")]
    pub keep_days: Option<u32>,
    /// Keep at most this many hits; the attacks seen longest ago are forgotten first. Without this: all.
    #[arg(long, env = "WALLARM_CONSOLE_KEEP_HITS", value_name = "HITS")]
    pub keep_hits: Option<u64>,
    /// How many records each node token may deliver in a second, in bursts of ten seconds; who delivers more is told to come back.
    /// Without this: as many as the database takes.
    #[arg(long, env = "WALLARM_CONSOLE_NODE_RECORDS", value_name = "RECORDS", value_parser = clap::value_parser!(u32).range(1..))]
    pub node_records: Option<u32>,
    /// A network that webhooks may lead to although it is not of the public internet, e.g. `10.1.0.0/16`; several with commas.
    #[arg(long, env = "WALLARM_CONSOLE_WEBHOOK_ALLOW", value_name = "NETWORK", value_delimiter = ',')]
    pub webhook_allow: Vec<Network>,
}

#[derive(Debug, Args)]
pub struct Data {
    /// The directory of the database, `console.db`, and of the token files. It is made when there is none.
    #[arg(long = "data", env = "WALLARM_CONSOLE_DATA", value_name = "DIR")]
    pub dir: PathBuf,
    /// A PostgreSQL database, `postgres://USER:PASSWORD@HOST/NAME`, to keep everything in instead of `console.db`.
    #[arg(long, env = "DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub database_url: Option<String>,
}

impl Data {
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
    /// The file to write; there must be none yet. It is a database of SQLite's.
    pub file: PathBuf,
}

#[derive(Debug, Args)]
pub struct Restore {
    #[command(flatten)]
    pub data: Data,
    /// The file `backup` wrote.
    pub file: PathBuf,
}

#[derive(Debug, Args)]
pub struct Migrate {
    /// From `console.db` of the data directory, or from the database of `--database-url`.
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
pub struct Seed {
    #[command(flatten)]
    pub data: Data,
    /// How many hits.
    #[arg(long, value_name = "N")]
    pub hits: u64,
}

#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token and print it, this once: only its digest is kept. The server may be running.
    Create(CreateToken),
}

#[derive(Debug, Args)]
pub struct CreateToken {
    #[command(flatten)]
    pub data: Data,
    /// What the token allows.
    #[arg(long)]
    pub role: Role,
    /// Who or what will use it, so that it can be told from others.
    #[arg(long)]
    pub name: String,
}

impl Serve {
    /// The token files to set up, each with its role.
    pub fn token_files(&self) -> Vec<TokenFile> {
        let admin = self.admin_token_file.clone().unwrap_or_else(|| self.data.dir.join("admin-token"));
        let node = self.node_token_file.clone().map(|path| TokenFile { path, role: Role::Node });
        [TokenFile { path: admin, role: Role::Admin }].into_iter().chain(node).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_flags_hold_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn roles_are_spelled_as_in_the_api() {
        for role in Role::ALL {
            assert_eq!(Role::from_str(role.as_str(), false), Ok(role));
        }
    }
}
