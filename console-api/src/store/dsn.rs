//! Database URLs, and the start of connections.

use crate::store::sql::dialect::Dialect;
use sqlx::{AssertSqlSafe, Database, Executor, any::AnyConnectOptions, pool::PoolOptions};
use std::{
    fmt,
    fs::OpenOptions,
    io,
    os::unix::{ffi::OsStrExt, fs::OpenOptionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

/// The name of the SQLite file in the data directory.
const FILE_NAME: &str = "console.db";

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A SQLite file.
    File(PathBuf),
    Server(PostgresUrl),
}

/// The URL of a PostgreSQL database. It may contain a password, so it is never displayed.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl(String);

#[derive(Debug, thiserror::Error)]
#[error("a database URL must start with postgres:// or postgresql://")]
pub struct InvalidPostgresUrl;

impl PostgresUrl {
    pub fn parse(url: String) -> Result<Self, InvalidPostgresUrl> {
        let is_known = ["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme));
        if is_known { Ok(Self(url)) } else { Err(InvalidPostgresUrl) }
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PostgresUrl")
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(formatter),
            Self::Server(_) => formatter.write_str("on the PostgreSQL server"),
        }
    }
}

impl DatabaseUrl {
    pub fn in_dir(data_dir: &Path) -> Self {
        Self::File(data_dir.join(FILE_NAME))
    }

    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            Self::File(_) => Dialect::Sqlite,
            Self::Server(_) => Dialect::Postgres,
        }
    }

    /// The connect options. Creates a missing SQLite file.
    pub(crate) fn options(&self) -> Result<AnyConnectOptions, sqlx::Error> {
        match self {
            Self::File(path) => {
                make_private(path)?;
                format!("sqlite:{}", url_path(path)).parse()
            }
            Self::Server(PostgresUrl(url)) => url.parse(),
        }
    }
}

/// Shorter than the 15 seconds after which nodes give up: they get a 503 and retry.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// Servers close idle connections, and balancers in front of them old ones. A connection to a file has
/// a page cache, whose memory would not be returned in one piece.
const LIFETIME: Duration = Duration::from_mins(30);

/// A pool whose connections start with these statements.
pub(crate) fn pool<DB: Database>(dialect: Dialect, size: u32, first: Vec<String>) -> PoolOptions<DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    let lifetime = match dialect {
        Dialect::Sqlite => None,
        Dialect::Postgres => Some(LIFETIME),
    };
    PoolOptions::new()
        .max_connections(size)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .max_lifetime(lifetime)
        .idle_timeout(lifetime)
        .after_connect(move |connection: &mut DB::Connection, _| {
            let first = first.clone();
            Box::pin(async move {
                for statement in first {
                    connection.execute(AssertSqlSafe(statement)).await?;
                }
                Ok(())
            })
        })
}

/// Creates the file with access for its owner only. SQLite gives its log files the same mode.
fn make_private(path: &Path) -> io::Result<()> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path).map(drop)
}

/// A path, percent-encoded for a URL.
fn url_path(path: &Path) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/.-_".contains(&byte);
    let encode = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    path.as_os_str().as_bytes().iter().copied().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_url_is_never_displayed() {
        let url = PostgresUrl::parse("postgres://ann:secret@db.example.com/console".to_owned()).unwrap();
        let url = DatabaseUrl::Server(url);
        assert!(!format!("{url} {url:?}").contains("secret"));
    }

    #[test]
    fn a_path_may_contain_any_character() {
        assert_eq!(url_path(Path::new("/a b?#%/console.db")), "/a%20b%3F%23%25/console.db");
    }
}
