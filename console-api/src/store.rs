//! The database. SQL is written here and nowhere else: static text with binds, the subset SQLite and PostgreSQL share.
//!
//! One connection writes, so that a batch is one transaction without locks to wait for; a pool of others reads.

mod access;
mod attacks;
mod grouping;
mod hits;
mod ingest;
mod nodes;
mod not_inspected;
mod requests;
mod responses;
mod words;

pub use access::TokenSource;
pub use ingest::{Ingest, Kept};
pub use nodes::Node;
pub use not_inspected::NotInspectedCounts;

use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{
    fs::OpenOptions,
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

/// The name of the database in the data directory.
const FILE_NAME: &str = "console.db";
/// How long `token create` waits for a running server's transaction, and the other way round.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
const READERS: u32 = 4;

#[derive(Clone)]
pub struct Store {
    writer: SqlitePool,
    reader: SqlitePool,
}

/// Why there is no database to work with.
#[derive(Debug, thiserror::Error)]
#[error("cannot open the database {}", path.display())]
pub struct OpenError {
    path: PathBuf,
    #[source]
    cause: sqlx::Error,
}

/// What can go wrong with an open database.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    #[error("table {table}, row {id}: column {column} holds what this version cannot read")]
    BadRow { table: &'static str, id: String, column: &'static str },
}

impl Store {
    /// Opens the database of a data directory, makes it when there is none, and brings its tables up to date.
    pub async fn open(data_dir: &Path) -> Result<Self, OpenError> {
        let path = data_dir.join(FILE_NAME);
        Self::connect(&path).await.map_err(|cause| OpenError { path, cause })
    }

    async fn connect(path: &Path) -> Result<Self, sqlx::Error> {
        make_private(path)?;
        // With a write-ahead log, `normal` keeps what was committed through a killed process; a power cut may take the
        // last transactions, never the file.
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(BUSY_TIMEOUT);
        let writer = SqlitePoolOptions::new().max_connections(1).connect_with(options.clone()).await?;
        sqlx::migrate!().run(&writer).await?;
        let reader = SqlitePoolOptions::new()
            .max_connections(READERS)
            .connect_lazy_with(options.pragma("query_only", "on"));
        Ok(Self { writer, reader })
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("select 1").execute(&self.reader).await?;
        Ok(())
    }

    /// Waits for what is under way, then lets go of the file.
    pub async fn close(&self) {
        self.reader.close().await;
        self.writer.close().await;
    }
}

/// Makes the file for its owner only: it holds what visitors sent. SQLite gives the files beside it the same mode.
fn make_private(path: &Path) -> io::Result<()> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path).map(drop)
}
