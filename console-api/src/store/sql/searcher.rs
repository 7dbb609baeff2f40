//! Connections for searches, apart from those of other reads: searches delay neither sign-ins nor
//! batches nor rulesets. A statement that runs too long is interrupted, also when its caller leaves.

use crate::store::{
    StoreError, dsn,
    sql::{
        dialect::Dialect,
        statement::{Source, Statement},
    },
};
use sqlx::{
    AnyPool, SqlitePool,
    any::{AnyConnectOptions, AnyRow},
    sqlite::SqliteConnectOptions,
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// A call uses two at a time.
const CONNECTIONS: u32 = 6;
/// How many instructions SQLite runs between two looks at the clock: a fraction of a millisecond.
const INSTRUCTIONS: i32 = 1_000;
/// Codes of interrupted statements: `SQLITE_INTERRUPT`; `query_canceled` of PostgreSQL.
const INTERRUPTED: [&str; 2] = ["9", "57014"];

#[derive(Clone)]
pub(crate) struct Searcher {
    pool: Pool,
    /// The time of a statement.
    limit: Duration,
}

#[derive(Clone)]
enum Pool {
    /// Without the abstraction of both databases, which has no access to the progress handler.
    Sqlite(SqlitePool),
    Postgres(AnyPool),
}

impl Searcher {
    pub(crate) fn open(
        options: AnyConnectOptions,
        dialect: Dialect,
        limit: Duration,
    ) -> Result<Self, sqlx::Error> {
        let first = dialect.reader_start().iter().map(|it| (*it).to_owned());
        let pool = match dialect {
            Dialect::Sqlite => {
                let options = SqliteConnectOptions::try_from(&options)?;
                Pool::Sqlite(dsn::pool(dialect, CONNECTIONS, first.collect()).connect_lazy_with(options))
            }
            Dialect::Postgres => {
                let first = first.chain([format!("set statement_timeout = {}", limit.as_millis().max(1))]);
                Pool::Postgres(dsn::pool(dialect, CONNECTIONS, first.collect()).connect_lazy_with(options))
            }
        };
        Ok(Self { pool, limit })
    }

    pub(crate) async fn close(&self) {
        match &self.pool {
            Pool::Sqlite(pool) => pool.close().await,
            Pool::Postgres(pool) => pool.close().await,
        }
    }

    /// Connections of running searches, about: the pool changes between the two reads.
    #[cfg(test)]
    fn in_use(&self) -> usize {
        match &self.pool {
            Pool::Sqlite(pool) => (pool.size() as usize).saturating_sub(pool.num_idle()),
            Pool::Postgres(pool) => (pool.size() as usize).saturating_sub(pool.num_idle()),
        }
    }

    async fn run(&self, statement: Statement) -> Result<Vec<AnyRow>, sqlx::Error> {
        match &self.pool {
            Pool::Postgres(pool) => statement.query().fetch_all(pool).await,
            Pool::Sqlite(pool) => {
                let mut connection = pool.acquire().await?;
                // Dropped when the call ends, whether it completes or its caller leaves.
                let caller = Arc::new(());
                let (end, waits) = (Instant::now() + self.limit, Arc::downgrade(&caller));
                let goes_on = move || waits.strong_count() > 0 && Instant::now() < end;
                connection.lock_handle().await?.set_progress_handler(INSTRUCTIONS, goes_on);
                let rows = statement.query::<sqlx::Sqlite>().fetch_all(&mut *connection).await?;
                drop(caller);
                rows.iter().map(AnyRow::try_from).collect()
            }
        }
    }
}

impl Source for &Searcher {
    async fn rows(self, statement: Statement) -> Result<Vec<AnyRow>, StoreError> {
        self.run(statement).await.map_err(|cause| match &cause {
            sqlx::Error::PoolTimedOut => StoreError::SearchesBusy,
            sqlx::Error::Database(error)
                if error.code().is_some_and(|code| INTERRUPTED.contains(&code.as_ref())) =>
            {
                StoreError::SearchTime { limit: self.limit }
            }
            _ => cause.into(),
        })
    }
}

#[cfg(test)]
mod tests;
