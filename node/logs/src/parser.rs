//! Lines to records.

use crate::{Columns, LineError, LogRecord, RecordError, field::Values, json};

/// Parses the lines of one file or stream: standard logs (legacy and v2) in the W3C format, standard
/// logs (v2) in JSON, and real-time logs. The format is recognized line by line.
#[derive(Debug, Clone)]
pub struct Parser {
    /// Of tab-separated lines; a `#Fields` header replaces them.
    columns: Option<Columns>,
    line: u64,
}

impl Parser {
    /// CloudFront's limits are 8,192 bytes of a URL and 20,480 of headers; encoding triples them.
    pub const MAX_LINE_BYTES: usize = 256 << 10;

    /// `columns` are those of lines without a `#Fields` header.
    pub fn new(columns: Option<Columns>) -> Self {
        Self { columns, line: 0 }
    }

    /// The columns of the next tab-separated line.
    pub fn columns(&self) -> Option<&Columns> {
        self.columns.as_ref()
    }

    /// Parses the next line, with or without its end. `None` for headers and empty lines.
    pub fn parse(&mut self, line: &[u8]) -> Option<Result<LogRecord, LineError>> {
        self.line += 1;
        let number = self.line;
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let record = self.record(line.strip_suffix(b"\r").unwrap_or(line)).transpose()?;
        Some(record.map_err(|cause| LineError { line: number, cause }))
    }

    fn record(&mut self, line: &[u8]) -> Result<Option<LogRecord>, RecordError> {
        if line.len() > Self::MAX_LINE_BYTES {
            return Err(RecordError::TooLong(Self::MAX_LINE_BYTES));
        }
        let line = std::str::from_utf8(line).map_err(|_| RecordError::NotText)?;
        match line.as_bytes() {
            [] => Ok(None),
            [b'#', ..] => self.header(line).map(|()| None),
            [b'{', ..] => {
                let values = json::read(line).map_err(|error| RecordError::Json(error.to_string()))?;
                LogRecord::read(&values).map(Some)
            }
            _ => self.separated(line).map(Some),
        }
    }

    fn header(&mut self, line: &str) -> Result<(), RecordError> {
        if let Some(names) = line.strip_prefix("#Fields:") {
            // Without valid columns, the lines below are errors rather than read as others.
            self.columns = None;
            self.columns = Some(names.parse()?);
        }
        Ok(())
    }

    fn separated(&self, line: &str) -> Result<LogRecord, RecordError> {
        let fields = self.columns.as_ref().ok_or(RecordError::NoColumns)?.fields();
        let mut values = Values::new();
        let mut found = 0;
        for value in line.split('\t') {
            if let Some(Some(field)) = fields.get(found) {
                values.set(*field, value);
            }
            found += 1;
        }
        if found != fields.len() {
            return Err(RecordError::Columns { expected: fields.len(), found });
        }
        LogRecord::read(&values)
    }
}
