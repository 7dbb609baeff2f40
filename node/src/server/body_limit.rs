//! Body limits: size and time of each body, and memory of all bodies in flight.

use super::Refusal;
use crate::config::LimitsConfig;
use axum::body::{Body, Bytes, HttpBody as _};
use http_body_util::BodyExt as _;
use std::{sync::Arc, time::Duration};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub(super) struct BodyLimit {
    max_message_bytes: usize,
    body_timeout: Duration,
    /// One permit per byte in flight.
    memory: Arc<Semaphore>,
    max_bytes_in_flight: usize,
}

impl BodyLimit {
    pub(super) fn new(limits: &LimitsConfig) -> Self {
        let &LimitsConfig { max_message_bytes, body_timeout, max_bytes_in_flight, .. } = limits;
        let memory = Arc::new(Semaphore::new(max_bytes_in_flight));
        Self { max_message_bytes, body_timeout, memory, max_bytes_in_flight }
    }

    /// Reads a body to its end, with the permit for its memory.
    pub(super) async fn read(&self, body: Body) -> Result<(Bytes, Option<OwnedSemaphorePermit>), Refusal> {
        if usize::try_from(body.size_hint().lower()).is_ok_and(|bytes| bytes <= self.max_message_bytes) {
            let read = tokio::time::timeout(self.body_timeout, self.collect(body)).await;
            read.unwrap_or(Err(Refusal::BodyTimeout(self.body_timeout)))
        } else {
            Err(Refusal::TooLarge(self.max_message_bytes))
        }
    }

    async fn collect(&self, mut body: Body) -> Result<(Bytes, Option<OwnedSemaphorePermit>), Refusal> {
        let mut memory = None;
        // Chunks are copied together: each of them would keep the whole read buffer alive.
        let mut chunks = Vec::new();
        while let Some(frame) = body.frame().await {
            let Ok(chunk) = frame.map_err(|_| Refusal::IncompleteBody)?.into_data() else { continue };
            if chunks.len() + chunk.len() > self.max_message_bytes {
                return Err(Refusal::TooLarge(self.max_message_bytes));
            }
            self.reserve(&mut memory, chunk.len())?;
            if body.is_end_stream() && chunks.is_empty() {
                return Ok((chunk, memory));
            }
            chunks.extend_from_slice(&chunk);
        }
        Ok((chunks.into(), memory))
    }

    fn reserve(&self, memory: &mut Option<OwnedSemaphorePermit>, bytes: usize) -> Result<(), Refusal> {
        let bytes = u32::try_from(bytes).map_err(|_| Refusal::TooLarge(self.max_message_bytes))?;
        let more = self.memory.clone().try_acquire_many_owned(bytes);
        let more = more.map_err(|_| Refusal::OutOfMemory(self.max_bytes_in_flight))?;
        match memory {
            Some(memory) => memory.merge(more),
            None => *memory = Some(more),
        }
        Ok(())
    }
}
