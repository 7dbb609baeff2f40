//! Values of a row, from the columns of a row group.

use super::{ParquetLogError, contained, pages::Pages};
use crate::{Columns, Field};
use parquet::{
    basic::Type,
    column::reader::{ColumnReader, ColumnReaderImpl, get_column_reader},
    data_type::{ByteArray, DataType},
    errors::ParquetError,
    file::{metadata::ParquetMetaData, reader::ChunkReader},
    schema::types::SchemaDescriptor,
};
use std::sync::{Arc, atomic::AtomicUsize};

/// Rows whose values are decoded at once. Texts are slices of their page.
const BATCH_ROWS: usize = 500;

/// A column of the schema that has a field of a log.
pub(super) struct Column {
    index: usize,
    field: Field,
}

pub(super) enum Value {
    Text(ByteArray),
    Number(String),
}

pub(super) type Cell<'r> = (Field, &'r Value);

/// The columns that have fields. Others, and nested ones, are not read.
pub(super) fn columns(schema: &SchemaDescriptor) -> Result<Vec<Column>, ParquetLogError> {
    let mut columns = Vec::new();
    for (index, column) in schema.columns().iter().enumerate() {
        let is_flat = column.path().parts().len() == 1 && column.max_rep_level() == 0;
        let Some(field) = Field::of_column(column.name()).filter(|_| is_flat) else { continue };
        let kind = column.physical_type();
        if !matches!(kind, Type::BYTE_ARRAY | Type::INT32 | Type::INT64 | Type::FLOAT | Type::DOUBLE) {
            return Err(ParquetLogError::Type { column: column.name().to_owned(), kind });
        }
        columns.push(Column { index, field });
    }
    Columns::parse(columns.iter().map(|column| column.field.name()))?;
    Ok(columns)
}

pub(super) fn row_count(footer: &ParquetMetaData, group: usize) -> Result<u64, ParquetLogError> {
    let rows = u64::try_from(footer.row_group(group).num_rows());
    rows.map_err(|_| ParquetLogError::Group { group, cause: "the number of rows is negative" })
}

/// The rows of one row group.
pub(super) struct RowGroup {
    number: usize,
    /// Beyond the batch.
    remaining: u64,
    /// The rows of the batch, and those that were returned.
    batch: usize,
    returned: usize,
    cells: Vec<Cells>,
}

/// A column while it is read.
struct Cells {
    name: String,
    field: Field,
    reader: ColumnReader,
    is_optional: bool,
    batch: Vec<Option<Value>>,
}

impl RowGroup {
    pub(super) fn open<R: ChunkReader + 'static>(
        file: &Arc<R>,
        footer: &ParquetMetaData,
        number: usize,
        columns: &[Column],
        held: &Arc<AtomicUsize>,
    ) -> Result<Self, ParquetLogError> {
        let schema = footer.file_metadata().schema_descr();
        let cells = columns.iter().map(|column| {
            let description = schema.column(column.index);
            let chunk = footer.row_group(number).columns().get(column.index);
            let chunk = chunk.ok_or(ParquetLogError::Group { group: number, cause: "a column is absent" })?;
            let pages = Pages::open(file, chunk, number, held.clone())?;
            Ok(Cells {
                name: description.name().to_owned(),
                field: column.field,
                is_optional: description.max_def_level() > 0,
                reader: get_column_reader(description, Box::new(pages)),
                batch: Vec::new(),
            })
        });
        let cells = cells.collect::<Result<_, ParquetLogError>>()?;
        Ok(Self { number, remaining: row_count(footer, number)?, batch: 0, returned: 0, cells })
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.returned == self.batch && self.remaining == 0
    }

    /// The values of the next row; none at the end.
    pub(super) fn next_row(&mut self) -> Result<impl Iterator<Item = Cell<'_>>, ParquetLogError> {
        if self.returned == self.batch {
            let rows = self.remaining.min(BATCH_ROWS as u64);
            #[expect(clippy::cast_possible_truncation, reason = "at most BATCH_ROWS")]
            let batch = rows as usize;
            for cells in &mut self.cells {
                cells.batch = cells.read(batch).map_err(|cause| ParquetLogError::Column {
                    group: self.number,
                    column: cells.name.clone(),
                    cause,
                })?;
            }
            self.remaining -= rows;
            (self.batch, self.returned) = (batch, 0);
        }
        let row = self.returned;
        self.returned += usize::from(row < self.batch);
        Ok(self.cells.iter().filter_map(move |cells| Some((cells.field, cells.batch.get(row)?.as_ref()?))))
    }
}

impl Cells {
    fn read(&mut self, rows: usize) -> Result<Vec<Option<Value>>, ParquetError> {
        let is_optional = self.is_optional;
        contained(|| match &mut self.reader {
            ColumnReader::ByteArrayColumnReader(reader) => read(reader, rows, is_optional, Value::Text),
            ColumnReader::Int32ColumnReader(reader) => read(reader, rows, is_optional, number),
            ColumnReader::Int64ColumnReader(reader) => read(reader, rows, is_optional, number),
            ColumnReader::FloatColumnReader(reader) => read(reader, rows, is_optional, float),
            ColumnReader::DoubleColumnReader(reader) => read(reader, rows, is_optional, float),
            _ => Err(ParquetError::General("the type is not read".to_owned())),
        })
    }
}

fn number(number: impl Into<i64>) -> Value {
    Value::Number(number.into().to_string())
}

/// JSON has no infinity, and no field can have one.
fn float(float: impl Into<f64>) -> Value {
    let float: f64 = float.into();
    Value::Number(if float.is_finite() { float.to_string() } else { "null".to_owned() })
}

/// The next values of a column, `None` for null.
fn read<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    rows: usize,
    is_optional: bool,
    value: impl Fn(T::T) -> Value,
) -> Result<Vec<Option<Value>>, ParquetError> {
    let (mut levels, mut values) = (Vec::new(), Vec::new());
    let (read, ..) = reader.read_records(rows, Some(&mut levels), None, &mut values)?;
    if read != rows {
        return Err(ParquetError::EOF("ends before its row group".to_owned()));
    }
    let mut values = values.into_iter().map(value);
    Ok(if is_optional {
        levels.iter().map(|level| if *level > 0 { values.next() } else { None }).collect()
    } else {
        values.map(Some).collect()
    })
}
