//! Lines of plain and gzip files, and rows of Parquet files as lines.

use access_log::{
    Parser,
    parquet::{MAGIC as PARQUET, ParquetLogError, ParquetRows},
};
use flate2::bufread::MultiGzDecoder;
use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read as _, Seek as _, SeekFrom},
    path::Path,
};

/// Longer lines are truncated to this, which the parser refuses.
const MAX_LINE_BYTES: usize = Parser::MAX_LINE_BYTES + 1;

/// The first bytes of a gzip file.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The lines of a file. Positions count bytes without compression, or rows of a Parquet file.
pub(super) struct Lines {
    file: Option<File>,
    source: Source,
    line: Vec<u8>,
    /// Behind the last line that was complete.
    complete: u64,
    is_at_end: bool,
}

enum Source {
    Text(Box<dyn BufRead>),
    Gzip(Box<dyn BufRead>),
    Parquet { rows: Box<ParquetRows<File>>, file_bytes: u64 },
}

pub(super) enum Next {
    Line,
    /// The last line of a plain file, without a line feed: more may follow. A compressed file that can
    /// be read to its end is complete.
    Unfinished,
    End,
}

impl Lines {
    /// Opens a file at a position. Its format is recognized by its first bytes.
    pub(super) fn open(path: &Path, offset: u64) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let mut magic = Vec::new();
        file.by_ref().take(PARQUET.len() as u64).read_to_end(&mut magic)?;
        let source = if magic == PARQUET {
            let mut rows = ParquetRows::open(file.try_clone()?).map_err(unreadable)?;
            rows.skip(offset).map_err(unreadable)?;
            Source::Parquet { rows: Box::new(rows), file_bytes: file.metadata()?.len() }
        } else if magic.starts_with(&GZIP) {
            file.seek(SeekFrom::Start(0))?;
            let mut lines = gzip(BufReader::with_capacity(64 << 10, file.try_clone()?));
            io::copy(&mut lines.by_ref().take(offset), &mut io::sink())?;
            Source::Gzip(lines)
        } else {
            file.seek(SeekFrom::Start(offset))?;
            Source::Text(Box::new(BufReader::with_capacity(64 << 10, file.try_clone()?)))
        };
        Ok(Self { file: Some(file), source, line: Vec::new(), complete: offset, is_at_end: false })
    }

    /// The lines of a stream, such as the standard input.
    pub(super) fn of_stream(stream: impl io::Read + 'static) -> io::Result<Self> {
        let mut stream = BufReader::with_capacity(64 << 10, stream);
        let start = stream.fill_buf()?;
        let source = if start.starts_with(PARQUET) {
            let cause = "a Parquet file is read from its end: pass its path instead";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, cause));
        } else if start.starts_with(&GZIP) {
            Source::Gzip(gzip(stream))
        } else {
            Source::Text(Box::new(stream))
        };
        Ok(Self { file: None, source, line: Vec::new(), complete: 0, is_at_end: false })
    }

    pub(super) fn advance(&mut self) -> io::Result<Next> {
        self.line.clear();
        let is_gzip = matches!(self.source, Source::Gzip(_));
        let reader = match &mut self.source {
            Source::Text(reader) | Source::Gzip(reader) => reader,
            Source::Parquet { rows, .. } => {
                let has_row = rows.read_line(&mut self.line).map_err(unreadable)?;
                self.complete += u64::from(has_row);
                self.is_at_end = !has_row;
                return Ok(if has_row { Next::Line } else { Next::End });
            }
        };
        let mut bytes = 0;
        loop {
            let chunk = reader.fill_buf()?;
            if chunk.is_empty() {
                self.is_at_end = bytes == 0;
                if is_gzip && bytes > 0 {
                    self.complete += bytes;
                    return Ok(Next::Line);
                }
                return Ok(if self.is_at_end { Next::End } else { Next::Unfinished });
            }
            let end = chunk.iter().position(|byte| *byte == b'\n').map(|index| index + 1);
            let part = &chunk[..end.unwrap_or(chunk.len())];
            let room = MAX_LINE_BYTES.saturating_sub(self.line.len());
            self.line.extend_from_slice(&part[..part.len().min(room)]);
            let consumed = part.len();
            reader.consume(consumed);
            bytes += consumed as u64;
            if end.is_some() {
                self.complete += bytes;
                return Ok(Next::Line);
            }
        }
    }

    /// The line that was read last.
    pub(super) fn line(&self) -> &[u8] {
        &self.line
    }

    /// The position behind the last complete line.
    pub(super) fn complete(&self) -> u64 {
        self.complete
    }

    /// Whether the file ends with a complete line.
    pub(super) fn is_at_end(&self) -> bool {
        self.is_at_end
    }

    /// The number of bytes that were read of a file that ended, as it is on disk.
    pub(super) fn file_bytes(&self) -> io::Result<u64> {
        let Some(mut file) = self.file.as_ref() else { return Ok(0) };
        match self.source {
            // Its footer is at its end.
            Source::Parquet { file_bytes, .. } => Ok(file_bytes),
            // The reader shares the position of the file.
            Source::Text(_) | Source::Gzip(_) => file.stream_position(),
        }
    }
}

fn gzip(source: impl BufRead + 'static) -> Box<dyn BufRead> {
    Box::new(BufReader::with_capacity(64 << 10, MultiGzDecoder::new(source)))
}

fn unreadable(cause: ParquetLogError) -> io::Error {
    match cause {
        ParquetLogError::Io(cause) => cause,
        cause => io::Error::new(io::ErrorKind::InvalidData, cause),
    }
}
