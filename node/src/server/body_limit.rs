//! Body limits: size and time of each body, and memory of all bodies in flight.
//!
//! Connections without an accepted call share half of the memory, and each network (IPv4: an address,
//! IPv6: a /64) has an eighth of it.

use super::Refusal;
use crate::config::LimitsConfig;
use axum::body::{Body, Bytes, HttpBody as _};
use http_body_util::BodyExt as _;
use listener::{Peer, Share, Shares};
use std::{sync::Arc, time::Duration};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub(super) struct BodyLimit {
    max_message_bytes: usize,
    body_timeout: Duration,
    /// One permit per byte in flight.
    memory: Arc<Semaphore>,
    /// The same, of connections without an accepted call.
    unverified: Arc<Semaphore>,
    shares: Shares,
    max_bytes_in_flight: usize,
}

/// The memory of a message in flight, released when it is dropped.
#[derive(Default)]
pub(super) struct Memory {
    all: Option<OwnedSemaphorePermit>,
    unverified: Option<OwnedSemaphorePermit>,
    /// Absent for a connection with an accepted call.
    share: Option<Share>,
}

impl BodyLimit {
    pub(super) fn new(limits: &LimitsConfig) -> Self {
        let &LimitsConfig { max_message_bytes, body_timeout, max_bytes_in_flight, .. } = limits;
        Self {
            max_message_bytes,
            body_timeout,
            memory: Arc::new(Semaphore::new(max_bytes_in_flight)),
            unverified: Arc::new(Semaphore::new((max_bytes_in_flight / 2).max(max_message_bytes))),
            shares: Shares::of((max_bytes_in_flight / 8).max(max_message_bytes)),
            max_bytes_in_flight,
        }
    }

    /// Reads a body to its end.
    pub(super) async fn read(&self, body: Body, peer: Option<&Peer>) -> Result<(Bytes, Memory), Refusal> {
        if usize::try_from(body.size_hint().lower()).is_ok_and(|bytes| bytes <= self.max_message_bytes) {
            let read = tokio::time::timeout(self.body_timeout, self.collect(body, peer)).await;
            read.unwrap_or(Err(Refusal::BodyTimeout(self.body_timeout)))
        } else {
            Err(Refusal::TooLarge(self.max_message_bytes))
        }
    }

    async fn collect(&self, mut body: Body, peer: Option<&Peer>) -> Result<(Bytes, Memory), Refusal> {
        let unverified = peer.filter(|peer| !peer.is_verified());
        let share = unverified.map(|peer| self.shares.of_network(peer.address().ip()));
        let mut memory = Memory { share, ..Memory::default() };
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

    /// Takes further memory, without waiting.
    pub(super) fn reserve(&self, memory: &mut Memory, bytes: usize) -> Result<(), Refusal> {
        let full = || Refusal::OutOfMemory(self.max_bytes_in_flight);
        let permits = u32::try_from(bytes).map_err(|_| Refusal::TooLarge(self.max_message_bytes))?;
        if let Some(share) = &mut memory.share {
            let fits = share.take(bytes) && take(&self.unverified, permits, &mut memory.unverified);
            fits.then_some(()).ok_or_else(full)?;
        }
        take(&self.memory, permits, &mut memory.all).then_some(()).ok_or_else(full)
    }
}

/// Takes permits, if there are so many.
fn take(semaphore: &Arc<Semaphore>, permits: u32, taken: &mut Option<OwnedSemaphorePermit>) -> bool {
    let Ok(more) = semaphore.clone().try_acquire_many_owned(permits) else { return false };
    match taken {
        Some(taken) => taken.merge(more),
        None => *taken = Some(more),
    }
    true
}
