//! The framing of bodies in HTTP/1.1, and its decoder.

use bytes::Bytes;
use tokio::io::AsyncRead;

use super::Headers;
use super::body::BodyError;
use super::buffered::Buffered;

const MAX_CHUNK_LINE: usize = 4096;

/// The framing of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    Length(u64),
    Chunked,
    /// Responses only: until the connection closes.
    Close,
}

/// Decodes a body part by part, without holding more than one part.
#[derive(Debug)]
pub(super) struct Decoder {
    state: State,
    /// Bytes of the body so far.
    decoded: u64,
    limit: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Length(u64),
    ChunkSize,
    Chunk(u64),
    ChunkEnd,
    Trailers,
    Close,
    Done,
    Broken,
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

impl Decoder {
    /// Fails at once if the length is known to be above the limit.
    pub(super) fn new(framing: Framing, limit: u64) -> Result<Self, BodyError> {
        let state = match framing {
            Framing::Length(0) => State::Done,
            Framing::Length(length) if length > limit => return Err(BodyError::TooLarge(limit)),
            Framing::Length(length) => State::Length(length),
            Framing::Chunked => State::ChunkSize,
            Framing::Close => State::Close,
        };
        Ok(Self { state, decoded: 0, limit })
    }

    pub(super) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Bytes to come, if known.
    pub(super) fn remaining(&self) -> Option<u64> {
        match self.state {
            State::Length(left) => Some(left),
            State::Done => Some(0),
            _ => None,
        }
    }

    /// The next bytes as soon as there are some; `None` at the end. After an error, only errors.
    pub(super) async fn part<S: AsyncRead + Unpin>(
        &mut self,
        from: &mut Buffered<S>,
    ) -> Result<Option<Bytes>, BodyError> {
        loop {
            match self.state {
                State::Done => return Ok(None),
                State::Broken => return Err(BodyError::Framing),
                State::Length(left) => {
                    let part = from.some(left).await?;
                    let left = left - size(&part);
                    self.state = if left == 0 { State::Done } else { State::Length(left) };
                    return Ok(Some(part));
                }
                State::Close => match from.some_or_end().await? {
                    Some(part) => return self.counted(part).map(Some),
                    None => self.state = State::Done,
                },
                State::ChunkSize => {
                    let size = parse_chunk_size(&from.line(MAX_CHUNK_LINE).await?);
                    self.state = match size {
                        None => State::Broken,
                        Some(0) => State::Trailers,
                        Some(size) => State::Chunk(size),
                    };
                }
                // Discarded, line by line: a read that times out in between continues here.
                State::Trailers => {
                    if from.line(MAX_CHUNK_LINE).await?.is_empty() {
                        self.state = State::Done;
                    }
                }
                State::Chunk(left) => {
                    let part = from.some(left).await?;
                    let left = left - size(&part);
                    self.state = if left == 0 { State::ChunkEnd } else { State::Chunk(left) };
                    return self.counted(part).map(Some);
                }
                State::ChunkEnd => {
                    self.state = State::Broken;
                    if from.line(MAX_CHUNK_LINE).await?.is_empty() {
                        self.state = State::ChunkSize;
                    }
                }
            }
        }
    }

    fn counted(&mut self, part: Bytes) -> Result<Bytes, BodyError> {
        self.decoded += size(&part);
        if self.decoded > self.limit {
            self.state = State::Broken;
            return Err(BodyError::TooLarge(self.limit));
        }
        Ok(part)
    }
}

fn size(part: &Bytes) -> u64 {
    part.len() as u64
}

/// Digits only: `parse` alone would accept `+5`.
pub(super) fn parse_length(text: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?;
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

fn parse_chunk_size(line: &[u8]) -> Option<u64> {
    let size = line.split(|byte| *byte == b';').next()?.trim_ascii();
    let size = std::str::from_utf8(size).ok()?;
    let hex = !size.is_empty() && size.bytes().all(|byte| byte.is_ascii_hexdigit());
    hex.then(|| u64::from_str_radix(size, 16).ok())?
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::AsyncWriteExt as _;
    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn a_read_that_times_out_within_trailers_continues_there() {
        let (mut client, server) = tokio::io::duplex(1024);
        let mut from = Buffered::new(server);
        let mut decoder = Decoder::new(Framing::Chunked, 1024).unwrap();
        client.write_all(b"0\r\nX-First: a\r\n").await.unwrap();
        let part = timeout(Duration::from_millis(20), decoder.part(&mut from)).await;
        assert!(part.is_err(), "the trailers have not ended");
        client.write_all(b"X-Second: b\r\n\r\n").await.unwrap();
        assert!(decoder.part(&mut from).await.unwrap().is_none());
    }
}
