//! Lines of access logs to ingested records: one loop for files, streams and deliveries.

use super::{LogTally, Node, Refusal};
use access_log::{Columns, LogRecord, Parser};
use std::fmt::Display;
use tracing::warn;

/// The lines of one source. Records are collected for batches of bounded memory.
pub struct LogLines<'s> {
    node: &'s Node,
    /// Its name in the log of the node.
    source: &'s str,
    parser: Parser,
    records: Vec<LogRecord>,
    /// The length of the lines of `records`.
    bytes: usize,
    /// Of the next batch.
    malformed: u64,
    logged: u64,
    tally: LogTally,
}

impl<'s> LogLines<'s> {
    const MAX_RECORDS: usize = 500;
    const MAX_BYTES: usize = 1 << 20;
    /// Malformed lines of a source that are logged one by one.
    const MAX_LOGGED: u64 = 10;

    /// `columns` are those of lines without a `#Fields` header.
    pub fn new(node: &'s Node, source: &'s str, columns: Option<Columns>) -> Self {
        let (parser, records, tally) = (Parser::new(columns), Vec::new(), LogTally::default());
        Self { node, source, parser, records, bytes: 0, malformed: 0, logged: 0, tally }
    }

    /// Begins a part of the source: lines before it determine neither its columns nor its numbers.
    pub fn begin_part(&mut self, columns: Option<Columns>) {
        self.parser = Parser::new(columns);
    }

    pub fn parse(&mut self, line: &[u8]) {
        match self.parser.parse(line) {
            None => {}
            Some(Ok(record)) => {
                self.records.push(record);
                self.bytes += line.len();
            }
            Some(Err(cause)) => self.malformed(&cause),
        }
    }

    /// Counts lines that cannot be read.
    pub fn malformed(&mut self, cause: &dyn Display) {
        self.malformed += 1;
        self.logged += 1;
        if self.logged <= Self::MAX_LOGGED {
            warn!("{}: malformed record of an access log: {cause}", self.source);
        }
    }

    /// Whether the batch must be ingested before the next line.
    pub fn is_full(&self) -> bool {
        self.records.len() >= Self::MAX_RECORDS || self.bytes >= Self::MAX_BYTES
    }

    /// Ingests the batch: on return, its hits are in the spool. After an error, the batch is kept.
    pub fn ingest(&mut self, distribution_id: Option<&str>) -> Result<(), Refusal> {
        self.tally += self.node.ingest_logs(&self.records, distribution_id)?;
        let malformed = LogTally { malformed: std::mem::take(&mut self.malformed), ..LogTally::default() };
        self.node.log_totals.add(malformed);
        self.tally += malformed;
        self.records.clear();
        self.bytes = 0;
        Ok(())
    }

    /// The lines of the batches that were ingested.
    pub fn tally(&self) -> LogTally {
        self.tally
    }

    /// The columns of the next tab-separated line.
    pub fn columns(&self) -> Option<&Columns> {
        self.parser.columns()
    }
}
