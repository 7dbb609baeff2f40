//! The schema: migrations, the columns that they cannot fill, and the trigram index of PostgreSQL,
//! which needs an extension.

mod hit_columns;

use crate::store::{Connection, StoreError, sql::dialect::Dialect};
use sqlx::{ConnectOptions, Connection as _, Executor, any::AnyConnectOptions, migrate::Migrator};

/// The extension belongs to the whole database, whichever schema a console uses; consoles that
/// start together wait for each other.
const PG_TRGM: &str = "do $$ declare schema_name text; begin \
    perform pg_advisory_xact_lock(hashtext('term_parts')); \
    create extension if not exists pg_trgm schema public; \
    select nspname into schema_name from pg_extension join pg_namespace n on n.oid = extnamespace where extname = 'pg_trgm'; \
    execute format('create index if not exists terms_by_part on terms using gin (text %I.gin_trgm_ops)', schema_name); end $$";

/// Creates or updates the tables. Uses no pool: a pool retries before it reports an error.
pub(crate) async fn prepare(options: &AnyConnectOptions, dialect: Dialect) -> Result<(), sqlx::Error> {
    let mut connection = options.connect().await?;
    for statement in dialect.writer_start() {
        connection.execute(*statement).await?;
    }
    let migrations = match dialect {
        Dialect::Sqlite => sqlx::migrate!("migrations/sqlite"),
        Dialect::Postgres => sqlx::migrate!("migrations/postgres"),
    };
    if is_current(&mut connection, &migrations).await {
        // Validates the applied migrations. Takes no write lock, which a running server may hold.
        migrations.run(&mut connection).await?;
    } else {
        // Another process may create the same database: the lock makes one wait for the other.
        let mut transaction = connection.begin_with(dialect.begin_write()).await?;
        migrations.run(&mut *transaction).await?;
        transaction.commit().await?;
    }
    if dialect == Dialect::Postgres {
        create_trigram_index(&mut connection).await?;
    }
    hit_columns::complete(&mut connection).await.map_err(|cause| match cause {
        StoreError::Database(cause) => cause,
        cause => sqlx::Error::Decode(cause.into()),
    })?;
    connection.close().await
}

/// Whether the latest migration is applied. A new database has no table of migrations.
async fn is_current(connection: &mut Connection, migrations: &Migrator) -> bool {
    let applied = sqlx::query_as("select max(version) from _sqlx_migrations").fetch_one(connection).await;
    applied.is_ok_and(|(version,): (Option<i64>,)| version == migrations.iter().map(|it| it.version).max())
}

async fn create_trigram_index(connection: &mut Connection) -> Result<(), sqlx::Error> {
    match sqlx::query(PG_TRGM).execute(connection).await {
        Ok(_) => Ok(()),
        Err(sqlx::Error::Database(cause)) => {
            tracing::warn!(
                %cause,
                "pg_trgm is not available; text searches scan every row. Run `create extension pg_trgm` as an administrator \
                 and restart."
            );
            Ok(())
        }
        Err(cause) => Err(cause),
    }
}

#[cfg(test)]
mod tests;
