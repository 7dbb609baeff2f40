//! CloudFront's access logs: lines of standard logs and real-time logs as requests to inspect.
//!
//! | module | holds |
//! |---|---|
//! | [`field`] | the fields that are read, by their names in each format |
//! | [`columns`] | the columns of tab-separated lines: a `#Fields` header, or a configured list |
//! | [`selection`] | the fields to select in CloudFront's configurations |
//! | [`parser`] | lines → records |
//! | [`error`] | why a line is no record, with its number and field |
//! | [`json`] | lines of standard logs (v2) in JSON |
//! | [`parquet`] | rows of standard logs (v2) in Parquet, as lines of JSON; with the feature `parquet` |
//! | [`escape`] | the URL encoding of values |
//! | [`record`] | [`LogRecord`] → `InspectRequest` |
//!
//! "Standard logging reference" and "Real-time access logs" of CloudFront's Developer Guide define
//! the formats.

pub mod columns;
pub mod error;
pub mod escape;
pub mod field;
mod json;
#[cfg(feature = "parquet")]
pub mod parquet;
pub mod parser;
pub mod record;
pub mod selection;

pub use columns::{Columns, ColumnsError};
pub use error::{LineError, RecordError};
pub use field::Field;
pub use parser::Parser;
pub use record::LogRecord;
pub use selection::{MissingFields, Selection};

#[cfg(test)]
mod tests;
