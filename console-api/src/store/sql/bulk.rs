//! Bulk statements: many rows per statement.

use crate::store::{
    Connection,
    sql::{dialect::Dialect, text_codec::json},
};
use sqlx::{
    Any, AssertSqlSafe, FromRow,
    any::{AnyArguments, AnyRow},
};
use std::fmt::Write;

/// Rows per statement. Few sizes keep the statements prepared; the largest stays below the bind
/// limits of both databases.
const SIZES: [usize; 5] = [256, 64, 16, 4, 1];

pub(crate) type Query = sqlx::query::Query<'static, Any, AnyArguments>;
pub(crate) type QueryAs<T> = sqlx::query::QueryAs<'static, Any, T, AnyArguments>;

/// An insert statement without its rows.
pub(crate) struct Insert<'a> {
    /// Up to the columns, e.g. `insert into hits (id, at)`.
    pub(crate) into: &'a str,
    pub(crate) columns: usize,
    /// The part after the rows, e.g. `on conflict …`.
    pub(crate) after: &'static str,
}

impl Insert<'_> {
    /// Inserts all rows; `bind` binds the columns of one.
    pub(crate) async fn rows<T>(
        &self,
        connection: &mut Connection,
        mut rows: &[T],
        bind: impl Fn(Query, &T) -> Query,
    ) -> Result<(), sqlx::Error> {
        for size in SIZES {
            if rows.len() < size {
                continue;
            }
            let statement = self.statement(Dialect::of(connection), size);
            while let Some((some, others)) = rows.split_at_checked(size) {
                let query = sqlx::query(AssertSqlSafe(statement.clone()));
                some.iter().fold(query, &bind).execute(&mut *connection).await?;
                rows = others;
            }
        }
        Ok(())
    }

    fn statement(&self, dialect: Dialect, rows: usize) -> String {
        let mut statement = format!("{} values ", self.into);
        for bind in 0..rows * self.columns {
            let before = match bind % self.columns {
                0 if bind == 0 => "(",
                0 => "), (",
                _ => ", ",
            };
            // Writing to text does not fail.
            let _ = match dialect {
                // SQLite looks each numbered bind up in a list.
                Dialect::Sqlite => write!(statement, "{before}?"),
                Dialect::Postgres => write!(statement, "{before}${}", bind + 1),
            };
        }
        statement + ") " + self.after
    }
}

/// A query for rows whose column, the last word of `query`, is one of the values, bind `$1`.
pub(crate) fn among<T>(dialect: Dialect, query: &'static str, values: &[String]) -> QueryAs<T>
where
    T: for<'r> FromRow<'r, AnyRow>,
{
    sqlx::query_as(AssertSqlSafe(format!("{query} {}", dialect.is_among(1)))).bind(json(&values))
}

/// A statement on rows whose column, the last word of `before`, is one of the values, bind `$1`.
pub(crate) fn statement_among(dialect: Dialect, before: &str, values: &[String], after: &str) -> Query {
    sqlx::query(AssertSqlSafe(format!("{before} {} {after}", dialect.is_among(1)))).bind(json(&values))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_has_a_bind_for_each_value() {
        let insert = Insert { into: "insert into t (a, b)", columns: 2, after: "on conflict do nothing" };
        let rows = |dialect| insert.statement(dialect, 2);
        assert_eq!(
            rows(Dialect::Postgres),
            "insert into t (a, b) values ($1, $2), ($3, $4) on conflict do nothing"
        );
        assert_eq!(
            rows(Dialect::Sqlite),
            "insert into t (a, b) values (?, ?), (?, ?) on conflict do nothing"
        );
    }
}
