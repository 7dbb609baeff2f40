//! Copies between databases: backup, restore, migration from SQLite to PostgreSQL. One of the two
//! is SQLite, whose catalogue lists the tables and columns.

use crate::store::{
    Connection, Database, Store,
    sql::{
        bulk::{Insert, Query},
        dialect::Dialect,
    },
};
use futures_util::TryStreamExt;
use sqlx::{AssertSqlSafe, Row, any::AnyRow};

/// Rows held in memory.
const ROWS: usize = 512;

#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    #[error("one of the two databases must be SQLite; use pg_dump to copy between PostgreSQL servers")]
    NoFile,
    #[error("the table {table} is not empty: only a new database can be filled")]
    NotEmpty { table: String },
    #[error("database error")]
    Database(#[from] sqlx::Error),
}

struct Table {
    name: String,
    columns: Vec<Column>,
}

struct Column {
    name: String,
    column_type: ColumnType,
}

#[derive(Clone, Copy)]
enum ColumnType {
    Text,
    Number,
    Bytes,
}

/// A value of a row, `None` where it is null.
enum Value {
    Text(Option<String>),
    Number(Option<i64>),
    Bytes(Option<Vec<u8>>),
}

impl Database {
    /// Copies a snapshot of all rows into `to`, in one transaction, and returns their number.
    /// Secrets stay sealed.
    pub async fn copy_to(&self, to: &Self) -> Result<u64, TransferError> {
        let mut from = self.reader.begin_with(self.dialect.begin_snapshot()).await?;
        let mut into = to.begin_write().await?;
        let tables = match (self.dialect, to.dialect) {
            (Dialect::Sqlite, _) => tables(&mut from).await?,
            (_, Dialect::Sqlite) => tables(&mut into).await?,
            _ => return Err(TransferError::NoFile),
        };
        let mut copied = 0;
        for table in &tables {
            table.check_empty(&mut into).await?;
            copied += table.copy(&mut from, &mut into).await?;
        }
        into.commit().await?;
        Ok(copied)
    }
}

impl Store {
    /// Frees the space of deleted rows.
    pub async fn vacuum(&self) -> Result<(), TransferError> {
        sqlx::query(self.dialect.vacuum()).execute(&self.writer).await?;
        Ok(())
    }
}

/// The tables in the order of their creation: referenced tables come first. Internal tables of
/// SQLite and row numbers are left out.
async fn tables(sqlite: &mut Connection) -> Result<Vec<Table>, sqlx::Error> {
    let names: Vec<(String,)> = sqlx::query_as(
        "select m.name from sqlite_master m join pragma_table_list t on t.name = m.name and t.schema = 'main' \
         where t.type = 'table' and m.name not like 'sqlite_%' and m.name <> '_sqlx_migrations' order by m.rowid",
    )
    .fetch_all(&mut *sqlite)
    .await?;
    let mut tables = Vec::new();
    for (name,) in names {
        let columns: Vec<(String, String)> =
            sqlx::query_as(
                "select name, lower(type) from pragma_table_info($1) where not (pk = 1 and lower(type) = 'integer') \
                 order by cid",
            )
            .bind(name.clone())
            .fetch_all(&mut *sqlite)
            .await?;
        let columns = columns
            .into_iter()
            .map(|(name, declared)| Column { name, column_type: ColumnType::of(&declared) });
        tables.push(Table { columns: columns.collect(), name });
    }
    Ok(tables)
}

impl ColumnType {
    fn of(declared: &str) -> Self {
        match declared {
            "text" => Self::Text,
            "blob" => Self::Bytes,
            _ => Self::Number,
        }
    }
}

impl Table {
    async fn check_empty(&self, connection: &mut Connection) -> Result<(), TransferError> {
        let any = sqlx::query(AssertSqlSafe(format!("select 1 from {} limit 1", self.name)));
        match any.fetch_optional(connection).await? {
            Some(_) => Err(TransferError::NotEmpty { table: self.name.clone() }),
            None => Ok(()),
        }
    }

    async fn copy(&self, from: &mut Connection, into: &mut Connection) -> Result<u64, sqlx::Error> {
        let names = self.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ");
        let head = format!("insert into {} ({names})", self.name);
        let insert = Insert { into: &head, columns: self.columns.len(), after: "" };
        let select = sqlx::query(AssertSqlSafe(format!("select {names} from {}", self.name)));
        let mut rows = select.fetch(from).try_chunks(ROWS);
        let mut copied = 0;
        while let Some(rows) = rows.try_next().await.map_err(|cut| cut.1)? {
            let values = rows.iter().map(|row| self.values(row)).collect::<Result<Vec<_>, _>>()?;
            insert.rows(into, &values, |query, row| row.iter().fold(query, bind)).await?;
            copied += values.len() as u64;
        }
        Ok(copied)
    }

    fn values(&self, row: &AnyRow) -> Result<Vec<Value>, sqlx::Error> {
        let value = |(index, column): (usize, &Column)| {
            Ok(match column.column_type {
                ColumnType::Text => Value::Text(row.try_get(index)?),
                ColumnType::Number => Value::Number(row.try_get(index)?),
                ColumnType::Bytes => Value::Bytes(row.try_get(index)?),
            })
        };
        self.columns.iter().enumerate().map(value).collect()
    }
}

fn bind(query: Query, value: &Value) -> Query {
    match value {
        Value::Text(text) => query.bind(text.clone()),
        Value::Number(number) => query.bind(*number),
        Value::Bytes(bytes) => query.bind(bytes.clone()),
    }
}
