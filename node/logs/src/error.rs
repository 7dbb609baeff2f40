//! Errors of lines.

use crate::{ColumnsError, Field};

/// A line that is not a record.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {cause}")]
pub struct LineError {
    pub line: u64,
    pub cause: RecordError,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    #[error("is not UTF-8")]
    NotText,
    #[error("has more than {0} bytes")]
    TooLong(usize),
    #[error("the #Fields header {0}")]
    Header(#[from] ColumnsError),
    #[error("no #Fields header precedes it, and no list of fields is configured")]
    NoColumns,
    #[error("has {found} columns instead of {expected}")]
    Columns { expected: usize, found: usize },
    #[error("is not a JSON object of fields: {0}")]
    Json(String),
    #[error("{0} is absent")]
    Absent(Field),
    #[error("{field} is {value:?}, not {expected}")]
    Invalid { field: Field, value: String, expected: &'static str },
}
