//! Message bodies: framing, and reading to the end.

use std::io;

use super::Headers;
use super::buffered::Buffered;

const MAX_CHUNK_LINE: usize = 4096;

/// The framing of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    Empty,
    Length(usize),
    Chunked,
    /// Responses only: until the connection closes.
    Close,
}

/// A body that could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum BodyError {
    #[error("the body is larger than {0} bytes")]
    TooLarge(usize),
    #[error("the framing of the body is ambiguous or malformed")]
    Framing,
    #[error("the connection failed within the body")]
    Io(#[from] io::Error),
}

impl Framing {
    /// Two different lengths, or a length and chunks, are request smuggling: rejected.
    pub(super) fn of(headers: &Headers) -> Result<Option<Self>, BodyError> {
        let mut lengths = headers.all("content-length");
        let mut codings = headers.all("transfer-encoding");
        match (lengths.next(), codings.next()) {
            (None, None) => Ok(None),
            (Some(length), None) if lengths.all(|other| other == length) => {
                parse_length(length).map(|length| Some(Self::Length(length))).ok_or(BodyError::Framing)
            }
            (None, Some(coding)) if coding.eq_ignore_ascii_case(b"chunked") && codings.next().is_none() => {
                Ok(Some(Self::Chunked))
            }
            _ => Err(BodyError::Framing),
        }
    }
}

pub(super) async fn read(from: &mut Buffered, framing: Framing, limit: usize) -> Result<Vec<u8>, BodyError> {
    match framing {
        Framing::Empty => Ok(Vec::new()),
        Framing::Length(length) if length > limit => Err(BodyError::TooLarge(limit)),
        Framing::Length(length) => Ok(from.exactly(length).await?),
        Framing::Chunked => read_chunks(from, limit).await,
        Framing::Close => from.rest(limit).await?.ok_or(BodyError::TooLarge(limit)),
    }
}

async fn read_chunks(from: &mut Buffered, limit: usize) -> Result<Vec<u8>, BodyError> {
    let mut body = Vec::new();
    loop {
        let size = parse_chunk_size(&from.line(MAX_CHUNK_LINE).await?).ok_or(BodyError::Framing)?;
        if size == 0 {
            break;
        }
        if body.len().saturating_add(size) > limit {
            return Err(BodyError::TooLarge(limit));
        }
        body.extend(from.exactly(size).await?);
        if !from.line(MAX_CHUNK_LINE).await?.is_empty() {
            return Err(BodyError::Framing);
        }
    }
    // Trailers are discarded.
    while !from.line(MAX_CHUNK_LINE).await?.is_empty() {}
    Ok(body)
}

/// Digits only: `parse` alone would accept `+5`.
fn parse_length(text: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(text).ok()?;
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

fn parse_chunk_size(line: &[u8]) -> Option<usize> {
    let size = line.split(|byte| *byte == b';').next()?.trim_ascii();
    let size = std::str::from_utf8(size).ok()?;
    let hex = !size.is_empty() && size.bytes().all(|byte| byte.is_ascii_hexdigit());
    hex.then(|| usize::from_str_radix(size, 16).ok())?
}
