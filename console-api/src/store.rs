//! The database, SQLite or PostgreSQL. SQL is written here and nowhere else: static text with binds, the subset both share;
//! what they say differently is in [`dialect`].
//!
//! One connection writes, so that a batch is one transaction without locks to wait for; a pool of others reads.

mod address;
mod attacks;
mod audit;
mod bulk;
mod chosen;
mod clustered;
mod connectors;
mod deliveries;
mod dialect;
mod filter;
mod grouping;
mod groups;
mod hits;
mod ingest;
mod lists;
mod marks;
mod nodes;
mod not_inspected;
mod place;
mod recorded;
mod replays;
mod requests;
mod responses;
mod retention;
mod rules;
mod rulesets;
mod searches;
mod sessions;
mod signing_keys;
mod statement;
mod stats;
mod statuses;
mod terms;
mod text_index;
mod times;
mod tokens;
mod transfer;
mod users;
mod views;
mod webhooks;
mod words;

pub use deliveries::{DeliveryCounts, NewDelivery, Outcome};
pub use ingest::{Kept, objection_to_node};
pub use nodes::Node;
pub use not_inspected::{NotInspectedCounts, NotInspectedFilter, Reported};
pub use place::{NoPostgresUrl, Place, PostgresUrl};
pub use rules::Change;
pub use sessions::Holder;
pub use tokens::TokenSource;
pub use transfer::TransferError;
pub use webhooks::{Due, Grown};

use dialect::Dialect;
use sqlx::{AnyPool, ConnectOptions, Connection as _, Executor, any::AnyConnectOptions};

const READERS: u32 = 4;

/// A connection to either database.
type Connection = sqlx::AnyConnection;

#[derive(Clone)]
pub struct Store {
    writer: AnyPool,
    reader: AnyPool,
    dialect: Dialect,
}

/// Why there is no database to work with.
#[derive(Debug, thiserror::Error)]
#[error("cannot open the database {place}")]
pub struct OpenError {
    place: Place,
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

impl StoreError {
    /// Whether it may go better in a while: others hold what is needed, or the server is away.
    pub fn is_passing(&self) -> bool {
        // SQLite's "busy", and "busy" with what came of it; PostgreSQL's: two that wait for each other, a lock that is not
        // let go, no connection left, shutting down, crashed, starting.
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

impl Store {
    /// Opens a database, makes SQLite's file when there is none, and brings the tables up to date.
    pub async fn open(place: &Place) -> Result<Self, OpenError> {
        Self::connect(place).await.map_err(|cause| OpenError { place: place.clone(), cause })
    }

    async fn connect(place: &Place) -> Result<Self, sqlx::Error> {
        sqlx::any::install_default_drivers();
        let (options, dialect) = (place.options()?, place.dialect());
        prepare(&options, dialect).await?;
        let writer = place::pool(1, dialect.writer_start()).connect_lazy_with(options.clone());
        let reader = place::pool(READERS, dialect.reader_start()).connect_lazy_with(options);
        Ok(Self { writer, reader, dialect })
    }

    /// Which database it is.
    pub fn engine(&self) -> &'static str {
        match self.dialect {
            Dialect::Sqlite => "SQLite",
            Dialect::Postgres => "PostgreSQL",
        }
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("select 1").execute(&self.reader).await?;
        Ok(())
    }

    /// How much space everything takes.
    pub async fn database_bytes(&self) -> Result<u64, StoreError> {
        let (bytes,): (i64,) = sqlx::query_as(self.dialect.size()).fetch_one(&self.reader).await?;
        Ok(words::count(bytes))
    }

    /// Waits for what is under way, then lets go of the database.
    pub async fn close(&self) {
        self.reader.close().await;
        self.writer.close().await;
    }
}

/// Brings the tables up to date. Not over a pool, which would try again for a while before it says what is wrong.
async fn prepare(options: &AnyConnectOptions, dialect: Dialect) -> Result<(), sqlx::Error> {
    let mut connection = options.connect().await?;
    for statement in dialect.writer_start().iter().chain(dialect.before_migrations()) {
        connection.execute(*statement).await?;
    }
    sqlx::migrate!().run(&mut connection).await?;
    if dialect == Dialect::Sqlite {
        clustered::cluster(&mut connection).await?;
    }
    text_index::make(&mut connection).await?;
    terms::fill(&mut connection).await?;
    connection.close().await
}
