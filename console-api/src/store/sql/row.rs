//! Rows: how stored columns become values. An error names the table, the row and the column.

use crate::{
    sealing::Sealed,
    store::{
        StoreError,
        sql::{
            address,
            text_codec::{self, Text},
        },
    },
};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use sqlx::{Any, Decode, Row as _, Type, ValueRef as _, any::AnyRow};
use std::{net::IpAddr, str::FromStr};

/// A value that is read from a row of a table.
pub(crate) trait ReadRow: Sized {
    const TABLE: &'static str;

    fn read(row: &Row<'_>) -> Result<Self, StoreError>;
}

/// Reads the rows of a query.
pub(crate) fn read_all<T: ReadRow>(rows: &[AnyRow]) -> Result<Vec<T>, StoreError> {
    rows.iter().map(|row| T::read(&Row { table: T::TABLE, row })).collect()
}

/// A row of a table. Its first column is the id.
pub(crate) struct Row<'r> {
    pub(crate) table: &'static str,
    pub(crate) row: &'r AnyRow,
}

impl Row<'_> {
    pub(crate) fn bad(&self, column: &'static str) -> StoreError {
        let number = || self.row.try_get::<i64, _>(0).map(|number| number.to_string());
        let id = self.row.try_get::<String, _>(0).or_else(|_| number()).unwrap_or_default();
        StoreError::BadRow { table: self.table, id, column }
    }

    /// A column as it is stored.
    pub(crate) fn get<'r, T: Decode<'r, Any> + Type<Any>>(
        &'r self,
        column: &'static str,
    ) -> Result<T, StoreError> {
        self.row.try_get(column).map_err(|cause| match cause {
            sqlx::Error::ColumnDecode { .. } => self.bad(column),
            _ => cause.into(),
        })
    }

    /// A column that may be null, else read by `read`.
    pub(crate) fn optional<T>(
        &self,
        column: &'static str,
        read: impl FnOnce(&Self, &'static str) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let is_null = self.row.try_get_raw(column)?.is_null();
        if is_null { Ok(None) } else { read(self, column).map(Some) }
    }

    /// Text from a request or a user.
    pub(crate) fn text(&self, column: &'static str) -> Result<String, StoreError> {
        self.get::<Text>(column).map(String::from)
    }

    /// An enum by its serialized name.
    pub(crate) fn word<T: DeserializeOwned>(&self, column: &'static str) -> Result<T, StoreError> {
        let word: String = self.get(column)?;
        serde_json::from_value(word.into()).map_err(|_| self.bad(column))
    }

    /// A secret.
    pub(crate) fn sealed(&self, column: &'static str) -> Result<Sealed, StoreError> {
        Sealed::parse(&self.get::<String>(column)?).ok_or_else(|| self.bad(column))
    }

    pub(crate) fn json<T: DeserializeOwned>(&self, column: &'static str) -> Result<T, StoreError> {
        serde_json::from_str(&self.get::<String>(column)?).map_err(|_| self.bad(column))
    }

    pub(crate) fn parse<T: FromStr>(&self, column: &'static str) -> Result<T, StoreError> {
        self.get::<String>(column)?.parse().map_err(|_| self.bad(column))
    }

    pub(crate) fn address(&self, column: &'static str) -> Result<IpAddr, StoreError> {
        address::from_key(&self.get::<String>(column)?).ok_or_else(|| self.bad(column))
    }

    pub(crate) fn time(&self, column: &'static str) -> Result<Timestamp, StoreError> {
        Timestamp::from_millisecond(self.get(column)?).map_err(|_| self.bad(column))
    }

    /// A count or size.
    pub(crate) fn count(&self, column: &'static str) -> Result<u64, StoreError> {
        self.get(column).map(text_codec::count)
    }

    /// A revision, status or other small number.
    pub(crate) fn number<T: TryFrom<i64>>(&self, column: &'static str) -> Result<T, StoreError> {
        T::try_from(self.get(column)?).map_err(|_| self.bad(column))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::{AnyConnection, Connection as _};

    #[tokio::test]
    async fn a_column_of_another_type_is_an_error_that_names_table_row_and_column() {
        sqlx::any::install_default_drivers();
        let mut connection = AnyConnection::connect("sqlite::memory:").await.unwrap();
        let row = sqlx::query("select 'r1' as id, 'many' as hits").fetch_one(&mut connection).await.unwrap();
        let error = Row { table: "attacks", row: &row }.count("hits").unwrap_err();
        assert_eq!(
            error.to_string(),
            "table attacks, row r1: column hits has a value that this version cannot read"
        );
    }
}
