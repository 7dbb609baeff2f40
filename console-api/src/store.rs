//! The store: SQLite or PostgreSQL. Only this module contains SQL: static text with binds in the
//! common subset; differences are in [`sql::dialect`].
//!
//! One connection writes, so that transactions of a process do not wait for locks; a pool of others
//! reads, and another one searches.

mod access;
mod attacks;
mod audit;
mod batch;
mod change;
mod delivery;
mod dsn;
mod ingest;
mod maintenance;
mod requests;
mod rules;
mod schema;
mod search;
mod secrets;
mod sql;

pub use access::sessions::Holder;
pub use access::tokens::TokenSource;
pub use batch::{Batch, BatchSummary};
pub use change::ChangeError;
pub use delivery::attempts::{AttemptResult, Claim};
pub use delivery::deliveries::{About, DeliveryCounts, NewDelivery};
pub use delivery::digests::Collected;
pub use delivery::webhooks::{Due, Grown};
pub use dsn::{DatabaseUrl, InvalidPostgresUrl, PostgresUrl};
pub use ingest::not_inspected::{NotInspectedCounts, NotInspectedFilter, Reported};
pub use ingest::{
    Delivery, IngestError, Ingested, ValidRecord, node_validation_error, nodes::Node, pieces, plausible, rows,
};
pub use maintenance::transfer::TransferError;
pub(crate) use rules::versioned::Versioned;
pub use secrets::{Rotation, UnlockError};

use crate::sealing::{KeyFile, Keyring, UnsealError};
use sql::{dialect::Dialect, searcher::Searcher, text_codec};
use sqlx::{Any, AnyPool, Transaction};
use std::time::Duration;

const READERS: u32 = 4;

/// The time of one statement of a search, unless configured.
pub const SEARCH_TIME: Duration = Duration::from_secs(10);

/// A connection to either database.
type Connection = sqlx::AnyConnection;

#[derive(Clone)]
pub struct Store {
    writer: AnyPool,
    reader: AnyPool,
    searcher: Searcher,
    dialect: Dialect,
    keys: Keyring,
}

/// An open database without the keys of its secrets: rows can be copied, not used.
#[derive(Clone)]
pub struct Database {
    writer: AnyPool,
    reader: AnyPool,
    searcher: Searcher,
    dialect: Dialect,
}

/// A database that cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot open the database {url}")]
pub struct OpenError {
    url: DatabaseUrl,
    #[source]
    cause: sqlx::Error,
}

/// An error of an open database.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("database error")]
    Database(#[from] sqlx::Error),
    #[error("a search was stopped after {limit:?}")]
    SearchTime { limit: Duration },
    #[error("all connections for searches are in use")]
    SearchesBusy,
    #[error("table {table}, row {id}: column {column} has a value that this version cannot read")]
    BadRow { table: &'static str, id: String, column: &'static str },
    #[error(transparent)]
    Unseal(#[from] UnsealError),
}

impl StoreError {
    fn bad_row(table: &'static str, id: &str, column: &'static str) -> Self {
        Self::BadRow { table, id: id.to_owned(), column }
    }

    /// Whether the error is transient: a lock, or an unreachable server.
    pub fn is_transient(&self) -> bool {
        // SQLITE_BUSY and its extended codes; PostgreSQL: serialization failure, deadlock, lock
        // timeout, too many connections, shutdown, crash, startup.
        const BUSY: [&str; 10] =
            ["5", "261", "517", "40001", "40P01", "55P03", "53300", "57P01", "57P02", "57P03"];
        match self {
            Self::Database(sqlx::Error::PoolTimedOut | sqlx::Error::Io(_)) => true,
            Self::Database(sqlx::Error::Database(cause)) => {
                cause.code().is_some_and(|code| BUSY.contains(&code.as_ref()))
            }
            _ => false,
        }
    }
}

impl Database {
    /// Opens a database, and creates or migrates its tables.
    pub async fn open(url: &DatabaseUrl) -> Result<Self, OpenError> {
        Self::connect_within(url, SEARCH_TIME).await
    }

    async fn connect_within(url: &DatabaseUrl, search_time: Duration) -> Result<Self, OpenError> {
        Self::connect(url, search_time).await.map_err(|cause| OpenError { url: url.clone(), cause })
    }

    async fn connect(url: &DatabaseUrl, search_time: Duration) -> Result<Self, sqlx::Error> {
        sqlx::any::install_default_drivers();
        let (options, dialect) = (url.options()?, url.dialect());
        schema::prepare(&options, dialect).await?;
        let pool = |size, first: &[&str]| {
            dsn::pool(dialect, size, first.iter().map(|it| (*it).to_owned()).collect())
                .connect_lazy_with(options.clone())
        };
        let (writer, reader) = (pool(1, dialect.writer_start()), pool(READERS, dialect.reader_start()));
        let searcher = Searcher::open(options, dialect, search_time)?;
        Ok(Self { writer, reader, searcher, dialect })
    }

    async fn begin_write(&self) -> Result<Transaction<'static, Any>, sqlx::Error> {
        self.writer.begin_with(self.dialect.begin_write()).await
    }

    /// Waits for running statements, then closes all connections.
    pub async fn close(&self) {
        self.searcher.close().await;
        self.reader.close().await;
        self.writer.close().await;
    }
}

impl Store {
    /// Opens a database with the keys of its secrets.
    pub async fn open(url: &DatabaseUrl, keys: &KeyFile) -> Result<Self, UnlockError> {
        Self::open_with(url, keys, SEARCH_TIME).await
    }

    /// The same with a time limit for each statement of a search.
    pub async fn open_with(
        url: &DatabaseUrl,
        keys: &KeyFile,
        search_time: Duration,
    ) -> Result<Self, UnlockError> {
        Database::connect_within(url, search_time).await?.unlock(keys).await
    }

    /// Begins a transaction that may write.
    async fn begin_write(&self) -> Result<Transaction<'static, Any>, sqlx::Error> {
        self.writer.begin_with(self.dialect.begin_write()).await
    }

    /// The keys of secrets.
    pub fn keys(&self) -> &Keyring {
        &self.keys
    }

    /// The name of the database system.
    pub fn engine(&self) -> &'static str {
        match self.dialect {
            Dialect::Sqlite => "SQLite",
            Dialect::Postgres => "PostgreSQL",
        }
    }

    /// Whether the database responds.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("select 1").execute(&self.reader).await?;
        Ok(())
    }

    /// The size of the database in bytes.
    pub async fn database_bytes(&self) -> Result<u64, StoreError> {
        let (bytes,): (i64,) = sqlx::query_as(self.dialect.size()).fetch_one(&self.reader).await?;
        Ok(text_codec::count(bytes))
    }

    /// Waits for running statements, then closes all connections.
    pub async fn close(&self) {
        self.database().close().await;
    }

    /// The database without the keys.
    pub fn database(&self) -> Database {
        let (writer, reader) = (self.writer.clone(), self.reader.clone());
        Database { writer, reader, searcher: self.searcher.clone(), dialect: self.dialect }
    }
}
