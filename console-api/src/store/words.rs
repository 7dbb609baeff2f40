//! Enums and values as the text they are stored as, the same as on the wire.

use super::StoreError;
use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};
use std::str::FromStr;

/// An enum as its word.
pub(super) fn word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => unreachable!("only enums that travel as a word are stored as one"),
    }
}

/// A value as JSON.
pub(super) fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("wire types have text keys and finite numbers")
}

/// A count or size; SQL has no unsigned numbers.
pub(super) fn count(value: i64) -> u64 {
    u64::try_from(value).unwrap_or_default()
}

/// Reads the columns of one row and says which of them is bad.
pub(super) struct Columns<'a> {
    pub(super) table: &'static str,
    pub(super) id: &'a str,
}

impl Columns<'_> {
    fn bad(&self, column: &'static str) -> StoreError {
        StoreError::BadRow { table: self.table, id: self.id.to_owned(), column }
    }

    pub(super) fn word<T: DeserializeOwned>(
        &self,
        column: &'static str,
        text: &str,
    ) -> Result<T, StoreError> {
        serde_json::from_value(serde_json::Value::from(text)).map_err(|_| self.bad(column))
    }

    pub(super) fn json<T: DeserializeOwned>(
        &self,
        column: &'static str,
        text: &str,
    ) -> Result<T, StoreError> {
        serde_json::from_str(text).map_err(|_| self.bad(column))
    }

    pub(super) fn parse<T: FromStr>(&self, column: &'static str, text: &str) -> Result<T, StoreError> {
        text.parse().map_err(|_| self.bad(column))
    }

    pub(super) fn time(&self, column: &'static str, ms: i64) -> Result<Timestamp, StoreError> {
        Timestamp::from_millisecond(ms).map_err(|_| self.bad(column))
    }

    pub(super) fn status(
        &self,
        column: &'static str,
        status: Option<i64>,
    ) -> Result<Option<u16>, StoreError> {
        status.map(u16::try_from).transpose().map_err(|_| self.bad(column))
    }
}
