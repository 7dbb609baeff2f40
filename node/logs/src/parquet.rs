//! Standard logs (v2) in Parquet: rows of a file as lines of JSON.
//!
//! CloudFront writes each field as a column of texts, named as Athena's table definitions name it:
//! `cs(User-Agent)` is `cs_user_agent`. The values are those of the other formats, encoded as there.
//!
//! | module | holds |
//! |---|---|
//! | [`pages`] | pages of a column, decompressed within limits |
//! | [`rows`] | row groups → values of a row |
//!
//! A file is complete or an error: its footer says where its columns are. Memory is bounded by
//! [`MAX_FOOTER_BYTES`] and [`MAX_HELD_BYTES`], whatever the file claims.

mod pages;
mod rows;

use crate::{ColumnsError, Parser};
use parquet::{
    basic::{CompressionCodec, Type},
    errors::ParquetError,
    file::{
        metadata::{ParquetMetaData, ParquetMetaDataReader},
        reader::ChunkReader,
    },
};
use rows::{Column, RowGroup, Value};
use std::{
    io::{self, Write as _},
    panic::{self, AssertUnwindSafe},
    sync::{Arc, atomic::AtomicUsize},
};

/// A row group of all fields takes about 7 KB of a footer.
pub const MAX_FOOTER_BYTES: usize = 2 << 20;
/// Of a page without its compression. Writers aim at 1 MiB.
pub const MAX_PAGE_BYTES: usize = 16 << 20;
/// Of all pages that are in use at once: a dictionary and one or two pages for each column.
pub const MAX_HELD_BYTES: usize = 128 << 20;

/// The first and the last bytes of a file.
pub const MAGIC: &[u8; 4] = b"PAR1";
/// The length of the footer and the last magic bytes.
const TAIL_BYTES: usize = 8;

/// The rows of a file, in their order.
pub struct ParquetRows<R> {
    file: Arc<R>,
    footer: ParquetMetaData,
    columns: Vec<Column>,
    next_group: usize,
    group: Option<RowGroup>,
    /// The bytes of pages in use.
    held: Arc<AtomicUsize>,
}

/// Why a file, or the rest of it, cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ParquetLogError {
    #[error("no Parquet footer: the file is truncated, or is not yet written to its end")]
    NoFooter,
    #[error("the Parquet footer has {bytes} bytes, more than {MAX_FOOTER_BYTES}")]
    LongFooter { bytes: usize },
    #[error("invalid Parquet footer: {0}")]
    Footer(#[source] ParquetError),
    #[error("the schema {0}")]
    Columns(#[from] ColumnsError),
    #[error("column {column} has the type {kind}; texts and numbers are read")]
    Type { column: String, kind: Type },
    #[error("column {column} is compressed with {codec}; SNAPPY and GZIP are read")]
    Codec { column: String, codec: CompressionCodec },
    #[error("row group {group}: {cause}")]
    Group { group: usize, cause: &'static str },
    #[error("row group {group}, column {column}: {cause}")]
    Column { group: usize, column: String, cause: ParquetError },
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl<R: ChunkReader + 'static> ParquetRows<R> {
    /// Reads the footer.
    pub fn open(file: R) -> Result<Self, ParquetLogError> {
        let footer = footer(&file)?;
        let columns = rows::columns(footer.file_metadata().schema_descr())?;
        let held = Arc::default();
        Ok(Self { file: Arc::new(file), footer, columns, next_group: 0, group: None, held })
    }

    /// Skips rows, whole row groups without reading them. Stops at the end of the file.
    pub fn skip(&mut self, mut rows: u64) -> Result<(), ParquetLogError> {
        while self.group.is_none() && self.next_group < self.footer.num_row_groups() {
            let of_group = rows::row_count(&self.footer, self.next_group)?;
            if of_group > rows {
                break;
            }
            rows -= of_group;
            self.next_group += 1;
        }
        for _ in 0..rows {
            if self.next_row()?.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// Writes the next row as a line of JSON for [`Parser`]; `false` at the end. A row beyond
    /// [`Parser::MAX_LINE_BYTES`] is truncated, which the parser refuses.
    pub fn read_line(&mut self, line: &mut Vec<u8>) -> Result<bool, ParquetLogError> {
        line.clear();
        let Some(row) = self.next_row()? else { return Ok(false) };
        for (field, value) in row {
            line.push(if line.is_empty() { b'{' } else { b',' });
            write!(line, "\"{field}\":")?;
            match value {
                Value::Number(number) => line.extend_from_slice(number.as_bytes()),
                Value::Text(text) => {
                    let text = &text.data()[..text.len().min(Parser::MAX_LINE_BYTES + 1)];
                    serde_json::to_writer(&mut *line, &String::from_utf8_lossy(text))
                        .map_err(io::Error::from)?;
                }
            }
            if line.len() > Parser::MAX_LINE_BYTES {
                return Ok(true);
            }
        }
        if line.is_empty() {
            line.push(b'{');
        }
        line.push(b'}');
        Ok(true)
    }

    /// The fields of the next row that have a value.
    fn next_row(&mut self) -> Result<Option<impl Iterator<Item = rows::Cell<'_>>>, ParquetLogError> {
        while self.group.as_ref().is_none_or(RowGroup::is_at_end) {
            let group = self.next_group;
            if group == self.footer.num_row_groups() {
                return Ok(None);
            }
            self.group = Some(RowGroup::open(&self.file, &self.footer, group, &self.columns, &self.held)?);
            self.next_group += 1;
        }
        self.group.as_mut().map(RowGroup::next_row).transpose()
    }
}

fn footer<R: ChunkReader>(file: &R) -> Result<ParquetMetaData, ParquetLogError> {
    let tail_start = file.len().checked_sub(TAIL_BYTES as u64).ok_or(ParquetLogError::NoFooter)?;
    let tail = file.get_bytes(tail_start, TAIL_BYTES).map_err(ParquetLogError::Footer)?;
    let (length, magic) = tail.split_first_chunk::<4>().ok_or(ParquetLogError::NoFooter)?;
    if magic != MAGIC {
        return Err(ParquetLogError::NoFooter);
    }
    let bytes = u32::from_le_bytes(*length) as usize;
    if bytes > MAX_FOOTER_BYTES {
        return Err(ParquetLogError::LongFooter { bytes });
    }
    let start = tail_start.checked_sub(bytes as u64).ok_or(ParquetLogError::NoFooter)?;
    let footer = file.get_bytes(start, bytes).map_err(ParquetLogError::Footer)?;
    contained(|| ParquetMetaDataReader::decode_metadata(&footer)).map_err(ParquetLogError::Footer)
}

/// A call of the crate, whose decoders panic on some damaged bytes. The file is not read further.
fn contained<T>(call: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, ParquetError> {
    let panicked = |_| Err(ParquetError::General("the bytes are damaged".to_owned()));
    panic::catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(panicked)
}

#[cfg(test)]
mod tests;
