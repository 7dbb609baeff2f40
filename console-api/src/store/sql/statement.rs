//! Dynamic statements: built from static fragments and binds, nothing else.

use crate::{
    paging::{Listed, Page, Slice},
    store::{
        Connection, StoreError,
        sql::{
            row::{ReadRow, read_all},
            text_codec::Text,
        },
    },
};
use sqlx::{
    AnyPool, AssertSqlSafe, Database, Encode, FromRow, IntoArguments, Type, any::AnyRow, query::Query,
};

/// What runs a statement: connections, or the pool of searches.
pub(crate) trait Source {
    fn rows(self, statement: Statement) -> impl Future<Output = Result<Vec<AnyRow>, StoreError>> + Send;
}

impl Source for &AnyPool {
    async fn rows(self, statement: Statement) -> Result<Vec<AnyRow>, StoreError> {
        Ok(statement.query().fetch_all(self).await?)
    }
}

impl Source for &mut Connection {
    async fn rows(self, statement: Statement) -> Result<Vec<AnyRow>, StoreError> {
        Ok(statement.query().fetch_all(self).await?)
    }
}

/// A statement under construction.
#[derive(Debug)]
pub(crate) struct Statement {
    sql: String,
    values: Vec<Value>,
}

#[derive(Debug, Clone)]
pub(crate) enum Value {
    Number(i64),
    /// A fixed word.
    Word(String),
    /// Text from a request.
    Text(Text),
    Bytes(Vec<u8>),
}

impl Statement {
    pub(crate) fn new(fragment: &'static str) -> Self {
        Self { sql: fragment.to_owned(), values: Vec::new() }
    }

    pub(crate) fn push(&mut self, fragment: &'static str) -> &mut Self {
        self.sql.push_str(fragment);
        self
    }

    pub(crate) fn bind(&mut self, value: impl Into<Value>) -> &mut Self {
        self.values.push(value.into());
        self.sql.push('$');
        self.sql.push_str(&self.values.len().to_string());
        self
    }

    /// Pushes a fragment around a bind, built from the bind's number.
    pub(crate) fn push_bound(
        &mut self,
        value: impl Into<Value>,
        text: impl Fn(usize) -> String,
    ) -> &mut Self {
        self.values.push(value.into());
        self.sql.push_str(&text(self.values.len()));
        self
    }

    /// Completes "where" or "and": the rows of a slice, the newest first, and one more.
    pub(crate) fn push_newest(&mut self, slice: &Slice) -> &mut Self {
        self.push_newest_by(("created_at", "id"), slice)
    }

    /// The same with other columns for the time and the id.
    pub(crate) fn push_newest_by(
        &mut self,
        (at_column, id_column): (&'static str, &'static str),
        slice: &Slice,
    ) -> &mut Self {
        match slice.bounds() {
            Some((at, id)) => {
                self.push("(").push(at_column).push(" < ").bind(at);
                self.push(" or (").push(at_column).push(" = ").bind(at);
                self.push(" and ").push(id_column).push(" < ").bind(id).push("))")
            }
            None => self.push("true"),
        };
        self.push(" order by ").push(at_column).push(" desc, ").push(id_column);
        self.push(" desc limit ").bind(i64::from(slice.limit) + 1)
    }

    /// The page of these rows.
    pub(crate) async fn fetch_page<T: ReadRow + Listed>(
        self,
        pool: &AnyPool,
        slice: &Slice,
    ) -> Result<Page<T>, StoreError> {
        Ok(Page::cut(self.fetch_all(pool).await?, slice.limit))
    }

    /// The first row, if any.
    pub(crate) async fn fetch_optional<T: ReadRow>(self, from: impl Source) -> Result<Option<T>, StoreError> {
        Ok(self.fetch_all(from).await?.into_iter().next())
    }

    pub(crate) async fn fetch_all<T: ReadRow>(self, from: impl Source) -> Result<Vec<T>, StoreError> {
        read_all(&self.fetch_rows(from).await?)
    }

    /// The only row, as a tuple.
    pub(crate) async fn fetch_tuple<T: for<'r> FromRow<'r, AnyRow>>(
        self,
        from: impl Source,
    ) -> Result<T, StoreError> {
        let tuples = self.fetch_tuples(from).await?;
        Ok(tuples.into_iter().next().ok_or(sqlx::Error::RowNotFound)?)
    }

    pub(crate) async fn fetch_tuples<T: for<'r> FromRow<'r, AnyRow>>(
        self,
        from: impl Source,
    ) -> Result<Vec<T>, StoreError> {
        let rows = self.fetch_rows(from).await?;
        Ok(rows.iter().map(T::from_row).collect::<Result<_, _>>()?)
    }

    /// The steps of SQLite's query plan, one per line.
    #[cfg(test)]
    pub(crate) async fn plan(mut self, pool: &AnyPool) -> Result<String, StoreError> {
        self.sql.insert_str(0, "explain query plan ");
        let rows: Vec<(i64, i64, i64, String)> = self.fetch_tuples(pool).await?;
        Ok(rows.into_iter().map(|(.., step)| step + "\n").collect())
    }

    pub(crate) async fn fetch_rows(self, from: impl Source) -> Result<Vec<AnyRow>, StoreError> {
        from.rows(self).await
    }

    /// The statement with its values, for a database.
    pub(crate) fn query<DB: Database>(self) -> Query<'static, DB, DB::Arguments>
    where
        DB::Arguments: IntoArguments<DB>,
        i64: Encode<'static, DB> + Type<DB>,
        String: Encode<'static, DB> + Type<DB>,
        Text: Encode<'static, DB> + Type<DB>,
        Vec<u8>: Encode<'static, DB> + Type<DB>,
    {
        let mut query = sqlx::query::<DB>(AssertSqlSafe(self.sql));
        for value in self.values {
            query = match value {
                Value::Number(number) => query.bind(number),
                Value::Word(word) => query.bind(word),
                Value::Text(text) => query.bind(text),
                Value::Bytes(bytes) => query.bind(bytes),
            };
        }
        query
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for Value {
    fn from(word: &str) -> Self {
        Self::Word(word.to_owned())
    }
}

impl From<String> for Value {
    fn from(word: String) -> Self {
        Self::Word(word)
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<Text> for Value {
    fn from(text: Text) -> Self {
        Self::Text(text)
    }
}
