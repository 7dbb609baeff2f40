//! Lines of plain and gzip files.

use access_log::Parser;
use flate2::bufread::MultiGzDecoder;
use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read as _, Seek as _, SeekFrom},
    path::Path,
};

/// Longer lines are truncated to this, which the parser refuses.
const MAX_LINE_BYTES: usize = Parser::MAX_LINE_BYTES + 1;

/// The lines of a file. Positions count bytes without compression.
pub(super) struct Lines {
    file: Option<File>,
    is_gzip: bool,
    reader: Box<dyn BufRead + Send>,
    line: Vec<u8>,
    /// Behind the last line that was complete.
    complete: u64,
    is_at_end: bool,
}

pub(super) enum Next {
    Line,
    /// The last line of a plain file, without a line feed: more may follow. A compressed file that can
    /// be read to its end is complete.
    Unfinished,
    End,
}

impl Lines {
    /// Opens a file at a position. A gzip file is recognized by its first bytes.
    pub(super) fn open(path: &Path, offset: u64) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let mut magic = Vec::new();
        file.by_ref().take(2).read_to_end(&mut magic)?;
        let is_gzip = magic == [0x1f, 0x8b];
        file.seek(SeekFrom::Start(if is_gzip { 0 } else { offset }))?;
        let source = BufReader::with_capacity(64 << 10, file.try_clone()?);
        let reader: Box<dyn BufRead + Send> = if is_gzip {
            let mut reader = BufReader::with_capacity(64 << 10, MultiGzDecoder::new(source));
            io::copy(&mut reader.by_ref().take(offset), &mut io::sink())?;
            Box::new(reader)
        } else {
            Box::new(source)
        };
        Ok(Self { file: Some(file), is_gzip, reader, line: Vec::new(), complete: offset, is_at_end: false })
    }

    /// The lines of a stream, such as the standard input.
    pub(super) fn of_stream(stream: impl io::Read + Send + 'static) -> io::Result<Self> {
        let mut stream = BufReader::with_capacity(64 << 10, stream);
        let is_gzip = stream.fill_buf()?.starts_with(&[0x1f, 0x8b]);
        let reader: Box<dyn BufRead + Send> =
            if is_gzip { Box::new(BufReader::new(MultiGzDecoder::new(stream))) } else { Box::new(stream) };
        Ok(Self { file: None, is_gzip, reader, line: Vec::new(), complete: 0, is_at_end: false })
    }

    pub(super) fn advance(&mut self) -> io::Result<Next> {
        self.line.clear();
        let mut bytes = 0;
        loop {
            let chunk = self.reader.fill_buf()?;
            if chunk.is_empty() {
                self.is_at_end = bytes == 0;
                if self.is_gzip && bytes > 0 {
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
            self.reader.consume(consumed);
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
        // The reader shares the position of the file.
        self.file.as_ref().map_or(Ok(0), |mut file| file.stream_position())
    }
}
